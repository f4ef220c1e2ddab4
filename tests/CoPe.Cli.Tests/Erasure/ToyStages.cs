using CoPe.Experiments.Data;
using CoPe.Experiments.Evaluation;
using CoPe.Experiments.Runs;
using CoPe.Experiments.Runs.Recipes;

namespace CoPe.Cli.Tests.Erasure;

/// <summary>Stages that need no model and write for every user what the real ones do.</summary>
static class ToyStages
{
    /// <summary>An adapter of each user. What is there of earlier users stays, as in the real stage.</summary>
    public static UserStage CreateAdapters(params StageId[] needs) =>
        new(StageId.TrainSft, run => new UserAdapters(run.SftAdapters, "SFT"), WriteAdapters, needs);

    /// <summary>Answers of a method to the queries of all users.</summary>
    public static UserStage CreateAnswers(string method, params StageId[] needs) =>
        new(
            StageId.Predict(PredictionMethod.Find(method)),
            run => new UserPredictions(run.Predictions(method)),
            (run, users) => WriteAnswers(run, users, method),
            needs
        );

    static void WriteAdapters(RunDirectory run, IReadOnlyList<LampUser> users)
    {
        foreach (var user in users.Where(user => !Directory.Exists(run.SftAdapter(user.Id))))
        {
            AtomicFile.WriteText(Path.Combine(run.SftAdapter(user.Id), "adapter.txt"), $"weights of {user.Id}");
            AtomicFile.WriteText(Path.Combine(run.SftAdapter(user.Id), "README.md"), run.SftAdapter(user.Id));
        }
    }

    static void WriteAnswers(RunDirectory run, IReadOnlyList<LampUser> users, string method)
    {
        var queries = users.SelectMany(user => user.Queries.Select(query => (user.Id, Query: query.Id))).ToList();
        new PredictionFile
        {
            Task = "LaMP_4",
            Predictions = [.. queries.Select(one => new Prediction(one.Query, $"An answer to {one.Query}"))],
        }.Write(run.Predictions(method));
        JsonLines.Write(
            run.Metrics(StageId.Predict(PredictionMethod.Find(method))),
            queries.Select(one => new { User = one.Id, one.Query })
        );
    }
}

/// <summary>
/// A stage that needs no model and writes something for every user that the run reads.
/// </summary>
sealed class UserStage(
    StageId id,
    Func<RunDirectory, StageOutput> output,
    Action<RunDirectory, IReadOnlyList<LampUser>> write,
    params StageId[] needs
) : Stage
{
    public override StageId Id => id;

    public override IReadOnlyList<string> RecipeKeys => ["users"];

    public override IEnumerable<StageId> Needs(Recipe recipe) => needs;

    public override bool IsRequestedBy(Recipe recipe) => true;

    public override IEnumerable<StageOutput> Outputs(RunDirectory run) => [output(run)];

    public override void Execute(StageContext context) => write(context.Run, context.Workspace.Dataset.Users);
}
