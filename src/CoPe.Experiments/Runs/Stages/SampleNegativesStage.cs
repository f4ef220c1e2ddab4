using CoPe.Experiments.Negatives;
using CoPe.Experiments.Runs.Recipes;
using Microsoft.Extensions.Logging;

namespace CoPe.Experiments.Runs.Stages;

/// <summary>
/// Stage 3a: answers sampled from the task-adaptive model on every user's own history, all users in one queue; or texts
/// borrowed from other users.
/// </summary>
sealed class SampleNegativesStage : Stage
{
    /// <summary>Items between two writes to the disk where they do not decode together.</summary>
    const int ItemsPerWrite = 32;

    public override StageId Id => StageId.SampleNegatives;

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
            "negatives.kind",
            "negatives.candidates",
            "negatives.items_per_user",
            "negatives.temperature",
            "negatives.top_p",
            "negatives.max_new_tokens",
            "sft.max_words",
        ];

    public override InputKinds Reads => InputKinds.Model | InputKinds.Wording | InputKinds.Users;

    internal override UserParts ReadsOfUser(Recipe recipe) =>
        recipe.Negatives.Kind == NegativeKind.Pseudo ? UserParts.History : UserParts.None;

    public override IEnumerable<StageId> Needs(Recipe recipe) => StageId.FindTamStage(recipe);

    public override IEnumerable<StageOutput> Outputs(RunDirectory run) => [new UserLines(run.Candidates)];

    internal override IEnumerable<StageOutput> PartialOutputs(RunDirectory run) =>
        [new UserLines(StoredCandidates.GetPartialFile(run, Id))];

    internal override bool TakesImport(ImportedNegatives imported) => true;

    public override string? FindConflict(StageContext context, StageStatus status) =>
        new StoredCandidates(context, Id).FindConflict(status);

    internal override void CheckInputs(RunPreflight preflight)
    {
        var context = preflight.Context;
        preflight.CheckModel();
        preflight.CheckHistories(GetMaxNewTokens(context, context.Workspace));
        if (context.ImportedNegatives is { } imported)
        {
            var items = context.Workspace.ListHistoryItems(context.Recipe.Negatives.ItemsPerUser);
            new NegativesImport(context, imported).Check([.. items]);
        }
    }

    public override void Execute(StageContext context)
    {
        var stored = new StoredCandidates(context, Id);
        stored.ResolveConflict();
        var workspace = context.Workspace;
        var items = workspace.ListHistoryItems(context.Recipe.Negatives.ItemsPerUser).ToList();
        var made = JsonLines.Read(context.Run.Candidates, (ItemCandidates line) => (line.User, line.Item));
        var missing = items.Where(pair => !made.ContainsKey((pair.User.Id, pair.Item.Id))).ToList();
        foreach (var line in Sample(context, workspace, missing, stored))
        {
            made[(line.User, line.Item)] = line;
        }

        var all = items.Select(pair => made[(pair.User.Id, pair.Item.Id)]).ToList();
        var poor = all.Count(line => line.Candidates.Count == 0);
        if (poor > 0)
        {
            context.Log.LogWarning(
                "{Stage}: {Poor} of {Items} history items have no usable candidate and make no preference pair",
                Name,
                poor,
                items.Count
            );
        }

        // The checkpoints go once the stage is marked as complete: until then they are what a kill leaves of paid
        // answers.
        JsonLines.Write(context.Run.Candidates, all);
    }

    IEnumerable<ItemCandidates> Sample(
        StageContext context,
        RunWorkspace workspace,
        List<UserItem> items,
        StoredCandidates stored
    )
    {
        if (items.Count == 0)
        {
            return [];
        }

        if (context.ImportedNegatives is { } imported)
        {
            return new NegativesImport(context, imported).TakeCandidates(items);
        }

        var chunks = new ChunkedWork<ItemCandidates>(context, Id);
        if (context.Recipe.Negatives.Kind != NegativeKind.Pseudo)
        {
            return chunks.Run(items, GetUser, ItemsPerWrite, BorrowTexts(context, workspace));
        }

        return context.CandidateEndpoint is { } endpoint
            ? SampleFromEndpoint(context, workspace, endpoint, items, stored.PartialFile)
            : SampleInChunks(context, workspace, chunks, items);
    }

    static string GetUser(UserItem item) => item.User.Id;

    /// <summary>Here, in chunks, so that the same items decode together whatever was interrupted.</summary>
    IReadOnlyList<ItemCandidates> SampleInChunks(
        StageContext context,
        RunWorkspace workspace,
        ChunkedWork<ItemCandidates> chunks,
        List<UserItem> items
    )
    {
        var size = ChunkSize.Compute(
            workspace.DecodingModel,
            workspace.RowsPerPass,
            context.Recipe.Negatives.Candidates,
            GetMaxNewTokens(context, workspace)
        );
        var progress = new ItemProgress(context.Progress, Name, chunks.CompletedItems, items.Count);
        var responses = new ResponseDecoder(workspace.Encoder);
        var lines = chunks.Run(
            items,
            GetUser,
            size,
            chunk => DrawCandidates(context, workspace, SampleLocally(workspace, responses, progress), chunk, progress)
        );
        responses.WarnIfUnfinished(context.Log, Name, "negatives.max_new_tokens");
        return lines;
    }

    /// <summary>Elsewhere, where answers come one by one and cost money: each is kept.</summary>
    IReadOnlyCollection<ItemCandidates> SampleFromEndpoint(
        StageContext context,
        RunWorkspace workspace,
        CandidateEndpoint endpoint,
        List<UserItem> items,
        string partial
    )
    {
        var done = JsonLines.Read(partial, (ItemCandidates line) => (line.User, line.Item));
        var progress = new ItemProgress(context.Progress, Name, done.Count, items.Count);
        var missing = items.Where(pair => !done.ContainsKey((pair.User.Id, pair.Item.Id))).ToList();
        var drawn = DrawCandidates(context, workspace, endpoint.Draw, missing, progress)
            .Select(line => line with { Source = endpoint.Name });
        foreach (var line in SaveWhileEnumerating(drawn, partial))
        {
            done[(line.User, line.Item)] = line;
        }

        return [.. done.Values];
    }

    /// <summary>
    /// Hands lines on and writes them to the disk a few at a time, and what is left when an error comes.
    /// </summary>
    static IEnumerable<ItemCandidates> SaveWhileEnumerating(IEnumerable<ItemCandidates> lines, string path)
    {
        var unwritten = new List<ItemCandidates>();
        try
        {
            foreach (var line in lines)
            {
                unwritten.Add(line);
                if (unwritten.Count >= ItemsPerWrite)
                {
                    Write();
                }

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
            if (lines.Length > 0)
            {
                JsonLines.Append(path, lines);
            }
        }
    }

    static int GetMaxNewTokens(StageContext context, RunWorkspace workspace) =>
        context.Recipe.Negatives.MaxNewTokens ?? workspace.Task.MaxNewTokens;

    static IEnumerable<ItemCandidates> DrawCandidates(
        StageContext context,
        RunWorkspace workspace,
        CandidateSource draw,
        IReadOnlyList<UserItem> items,
        ItemProgress progress
    )
    {
        var settings = context.Recipe.Negatives;
        var maxNewTokens = GetMaxNewTokens(context, workspace);
        var source = new ExampleEncoder(workspace, context.Recipe.Sft);
        var options = settings with { MaxNewTokens = maxNewTokens };
        var stopTokenIds = workspace.StopTokenIds;
        CandidateRequest Worded(UserItem pair)
        {
            var (messages, ids) = source.BuildPrompt(pair.Item, maxNewTokens);
            return new CandidateRequest(
                new CandidateItem(pair.User.Id, pair.Item.Id, ids, source.GetAnswerText(pair.Item)),
                messages,
                stopTokenIds
            );
        }
        foreach (var set in draw([.. items.Select(Worded)], options, context.Recipe.Seed, context.Cancellation))
        {
            progress.ReportFinished(set.UserId);
            yield return new ItemCandidates
            {
                User = set.UserId,
                Item = set.ItemId,
                Candidates = [.. set.Texts.Distinct()],
            };
        }
    }

    CandidateSource SampleLocally(RunWorkspace workspace, ResponseDecoder responses, ItemProgress progress) =>
        (items, options, seed, cancellation) =>
            new CandidateGenerator(
                workspace.CreateEngine(Name, workspace.Tam, users: null),
                responses.Decode,
                options,
                hasTaskAdapter: workspace.Tam is not null
            )
                .Generate(items.Select(item => item.Item), seed, progress, cancellation)
                .Select(set => new CandidateTexts(
                    set.UserId,
                    set.ItemId,
                    [.. set.Candidates.Select(candidate => candidate.Text)]
                ));

    static Func<IReadOnlyList<UserItem>, IEnumerable<ItemCandidates>> BorrowTexts(
        StageContext context,
        RunWorkspace workspace
    )
    {
        var source = new ExampleEncoder(workspace, context.Recipe.Sft);
        var texts = workspace
            .ListHistoryItems(null)
            .Select(pair => new OtherUserText(
                pair.User.Id,
                workspace.Template.FormatHistoryItem(pair.Item),
                source.GetAnswerText(pair.Item)
            ))
            .ToList();
        var borrowed = new OtherUserNegatives(texts);
        return items =>
            items.Select(pair =>
            {
                context.Cancellation.ThrowIfCancellationRequested();
                var wanted = new CandidateItem(pair.User.Id, pair.Item.Id, [], source.GetAnswerText(pair.Item));
                var found =
                    context.Recipe.Negatives.Kind == NegativeKind.Random
                        ? borrowed.DrawRandom(wanted, context.Recipe.Seed)
                        : borrowed.FindSimilar(wanted, workspace.Template.FormatHistoryItem(pair.Item));
                return new ItemCandidates
                {
                    User = pair.User.Id,
                    Item = pair.Item.Id,
                    Candidates = found is null ? [] : [found.Text],
                    BorrowedFrom = found?.UserId,
                };
            });
    }
}
