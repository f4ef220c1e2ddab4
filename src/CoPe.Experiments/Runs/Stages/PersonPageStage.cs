using CoPe.Experiments.Evaluation;
using CoPe.Experiments.Report;
using CoPe.Experiments.Report.Pages;
using CoPe.Experiments.Runs.Recipes;
using CoPe.Experiments.Runs.Results;
using CoPe.Experiments.Tasks;

namespace CoPe.Experiments.Runs.Stages;

/// <summary>Writes the page for the person whose texts the run was made from: the first user of its data.</summary>
sealed class PersonPageStage : Stage
{
    public override StageId Id => StageId.WritePersonPage;

    public override IReadOnlyList<string> RecipeKeys =>
        ["task", "device", "users", "history_limit", "development_items", "predict", "sft.max_words"];

    public override InputKinds Reads => InputKinds.Wording | InputKinds.Users;

    internal override UserParts ReadsOfUser(Recipe recipe) => UserParts.All;

    public override IEnumerable<StageId> Needs(Recipe recipe) =>
        recipe
            .Methods()
            .Where(method => method == PersonSummary.FindMethod(recipe) || method == PersonSummary.BaseMethod)
            .Select(StageId.Predict);

    public override bool IsRequestedBy(Recipe recipe) =>
        recipe.PersonPage && PersonSummary.FindMethod(recipe) is not null;

    public override IEnumerable<StageOutput> Outputs(RunDirectory run) =>
        [new UserFigures(run.PersonPage, "texts of the user and answers in their style")];

    public override InputKinds RebuildReads => InputKinds.Data | InputKinds.Wording;

    public override void RebuildWithoutUser(StageContext context) => Execute(context);

    public override void Execute(StageContext context)
    {
        var model = PersonSummary.Create(context);
        AtomicFile.WriteText(context.Run.PersonPage, writer => PersonPage.Write(model, writer));
    }
}

/// <summary>Gathers what a person is told about their model.</summary>
static class PersonSummary
{
    const int MaxExamples = 3;

    /// <summary>The method that answers as before.</summary>
    public static PredictionMethod BaseMethod { get; } = PredictionMethod.Find("base");

    /// <summary>The method that answers as the person: the last of the recipe with an adapter of theirs.</summary>
    public static PredictionMethod? FindMethod(Recipe recipe) =>
        recipe.Methods().LastOrDefault(method => method.UserAdapter != UserAdapterKind.None);

    /// <summary>Reads the answers of a run, whose predictions are complete.</summary>
    public static PersonModel Create(StageContext context)
    {
        var workspace = context.Workspace;
        var user = workspace.Dataset.Users[0];
        var answers = ReadAnswers(context, FindMethod(context.Recipe));
        var bases = context.Recipe.Methods().Contains(BaseMethod) ? ReadAnswers(context, BaseMethod) : null;
        var answered = user.Queries.Where(query => answers.ContainsKey(query.Id)).ToList();
        var source = new ExampleEncoder(workspace, context.Recipe.Sft);
        List<string> own = [.. user.History.Select(source.GetAnswerText)];
        return new()
        {
            Person = user.Id,
            LearnedTexts = user.History.Count,
            HeldOutTexts = user.Queries.Count,
            Model = Path.GetFileName(Path.TrimEndingDirectorySeparator(context.Recipe.Model)),
            Training = TrainingChoice.Read(context.Run)?.Describe(),
            Comparison =
                answered.Count == 0 || own.Count == 0
                    ? null
                    : WritingComparison.Compute(
                        own,
                        bases is null ? [] : [.. answered.Select(query => bases.GetValueOrDefault(query.Id, ""))],
                        [.. answered.Select(query => answers[query.Id])]
                    ),
            Examples =
            [
                .. answered
                    .Take(MaxExamples)
                    .Select(query => new PersonExample(
                        GetRequest(workspace, query),
                        query.Gold,
                        answers[query.Id],
                        bases?.GetValueOrDefault(query.Id)
                    )),
            ],
            Command = $"cope chat {context.Run.Name} --user {user.Id}",
        };
    }

    static Dictionary<string, string> ReadAnswers(StageContext context, PredictionMethod? method) =>
        method is null || !File.Exists(context.Run.Predictions(method.Name))
            ? []
            : PredictionFile
                .Read(context.Run.Predictions(method.Name))
                .Predictions.ToDictionary(answer => answer.Id, answer => answer.Output);

    /// <summary>The request itself, without the task's wording around it.</summary>
    static string GetRequest(RunWorkspace workspace, LampQuery query)
    {
        if (workspace.Task.InputFields is not [var field])
        {
            return query.Input;
        }

        var wording = workspace.Template.History.Split($"{{{field}}}");
        var isWorded =
            wording.Length == 2
            && query.Input.Length > wording[0].Length + wording[1].Length
            && query.Input.StartsWith(wording[0], StringComparison.Ordinal)
            && query.Input.EndsWith(wording[1], StringComparison.Ordinal);
        return isWorded ? query.Input[wording[0].Length..^wording[1].Length] : query.Input;
    }
}
