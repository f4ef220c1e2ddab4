using CoPe.Decoding;
using CoPe.Evaluation;
using CoPe.Prompts;
using CoPe.Runs.Recipes;

namespace CoPe.Runs.Stages;

/// <summary>Stage 5: one method's answers to every query, all users in one running batch; expert and amateur rows share each pass.</summary>
/// <param name="method">The method.</param>
sealed class PredictStage(PredictionMethod method) : Stage
{
    /// <summary>Answers between two writes to the disk.</summary>
    const int AnswersPerWrite = 32;

    /// <inheritdoc/>
    public override string Name => $"predict {method.Name}";

    /// <inheritdoc/>
    public override string Command => $"cope predict --method {method.Name}";

    /// <inheritdoc/>
    public override string Summary => $"Answer every query by {method.Title}";

    /// <inheritdoc/>
    public override IReadOnlyList<string> RecipeKeys => ["task", "seed", "users", "history_limit", "development_items", "decode_dtype", .. method.Contrasts ? (string[])["decode"] : DecodeKeys, "sft.max_words", .. method.Context == ContextKind.None ? (string[])[] : ["context"]];

    static readonly string[] DecodeKeys =
    [
        "decode.repetition_penalty", "decode.max_new_tokens", "decode.do_sample", "decode.temperature", "decode.top_k", "decode.top_p", "decode.runs", "decode.max_rows",
    ];

    /// <inheritdoc/>
    public override IEnumerable<string> Needs(Recipe recipe)
    {
        var task = method.TaskAdapterOf(recipe);
        if (task == TaskAdapterKind.Others || method.Contrasts) yield return "train tam";
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
        var partial = context.Run.PartialPredictions(method.Name);
        var done = JsonLines.Read<Answer>(partial).ToDictionary(answer => (answer.Id, answer.Run));
        var runs = context.Recipe.Decode.DoSample ? context.Recipe.Decode.Runs : 1;
        var total = workspace.Dataset.Users.Sum(user => user.Queries.Count) * runs;
        var progress = new ItemProgress(context.Progress, Name, done.Count, total);
        foreach (var group in Answers(context, workspace, runs, done, progress).Chunk(AnswersPerWrite))
        {
            JsonLines.Append(partial, group);
            foreach (var answer in group) done[(answer.Id, answer.Run)] = answer;
        }

        Write(context, workspace, runs, done);
        AtomicFile.Remove(partial);
    }

    IEnumerable<Answer> Answers(StageContext context, RunWorkspace workspace, int runs, Dictionary<(string Id, int Run), Answer> done, ItemProgress progress)
    {
        using var bank = new MethodAdapters(workspace, method, context.Recipe);
        var engine = workspace.Engine(Name, bank.Task, bank.Users);
        var prompts = new ContextPrompts(context, workspace, method.Context);
        var users = workspace.Dataset.Users.SelectMany(user => user.Queries.Select(query => (query.Id, User: user.Id))).ToDictionary();
        foreach (var result in engine.Generate([.. Requests(context, workspace, bank, prompts, runs, done)], progress, context.Cancellation))
        {
            var text = AnswerExtractor.Extract(workspace.Encoder.DecodeResponse(result.Ids), workspace.Task);
            progress.Finished(users[result.RequestId]);
            yield return new Answer(result.RequestId, result.Sample, text);
        }
    }

    IEnumerable<DecodingRequest> Requests(StageContext context, RunWorkspace workspace, MethodAdapters bank, ContextPrompts prompts, int runs, Dictionary<(string Id, int Run), Answer> done)
    {
        var options = DecodingOf(context.Recipe.Decode, workspace.Task);
        for (var user = 0; user < workspace.Dataset.Users.Count; user++)
        {
            foreach (var query in workspace.Dataset.Users[user].Queries)
            {
                if (Enumerable.Range(0, runs).All(run => done.ContainsKey((query.Id, run)))) continue;
                yield return new DecodingRequest
                {
                    Id = query.Id,
                    Prompt = prompts.Prompt(workspace.Dataset.Users[user], query, options.MaxNewTokens),
                    Options = options,
                    Seed = SeedOf.Part(context.Recipe.Seed, "predict", query.Id),
                    Expert = bank.Expert(user),
                    Amateur = bank.Amateur(user),
                    Samples = runs,
                };
            }
        }

        prompts.Tell(Name);
    }

    /// <summary>How a recipe decodes.</summary>
    public static DecodingOptions DecodingOf(DecodeSettings settings, Data.LampTask task) => new()
    {
        MaxNewTokens = settings.MaxNewTokens ?? task.MaxNewTokens,
        Contrast = settings.Contrast,
        Plausibility = settings.Plausibility,
        ReferenceEpsilon = settings.ReferenceEpsilon,
        RepetitionPenalty = settings.RepetitionPenalty ?? task.RepetitionPenalty,
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

    sealed record Answer(string Id, int Run, string Text);
}
