using CoPe.Runs;
using CoPe.Runs.Recipes;

namespace CoPe.Tests.Runs;

/// <summary>A stage that writes one file and can be told to fail.</summary>
sealed class ToyStage(string name, IReadOnlyList<string> keys, params string[] needs) : Stage
{
    public int Executions { get; private set; }

    public Action<StageContext>? Before { get; set; }

    /// <summary>Further files that it writes, by name within the run.</summary>
    public IReadOnlyList<string> Further { get; init; } = [];

    public override string Name => name;

    public override IReadOnlyList<string> RecipeKeys => keys;

    public StageFiles Read { get; set; } = StageFiles.All;

    public string? Objecting { get; set; }

    public override StageFiles Reads => Read;

    public override string? Objection(StageContext context, StageStatus status) => Objecting;

    public override IEnumerable<string> Needs(Recipe recipe) => needs;

    public override IEnumerable<string> Outputs(RunDirectory run) => [Path.Combine(run.Root, name + ".out"), .. Further.Select(file => Path.Combine(run.Root, file))];

    public override void Execute(StageContext context)
    {
        Executions++;
        Before?.Invoke(context);
        foreach (var output in Outputs(context.Run)) AtomicFile.WriteText(output, name);
    }
}
