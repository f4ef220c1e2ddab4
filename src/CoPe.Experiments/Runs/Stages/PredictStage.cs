using CoPe.Decoding;
using CoPe.Experiments.Data;
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
            "block_users",
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

    internal override UserParts ReadsOfUser(Recipe recipe) =>
        method.Context == ContextKind.None ? UserParts.Queries : UserParts.All;

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
        var answers = ReadAnswers(context.Run, runs);
        var queries = workspace
            .Dataset.Users.SelectMany(user => user.Queries.Select((_, place) => new UserQuery(user, place)))
            .Where(one => Enumerable.Range(0, runs).Any(run => !answers.ContainsKey((one.Query.Id, run))))
            .ToList();
        if (queries.Count > 0)
        {
            foreach (var answer in GenerateAnswers(context, workspace, queries, runs))
            {
                answers[(answer.Id, answer.Run)] = answer.Text;
            }
        }

        WritePredictions(context, workspace, runs, answers);
    }

    /// <summary>The answers that are there: of the users who were here before.</summary>
    Dictionary<(string Id, int Run), string> ReadAnswers(RunDirectory run, int runs)
    {
        var answers = new Dictionary<(string Id, int Run), string>();
        for (var sample = 0; sample < runs; sample++)
        {
            var path = run.PredictionsOfSample(method.Name, sample);
            foreach (var prediction in File.Exists(path) ? PredictionFile.Read(path).Predictions : [])
            {
                answers[(prediction.Id, sample)] = prediction.Output;
            }
        }

        return answers;
    }

    IReadOnlyList<Answer> GenerateAnswers(
        StageContext context,
        RunWorkspace workspace,
        List<UserQuery> queries,
        int runs
    )
    {
        var chunks = new ChunkedWork<Answer>(context, Id);
        var prompts = new InContextPrompts(context, workspace, method.Context);
        var responses = new ResponseDecoder(workspace.Encoder);
        var progress = new ItemProgress(
            context.Progress,
            Name,
            (long)chunks.CompletedItems * runs,
            (long)queries.Count * runs
        );
        var options = context.Recipe.Decode.CreateOptions(workspace.Task);
        var users = queries.ToDictionary(one => one.Query.Id, one => one.User);
        var answers = chunks.Run(
            queries,
            one => one.User.Id,
            ChunkSize.Compute(
                workspace.PredictionModel,
                workspace.RowsPerPass,
                runs * (method.ResolveAmateur(context.Recipe) is null ? 1 : 2),
                options.MaxNewTokens
            ),
            Answer
        );
        prompts.WarnIfShortened(Name);
        responses.WarnIfUnfinished(context.Log, Name, "decode.max_new_tokens");
        return answers;

        IEnumerable<Answer> Answer(IReadOnlyList<UserQuery> chunk)
        {
            var askers = chunk.Select(one => one.User);
            using var adapters = new MethodAdapters(workspace, method, context.Recipe, askers);
            var engine = workspace.CreateEngine(
                Name,
                adapters.Task,
                adapters.Users,
                workspace.PredictionModel,
                context.Trace
            );
            List<DecodingRequest> requests = [.. chunk.Select(one => Request(one, adapters))];
            foreach (var result in engine.Generate(requests, progress, context.Cancellation))
            {
                progress.ReportFinished(users[result.RequestId].Id);
                yield return new Answer(
                    result.RequestId,
                    result.Sample,
                    AnswerExtractor.Extract(responses.Decode(result.Ids), workspace.Task)
                );
            }
        }

        DecodingRequest Request(UserQuery one, MethodAdapters adapters)
        {
            var query = one.Query;
            return new()
            {
                Id = query.Id,
                Prompt = prompts.BuildPrompt(one.User, query, options.MaxNewTokens),
                Options = options,
                Seed = SeedDerivation.Derive(context.Recipe.Seed, "predict", query.Id),
                Expert = adapters.Expert(one.User.Id),
                Amateur = adapters.Amateur(one.User.Id),
                Samples = runs,
            };
        }
    }

    void WritePredictions(
        StageContext context,
        RunWorkspace workspace,
        int runs,
        Dictionary<(string Id, int Run), string> answers
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
                        .Select(query => new Prediction(query.Id, answers[(query.Id, run)])),
                ],
            }.Write(path);
        }
    }

    /// <summary>A query of a user, which is read where it is asked for.</summary>
    readonly record struct UserQuery(LampUser User, int Place)
    {
        public LampQuery Query => User.Queries[Place];
    }

    sealed record Answer(string Id, int Run, string Text);
}
