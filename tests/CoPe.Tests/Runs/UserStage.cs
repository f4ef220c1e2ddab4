using CoPe.Data;
using CoPe.Runs;
using CoPe.Runs.Recipes;
using CoPe.Runs.Stages;

namespace CoPe.Tests.Runs;

/// <summary>A stage that writes something of every user whom the recipe and the forgotten users leave, without a model.</summary>
sealed class UserStage(string name, Func<RunDirectory, string> output, Action<RunDirectory, IReadOnlyList<LampUser>> write, params string[] needs) : Stage
{
    public override string Name => name;

    public override IReadOnlyList<string> RecipeKeys => ["users"];

    public override IEnumerable<string> Needs(Recipe recipe) => needs;

    public override IEnumerable<string> Outputs(RunDirectory run) => [output(run)];

    public override void Execute(StageContext context) => write(context.Run, new RunWorkspace(context).Dataset.Users);
}
