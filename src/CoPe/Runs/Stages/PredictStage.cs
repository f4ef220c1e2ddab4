using CoPe.Data;
using CoPe.Decoding;
using CoPe.Evaluation;
using CoPe.Prompts;
using CoPe.Runs.Recipes;

namespace CoPe.Runs.Stages;

/// <summary>Stage 5: one method's answers to every query, all users in one running batch; expert and amateur rows share each pass.</summary>
/// <param name="method">The method.</param>
sealed class PredictStage(PredictionMethod method) : Stage
{
    /// <inheritdoc/>
    public override string Name => $"predict {method.Name}";

    /// <inheritdoc/>
    public override string Command => $"cope predict --method {method.Name}";

    /// <inheritdoc/>
    public override IReadOnlyList<string> RecipeKeys => ["task", "seed", "users", "history_limit", "development_items", "decode_dtype", .. method.Contrasts ? (string[])["decode"] : DecodeKeys, "sft.max_words", .. method.Context == ContextKind.None ? (string[])[] : ["context"]];

    static readonly string[] DecodeKeys =
    [
        "decode.dtype", "decode.repetition_penalty", "decode.max_new_tokens", "decode.do_sample", "decode.temperature", "decode.top_k", "decode.top_p", "decode.runs", "decode.max_rows",
    ];

    /// <inheritdoc/>
    public override StageFiles Reads => StageFiles.Model | StageFiles.Task | StageFiles.Users;

    /// <inheritdoc/>
    public override IEnumerable<string> Needs(Recipe recipe)
    {
        var task = method.TaskAdapterOf(recipe);
        if (method.NeedsTam(recipe)) yield return "train tam";
        if (task == TaskAdapterKind.Everyone) yield return "train tam-all";
        if (method.Context == ContextKind.Profile) yield return "profile";
        if (method.UserAdapter == UserAdapterKind.Sft || method.AmateurOf(recipe) == AmateurKind.Sft) yield return "train sft";
        if (method.UserAdapter == UserAdapterKind.Dpo) yield return "train dpo";
    }

    /// <inheritdoc/>
    public override bool IsIn(Recipe recipe) => recipe.Methods().Contains(method);

    /// <inheritdoc/>
    public override IEnumerable<string> Outputs(RunDirectory run) =>
        [run.Predictions(method.Name), .. Enumerable.Range(1, 999).Select(sample => run.PredictionsOfRun(method.Name, sample)).TakeWhile(File.Exists)];

    /// <inheritdoc/>
    public override void Execute(StageContext context)
    {
        var workspace = new RunWorkspace(context);
        var runs = context.Recipe.Decode.DoSample ? context.Recipe.Decode.Runs : 1;
        var asked = workspace.Dataset.Users.SelectMany((user, index) => user.Queries.Select(query => new Asked(index, query))).ToList();
        var portions = new Portions<Answer>(context, Name);
        var answers = Answers(context, workspace, portions, asked, runs);
        Write(context, workspace, runs, answers.ToDictionary(answer => (answer.Id, answer.Run)));
    }

    IReadOnlyList<Answer> Answers(StageContext context, RunWorkspace workspace, Portions<Answer> portions, List<Asked> asked, int runs)
    {
        using var bank = new MethodAdapters(workspace, method, context.Recipe);
        var engine = workspace.Engine(Name, bank.Task, bank.Users, workspace.PredictionModel);
        var prompts = new ContextPrompts(context, workspace, method.Context);
        var progress = new ItemProgress(context.Progress, Name, (long)portions.Done * runs, (long)asked.Count * runs);
        var options = DecodingOf(context.Recipe.Decode, workspace.Task);
        var users = asked.ToDictionary(one => one.Query.Id, one => workspace.Dataset.Users[one.User]);
        var answers = portions.Run(asked, PortionSize.Of(workspace.PredictionModel, context.Recipe.Decode, runs * (bank.Amateur(0) is null ? 1 : 2), options.MaxNewTokens), Answer);
        prompts.Tell(Name);
        return answers;

        IEnumerable<Answer> Answer(IReadOnlyList<Asked> portion)
        {
            foreach (var result in engine.Generate([.. portion.Select(Request)], progress, context.Cancellation))
            {
                progress.Finished(users[result.RequestId].Id);
                yield return new Answer(result.RequestId, result.Sample, AnswerExtractor.Extract(workspace.Encoder.DecodeResponse(result.Ids), workspace.Task));
            }
        }

        DecodingRequest Request(Asked one) => new()
        {
            Id = one.Query.Id,
            Prompt = prompts.Prompt(users[one.Query.Id], one.Query, options.MaxNewTokens),
            Options = options,
            Seed = SeedOf.Part(context.Recipe.Seed, "predict", one.Query.Id),
            Expert = bank.Expert(one.User),
            Amateur = bank.Amateur(one.User),
            Samples = runs,
        };
    }

    /// <summary>How a recipe decodes.</summary>
    public static DecodingOptions DecodingOf(DecodeSettings settings, LampTask task) => new()
    {
        MaxNewTokens = settings.MaxNewTokens ?? task.MaxNewTokens,
        Contrast = settings.Contrast,
        Plausibility = settings.Plausibility,
        ReferenceEpsilon = settings.ReferenceEpsilon,
        RepetitionPenalty = settings.RepetitionPenalty ?? task.RepetitionPenalty,
        Penalize = settings.Penalize,
        Sample = settings.DoSample,
        Temperature = settings.Temperature,
        TopK = settings.TopK,
        TopP = settings.TopP,
    };

    void Write(StageContext context, RunWorkspace workspace, int runs, Dictionary<(string Id, int Run), Answer> answers)
    {
        for (var run = runs - 1; run >= 0; run--)
        {
            var path = context.Run.PredictionsOfRun(method.Name, run);
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            new PredictionFile
            {
                Task = workspace.Task.LampId,
                Model = context.Recipe.Model,
                Predictions = [.. workspace.Dataset.Users.SelectMany(user => user.Queries).Select(query => new Prediction(query.Id, answers[(query.Id, run)].Text))],
            }.Write(path);
        }
    }

    sealed record Asked(int User, LampQuery Query);

    sealed record Answer(string Id, int Run, string Text);
}
