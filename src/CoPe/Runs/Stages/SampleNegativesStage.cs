using CoPe.Data;
using CoPe.Decoding;
using CoPe.Negatives;
using CoPe.Runs.Recipes;
using Microsoft.Extensions.Logging;

namespace CoPe.Runs.Stages;

/// <summary>Stage 3a: answers sampled from the task-adaptive model on every user's own history, all users in one queue; or texts borrowed from other users.</summary>
sealed class SampleNegativesStage : Stage
{
    /// <summary>Items between two writes to the disk.</summary>
    const int ItemsPerWrite = 32;

    /// <inheritdoc/>
    public override string Name => "negatives sample";

    /// <inheritdoc/>
    public override string Summary => "Sample candidates for rejected answers on the users' histories";

    /// <inheritdoc/>
    public override IReadOnlyList<string> RecipeKeys =>
    [
        "task", "seed", "users", "history_limit", "development_items", "decode_dtype", "negatives.kind", "negatives.candidates", "negatives.items_per_user",
        "negatives.temperature", "negatives.top_p", "negatives.max_new_tokens", "sft.max_words",
    ];

    /// <inheritdoc/>
    public override IEnumerable<string> Needs(Recipe recipe) => ["train tam"];

    /// <inheritdoc/>
    public override bool IsIn(Recipe recipe) => recipe.Methods().Any(method => method.UserAdapter == UserAdapterKind.Dpo);

    /// <inheritdoc/>
    public override IEnumerable<string> Outputs(RunDirectory run) => [run.Candidates];

    /// <inheritdoc/>
    public override void Execute(StageContext context)
    {
        var workspace = new RunWorkspace(context);
        var partial = Path.Combine(context.Run.Checkpoints(Name), "candidates.jsonl");
        var done = JsonLines.Read<ItemCandidates>(partial).ToDictionary(line => (line.User, line.Item));
        var items = workspace.HistoryItems(context.Recipe.Negatives.ItemsPerUser).ToList();
        var missing = items.Where(pair => !done.ContainsKey((pair.User.Id, pair.Item.Id))).ToList();
        var made = context.Recipe.Negatives.Kind == NegativeKind.Pseudo ? Sample(context, workspace, missing, done.Count) : Borrow(context, workspace, missing);
        foreach (var line in Saving(made, partial)) done[(line.User, line.Item)] = line;

        var poor = done.Values.Count(line => line.Candidates.Count == 0);
        if (poor > 0) context.Log.LogWarning("{Stage}: {Poor} of {Items} history items have no usable candidate and make no preference pair", Name, poor, items.Count);
        AtomicFile.Remove(context.Run.Candidates);
        JsonLines.Write(context.Run.Candidates, items.Select(pair => done[(pair.User.Id, pair.Item.Id)]));
        AtomicFile.Remove(partial);
    }

    /// <summary>Hands lines on and writes them to the disk a few at a time, and what is left when an error comes.</summary>
    static IEnumerable<ItemCandidates> Saving(IEnumerable<ItemCandidates> lines, string path)
    {
        var unwritten = new List<ItemCandidates>();
        try
        {
            foreach (var line in lines)
            {
                unwritten.Add(line);
                if (unwritten.Count >= ItemsPerWrite) Write();
                yield return line;
            }
        }
        finally
        {
            Write();
        }

        // Forgotten before they are written: a write that fails is not tried again, lest lines stand twice.
        void Write()
        {
            var lines = unwritten.ToArray();
            unwritten.Clear();
            if (lines.Length > 0) JsonLines.Append(path, lines);
        }
    }

    IEnumerable<ItemCandidates> Sample(StageContext context, RunWorkspace workspace, List<UserItem> items, int done)
    {
        var settings = context.Recipe.Negatives;
        var maxNewTokens = settings.MaxNewTokens ?? workspace.Task.MaxNewTokens;
        var source = new ExampleSource(workspace, context.Recipe.Sft);
        var options = new CandidateOptions
        {
            Count = settings.Candidates,
            Decoding = new DecodingOptions { Sample = true, Temperature = settings.Temperature, TopP = settings.TopP, TopK = 0, MaxNewTokens = maxNewTokens },
        };
        WordedItem Worded(UserItem pair)
        {
            var (messages, ids) = source.WordedPrompt(pair.Item, maxNewTokens);
            return new WordedItem(new CandidateItem(pair.User.Id, pair.Item.Id, ids, source.AnswerText(pair.Item)), messages);
        }
        var progress = new ItemProgress(context.Progress, Name, done, done + items.Count);
        CandidateSource draw = context.CandidateSource ?? Here(workspace, progress);
        foreach (var set in draw([.. items.Select(Worded)], options, context.Recipe.Seed, context.Cancellation))
        {
            progress.Finished(set.UserId);
            yield return new ItemCandidates { User = set.UserId, Item = set.ItemId, Candidates = [.. set.Texts.Distinct()] };
        }
    }

    CandidateSource Here(RunWorkspace workspace, ItemProgress progress) => (items, options, seed, cancellation) =>
        new CandidateGenerator(workspace.Engine(Name, workspace.Tam, users: null), workspace.Encoder.DecodeResponse, options)
            .Generate(items.Select(item => item.Item), seed, progress, cancellation)
            .Select(set => new DrawnTexts(set.UserId, set.ItemId, [.. set.Candidates.Select(candidate => candidate.Text)]));

    static IEnumerable<ItemCandidates> Borrow(StageContext context, RunWorkspace workspace, List<UserItem> items)
    {
        var source = new ExampleSource(workspace, context.Recipe.Sft);
        var texts = workspace.HistoryItems(null).Select(pair => new OtherText(pair.User.Id, workspace.Template.HistoryInput(pair.Item), source.AnswerText(pair.Item))).ToList();
        var borrowed = new BorrowedNegatives(texts);
        foreach (var (user, item) in items)
        {
            context.Cancellation.ThrowIfCancellationRequested();
            var wanted = new CandidateItem(user.Id, item.Id, [], source.AnswerText(item));
            var found = context.Recipe.Negatives.Kind == NegativeKind.Random ? borrowed.Random(wanted, context.Recipe.Seed) : borrowed.Similar(wanted, workspace.Template.HistoryInput(item));
            yield return new ItemCandidates { User = user.Id, Item = item.Id, Candidates = found is null ? [] : [found.Text] };
        }
    }
}
