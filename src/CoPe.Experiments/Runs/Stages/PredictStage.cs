using CoPe.Decoding;
using CoPe.Experiments.Evaluation;
using CoPe.Experiments.Runs.Recipes;
using CoPe.Experiments.Tasks;

namespace CoPe.Experiments.Runs.Stages;

/// <summary>
/// Stage 5: one method's answers to every query, all users in one running batch; expert and amateur rows share each
/// pass.
/// </summary>
/// <param name="method">The method.</param>
sealed class PredictStage(PredictionMethod method) : Stage
{
    public override StageId Id { get; } = StageId.Predict(method);

    public override IReadOnlyList<string> RecipeKeys =>
        [
            "task",
            "device",
            "seed",
            "users",
            "history_limit",
            "development_items",
            "decode_dtype",
            .. method.Contrasts ? (string[])["decode"] : DecodeKeys,
            "sft.max_words",
            .. method.Context == ContextKind.None ? (string[])[] : ["context"],
        ];

    static readonly string[] DecodeKeys =
    [
        "decode.dtype",
        "decode.repetition_penalty",
        "decode.max_new_tokens",
        "decode.do_sample",
        "decode.temperature",
        "decode.top_k",
        "decode.top_p",
        "decode.runs",
        "decode.max_rows",
    ];

    public override InputKinds Reads => InputKinds.Model | InputKinds.Wording | InputKinds.Users;

    public override IEnumerable<StageId> Needs(Recipe recipe) => StageId.RequiredBy(method.GetRequirements(recipe));

    public override bool IsRequestedBy(Recipe recipe) => recipe.Methods().Contains(method);

    public override IEnumerable<StageOutput> Outputs(RunDirectory run) =>
        [
            new UserPredictions(run.Predictions(method.Name)),
            .. Enumerable
                .Range(1, 999)
                .Select(sample => new UserPredictions(run.PredictionsOfSample(method.Name, sample)))
                .TakeWhile(predictions => predictions.Exists),
        ];

    internal override void CheckInputs(RunPreflight preflight)
    {
        var recipe = preflight.Context.Recipe;
        preflight.CheckModel();
        preflight.CheckQueries(recipe.Decode.CreateOptions(preflight.Context.Workspace.Task).MaxNewTokens);
    }

    public override void Execute(StageContext context)
    {
        var workspace = context.Workspace;
        var runs = context.Recipe.Decode.SampleCount;
        var queries = workspace
            .Dataset.Users.SelectMany((user, index) => user.Queries.Select(query => new UserQuery(index, query)))
            .ToList();
        var chunks = new ChunkedWork<Answer>(context, Id);
        var answers = GenerateAnswers(context, workspace, chunks, queries, runs);
        WritePredictions(context, workspace, runs, answers.ToDictionary(answer => (answer.Id, answer.Run)));
    }

    IReadOnlyList<Answer> GenerateAnswers(
        StageContext context,
        RunWorkspace workspace,
        ChunkedWork<Answer> chunks,
        List<UserQuery> queries,
        int runs
    )
    {
        using var bank = new MethodAdapters(workspace, method, context.Recipe);
        var engine = workspace.CreateEngine(Name, bank.Task, bank.Users, workspace.PredictionModel, context.Trace);
        var prompts = new InContextPrompts(context, workspace, method.Context);
        var progress = new ItemProgress(
            context.Progress,
            Name,
            (long)chunks.CompletedItems * runs,
            (long)queries.Count * runs
        );
        var options = context.Recipe.Decode.CreateOptions(workspace.Task);
        var users = queries.ToDictionary(one => one.Query.Id, one => workspace.Dataset.Users[one.User]);
        var answers = chunks.Run(
            queries,
            ChunkSize.Compute(
                workspace.PredictionModel,
                context.Recipe.Decode,
                runs * (bank.Amateur(0) is null ? 1 : 2),
                options.MaxNewTokens
            ),
            Answer
        );
        prompts.WarnIfShortened(Name);
        return answers;

        IEnumerable<Answer> Answer(IReadOnlyList<UserQuery> chunk)
        {
            foreach (var result in engine.Generate([.. chunk.Select(Request)], progress, context.Cancellation))
            {
                progress.ReportFinished(users[result.RequestId].Id);
                yield return new Answer(
                    result.RequestId,
                    result.Sample,
                    AnswerExtractor.Extract(workspace.Encoder.DecodeResponse(result.Ids), workspace.Task)
                );
            }
        }

        DecodingRequest Request(UserQuery one) =>
            new()
            {
                Id = one.Query.Id,
                Prompt = prompts.BuildPrompt(users[one.Query.Id], one.Query, options.MaxNewTokens),
                Options = options,
                Seed = SeedDerivation.Derive(context.Recipe.Seed, "predict", one.Query.Id),
                Expert = bank.Expert(one.User),
                Amateur = bank.Amateur(one.User),
                Samples = runs,
            };
    }

    void WritePredictions(
        StageContext context,
        RunWorkspace workspace,
        int runs,
        Dictionary<(string Id, int Run), Answer> answers
    )
    {
        for (var run = runs - 1; run >= 0; run--)
        {
            var path = context.Run.PredictionsOfSample(method.Name, run);
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            new PredictionFile
            {
                Task = workspace.Task.BenchmarkId,
                Model = context.Recipe.Model,
                Predictions =
                [
                    .. workspace
                        .Dataset.Users.SelectMany(user => user.Queries)
                        .Select(query => new Prediction(query.Id, answers[(query.Id, run)].Text)),
                ],
            }.Write(path);
        }
    }

    sealed record UserQuery(int User, LampQuery Query);

    sealed record Answer(string Id, int Run, string Text);
}
