using CoPe.Experiments.Runs;
using CoPe.Experiments.Runs.Recipes;
using CoPe.Experiments.Settings;
using CoPe.Testing;

namespace CoPe.Experiments.Tests.Runs;

/// <summary>A run of three stages that write a file each, for tests of what is run, kept and thrown away.</summary>
public abstract class ToyPipeline : IDisposable
{
    private protected readonly TemporaryFolder folder = new();
    private protected readonly ToyStage first = new(StageId.TrainTam, ["tam.epochs"]);
    private protected readonly ToyStage second = new(StageId.TrainSft, ["sft.epochs"], StageId.TrainTam);
    private protected readonly ToyStage third = new(StageId.Evaluate, [], StageId.TrainSft);
    private protected readonly Pipeline pipeline;

    protected ToyPipeline()
    {
        pipeline = new([first, second, third]);
        folder.Write("model/config.json", "{}");
        folder.Write("data/t/user_others.json", "[]");
        folder.Write("tasks/t.yaml", "task: t");
    }

    private protected int[] Counts => [first.Executions, second.Executions, third.Executions];

    private protected Recipe SavedRecipe => SettingsFile.Read<Recipe>(folder.At("run/recipe.yaml"), []);

    private protected StageContext Context(params string[] overrides) => ContextAt("run", overrides);

    private protected StageContext ContextAt(string run, params string[] overrides)
    {
        var recipe = SettingsFile.Parse<Recipe>("task: t\nmodel: model", "r.yaml", overrides);
        var inputs = InputPaths.Find(recipe, [folder.Path]);
        return new() { Workspace = new(recipe, new(folder.At(run)), inputs) };
    }

    public void Dispose()
    {
        GC.SuppressFinalize(this);
        folder.Dispose();
    }
}
