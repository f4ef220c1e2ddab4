using System.Text.Json.Serialization;
using CoPe.Experiments.Negatives;
using CoPe.Experiments.Runs.Recipes;
using CoPe.Scoring;

namespace CoPe.Experiments.Runs.Stages;

/// <summary>
/// Stage 3b: of each item's candidates, the one with the lowest implicit reward becomes the rejected answer.
/// </summary>
sealed class SelectNegativesStage : Stage
{
    /// <summary>Items scored between two progress reports and cancellation.</summary>
    const int ItemsPerChunk = 64;

    /// <summary>
    /// Candidates are drawn by the run's seed already; a random one of them needs no other number than this.
    /// </summary>
    const long SelectionSeed = 0;

    public override StageId Id => StageId.SelectNegatives;

    public override IReadOnlyList<string> RecipeKeys =>
        [
            "task",
            "device",
            "users",
            "block_users",
            "history_limit",
            "development_items",
            "decode_dtype",
            "negatives.select",
            "negatives.reward",
            "negatives.span",
            "sft.max_words",
        ];

    public override InputKinds Reads => InputKinds.Model | InputKinds.Wording | InputKinds.Users;

    internal override UserParts ReadsOfUser(Recipe recipe) => UserParts.History;

    public override IEnumerable<StageId> Needs(Recipe recipe) =>
        [.. StageId.FindTamStage(recipe), StageId.TrainSft, StageId.SampleNegatives];

    public override IEnumerable<StageOutput> Outputs(RunDirectory run) => [new UserLines(run.Pairs)];

    internal override void CheckInputs(RunPreflight preflight) => preflight.CheckHistories();

    internal override bool TakesImport(ImportedNegatives imported) => imported.HasSelections;

    public override void Execute(StageContext context)
    {
        var candidates = JsonLines
            .Read<ItemCandidates>(context.Run.Candidates)
            .Where(line => line.Candidates.Count > 0)
            .ToList();
        var made = JsonLines.Read(context.Run.Pairs, (SelectedPair pair) => (pair.User, pair.Item));
        var missing = candidates.Where(line => !made.ContainsKey((line.User, line.Item))).ToList();
        foreach (var pair in SelectPairs(context, missing))
        {
            made[(pair.User, pair.Item)] = pair;
        }

        var pairs = candidates.Select(line => made.GetValueOrDefault((line.User, line.Item)));
        JsonLines.Write(context.Run.Pairs, pairs.OfType<SelectedPair>()); // An import may have none for an item.
    }

    IReadOnlyList<SelectedPair> SelectPairs(StageContext context, List<ItemCandidates> lines)
    {
        if (lines.Count == 0)
        {
            return [];
        }

        var workspace = context.Workspace;
        var items = workspace.ListHistoryItems(null).ToDictionary(pair => (pair.User.Id, pair.Item.Id));
        if (context.ImportedNegatives is { } imported)
        {
            return new NegativesImport(context, imported).TakePairs(
                lines.Select(line => items[(line.User, line.Item)])
            );
        }

        var dtype = ModelLoader.GetDtypeName(workspace.DecodingModel);
        var chunks = new ChunkedWork<SelectedPair>(context, Id);
        var progress = new ItemProgress(context.Progress, Name, chunks.CompletedItems, lines.Count);
        return chunks.Run(lines, line => line.User, ItemsPerChunk, Select);

        IEnumerable<SelectedPair> Select(IReadOnlyList<ItemCandidates> group)
        {
            var users = group.Select(line => items[(line.User, line.Item)].User);
            using var adapters = new UserAdapterBank(workspace, [UserAdapterKind.Sft], users);
            var scorer = new CandidateScorer(
                new SequenceScorer(workspace.DecodingModel, workspace.Tam, adapters.Bank)
                {
                    Prompts = workspace.Prompts,
                },
                context.Recipe.Negatives.Span,
                hasTaskAdapter: workspace.Tam is not null
            );
            List<CandidatesToScore> toScore =
            [
                .. group.Select(line =>
                    EncodeForScoring(
                        context,
                        workspace,
                        items[(line.User, line.Item)],
                        line,
                        adapters.GetIndex(UserAdapterKind.Sft, line.User)
                    )
                ),
            ];
            var scores = scorer.Score(toScore, context.Cancellation);
            foreach (var line in group)
            {
                progress.ReportFinished(line.User);
            }

            return group
                .Zip(toScore, scores)
                .Select(one => SelectPair(context.Recipe.Negatives, one.First, one.Second, one.Third, dtype));
        }
    }

    static CandidatesToScore EncodeForScoring(
        StageContext context,
        RunWorkspace workspace,
        UserItem item,
        ItemCandidates line,
        int adapter
    )
    {
        var source = new ExampleEncoder(workspace, context.Recipe.Sft);
        var longest = workspace.ContextLength / 2;
        if (context.Recipe.Negatives.Span == RewardSpan.Response)
        {
            var answers = line
                .Candidates.Select(text => Truncate(workspace.Encoder.EncodeResponse(text), longest))
                .ToList();
            var gold = Truncate(source.EncodeAnswer(item.Item), longest);
            return new CandidatesToScore(
                line.User,
                line.Item,
                adapter,
                source.EncodePrompt(item.Item, Math.Max(gold.Count, answers.Max(answer => answer.Count))),
                gold,
                answers
            );
        }

        // The reference's span: prompt and answer as raw text, without template. Where a task has no input, an answer
        // begins as any text does.
        var tokenizer = workspace.Encoder.Tokenizer;
        var raw = Truncate(
            tokenizer.EncodeAsText(
                string.Join(
                    ' ',
                    workspace.Task.InputFields.Select(field => item.Item.Fields.GetValueOrDefault(field, ""))
                )
            ),
            longest
        );
        if (raw.Count == 0 && tokenizer.BosId is { } bos)
        {
            raw = [bos];
        }

        return new CandidatesToScore(
            line.User,
            line.Item,
            adapter,
            raw,
            Truncate(tokenizer.EncodeAsText(source.GetAnswerText(item.Item)), longest),
            [.. line.Candidates.Select(text => Truncate(tokenizer.EncodeAsText(text), longest))]
        );
    }

    static IReadOnlyList<int> Truncate(IReadOnlyList<int> ids, int longest) =>
        ids.Count <= longest ? ids : [.. ids.Take(longest)];

    static SelectedPair SelectPair(
        NegativesOptions settings,
        ItemCandidates line,
        CandidatesToScore item,
        ScoredCandidates score,
        string dtype
    )
    {
        var seed = SeedDerivation.DeriveForItem(SelectionSeed, line.User, line.Item);
        var chosen = NegativeSelector.Select(score.Candidates, settings.Select, settings.Reward, seed);
        return new SelectedPair
        {
            User = line.User,
            Item = line.Item,
            Rejected = line.Candidates[chosen],
            BorrowedFrom = line.BorrowedFrom,
            RejectedReward = score.Candidates[chosen].ComputeReward(settings.Reward),
            ChosenReward = score.Gold.ComputeReward(settings.Reward),
            Rewards = [.. score.Candidates.Select(candidate => candidate.ComputeReward(settings.Reward))],
            Reference =
                settings.Span == RewardSpan.Response ? PairReferenceLogProbs.Create(item, chosen, score, dtype) : null,
        };
    }
}

/// <summary>A line of <c>negatives/pairs.jsonl</c>: the answer rejected for one history item, and why.</summary>
sealed record SelectedPair
{
    /// <summary>The user.</summary>
    public required string User { get; init; }

    /// <summary>The history item.</summary>
    public required string Item { get; init; }

    /// <summary>The rejected answer.</summary>
    public required string Rejected { get; init; }

    /// <summary>The user who wrote it, where it is another user's text; null for an answer of a model.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? BorrowedFrom { get; init; }

    /// <summary>Implicit reward of the rejected answer; null where nothing was scored.</summary>
    public double? RejectedReward { get; init; }

    /// <summary>Implicit reward of the user's own text, scored in the same way.</summary>
    public double? ChosenReward { get; init; }

    /// <summary>Implicit rewards of all candidates, in their order.</summary>
    public IReadOnlyList<double> Rewards { get; init; } = [];

    /// <summary>
    /// What DPO's reference policies say of both answers; null where answers were scored together with their prompts,
    /// or by an earlier version.
    /// </summary>
    public PairReferenceLogProbs? Reference { get; init; }
}
