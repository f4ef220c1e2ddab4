using System.Text.Json;
using CoPe.Adapters;
using CoPe.Modeling.Safetensors;
using CoPe.Tokens;
using CoPe.Training;

namespace CoPe.Tests.Training;

[Collection("torch")]
public class TrainGoldenTests(ITestOutputHelper output)
{
    [Fact]
    public void Supervised_training_follows_the_hugging_face_trainer_step_by_step() => ForEach("*_sft_*", (golden, name) =>
    {
        using var model = golden.Model();
        using var adapters = golden.InitialAdapter(model.Config);
        var watch = new GoldenWatch(golden, adapters, name);
        SftTrainer.Train(new AdapterTrainingRun<SupervisedExample>
        {
            Model = model, Adapters = adapters, UserNames = [name], ExamplesPerUser = [golden.Supervised], Options = golden.Options,
            Metrics = row => watch.Step(row, step => watch.Near(step, row, "loss", 1e-5)),
        });
        watch.Finish();
    });

    [Fact]
    public void Preference_training_follows_trl_step_by_step() => ForEach("*_dpo_*", (golden, name) =>
    {
        using var model = golden.Model();
        using var adapters = golden.InitialAdapter(model.Config);
        var watch = new GoldenWatch(golden, adapters, name);
        DpoTrainer.Train(new AdapterTrainingRun<PreferenceExample>
        {
            Model = model, Adapters = adapters, UserNames = [name], ExamplesPerUser = [golden.Preferences], Options = golden.Options,
            Metrics = row => watch.Step(row, step => Preference(watch, golden, step, row)),
        }, golden.Dpo);
        watch.Finish();
    });

    static void Preference(GoldenWatch watch, TrainGolden golden, JsonElement step, MetricRow row)
    {
        watch.Near(step, row, "loss", 1e-5);
        watch.Near(step, row, "logps/chosen", 1e-5);
        watch.Near(step, row, "logps/rejected", 1e-5);
        var noise = golden.Number("beta") * 1e-4; // rewards are differences of log-probabilities near -80
        if (Math.Abs(row.Figures["rewards/margins"]) > noise) watch.Near(step, row, "rewards/accuracies", 1e-6);
        foreach (var figure in new[] { "rewards/chosen", "rewards/rejected", "rewards/margins" }) watch.Within(step, row, figure, noise);
    }

    void ForEach(string pattern, Action<TrainGolden, string> run)
    {
        var folders = GoldenFolders.Entries("train", pattern).ToArray();
        Assert.NotEmpty(folders);
        foreach (var folder in folders)
        {
            run(new TrainGolden(folder), Path.GetFileName(folder));
            output.WriteLine($"ran {folder}");
        }
    }
}
