using CoPe.Experiments.Runs;
using CoPe.Experiments.Runs.Recipes;
using CoPe.Experiments.Settings;
using CoPe.Testing;

namespace CoPe.Experiments.Tests.Runs;

/// <summary>A run of three stages that write a file each, for tests of what is run, kept and thrown away.</summary>
public abstract class ToyPipeline : IDisposable
{
    private protected readonly TemporaryFolder folder = new();
    private protected readonly ToyStage first = new("train tam", ["tam.epochs"]);
    private protected readonly ToyStage second = new("train sft", ["sft.epochs"], "train tam");
    private protected readonly ToyStage third = new("evaluate", [], "train sft");
    private protected readonly Pipeline pipeline;
    readonly SharedResources _shared = new();

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
        return new()
        {
            Recipe = recipe,
            Run = new(folder.At(run)),
            Inputs = InputPaths.Find(recipe, [folder.Path]),
            Shared = _shared,
        };
    }

    public void Dispose()
    {
        GC.SuppressFinalize(this);
        _shared.Dispose();
        folder.Dispose();
    }
}
