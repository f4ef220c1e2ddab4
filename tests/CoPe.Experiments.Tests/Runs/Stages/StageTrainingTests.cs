using CoPe.Experiments.Runs;
using CoPe.Experiments.Runs.Recipes;
using CoPe.Experiments.Runs.Stages;
using CoPe.Modeling;
using CoPe.Testing;
using CoPe.Training;

namespace CoPe.Experiments.Tests.Runs.Stages;

/// <summary>Figures and checkpoints of a training whose process may be killed between any two writes.</summary>
[Collection("torch")]
public sealed class StageTrainingTests : IDisposable
{
    readonly TemporaryFolder _folder = new();
    readonly RunDirectory _run;
    readonly CausalLm _model = new(TinyModels.Plain, ModelWeights.Initialize(TinyModels.Plain, 1));

    public StageTrainingTests() => _run = new(_folder.At("run"));

    public void Dispose()
    {
        _model.Dispose();
        _folder.Dispose();
    }

    /// <summary>A session: what it held back is lost when the next one begins.</summary>
    TrainingContext Begin(params string[] users)
    {
        var recipe = new Recipe { Task = "news_headline" };
        var inputs = InputPaths.FindAvailable(recipe, [_folder.Path], model => model);
        var context = new StageContext { Workspace = new(recipe, _run, inputs) };
        var training = new StageTraining(
            context,
            StageId.TrainSft,
            "sft",
            "group-1",
            users,
            new(_run.Metrics(StageId.TrainSft))
        );
        return training.CreateContext(_model, recipe.Sft);
    }

    static void TakeSteps(TrainingContext training, int from, int to, params string[] users)
    {
        for (var step = from; step <= to; step++)
        {
            foreach (var user in users)
            {
                training.Metrics!(
                    new()
                    {
                        Stage = "train sft",
                        User = user,
                        Step = step,
                        Figures = new Dictionary<string, double> { ["loss"] = 1.0 / step },
                    }
                );
            }
        }
    }

    static TrainingCheckpoint Checkpoint(long step) =>
        new()
        {
            Fingerprint = new Dictionary<string, string>(),
            Step = step,
            Users = "[]",
            Arrays = new Dictionary<string, float[]> { ["weights"] = [1] },
        };

    IEnumerable<(string User, long Step)> ReadSteps() =>
        JsonLines.Read<StepMetrics>(_run.Metrics(StageId.TrainSft)).Select(row => (row.User, row.Step));

    [Fact]
    public void A_checkpoint_has_the_figures_of_every_step_before_it()
    {
        var training = Begin("ann");
        TakeSteps(training, 1, 7, "ann");
        training.Checkpoints!.Save(Checkpoint(7));

        Assert.Equal(Enumerable.Range(1, 7).Select(step => ("ann", (long)step)), ReadSteps());
    }

    [Fact]
    public void Steps_that_are_taken_again_have_one_line_each_and_other_users_keep_theirs()
    {
        TakeSteps(Begin("bob"), 1, 200, "bob"); // as many as are written together
        var killed = Begin("ann", "cleo");
        TakeSteps(killed, 1, 3, "ann", "cleo");
        killed.Checkpoints!.Save(Checkpoint(3));
        TakeSteps(killed, 4, 110, "ann", "cleo"); // 200 lines reach the file, 14 are lost

        var resumed = Begin("ann", "cleo");
        Assert.Equal(3, resumed.Checkpoints!.Load()!.Step);
        TakeSteps(resumed, 4, 110, "ann", "cleo");
        resumed.Checkpoints.Save(Checkpoint(110));

        Assert.Equal(110 + 110 + 200, ReadSteps().Count());
        Assert.Equal(ReadSteps().Distinct(), ReadSteps());
    }

    [Fact]
    public void A_training_that_begins_again_leaves_no_figures_of_the_first_attempt()
    {
        TakeSteps(Begin("ann"), 1, 200, "ann");

        Assert.Null(Begin("ann").Checkpoints!.Load());

        Assert.Empty(ReadSteps());
    }
}
