using CoPe.Data;
using CoPe.Negatives;
using CoPe.Runs.Recipes;

namespace CoPe.Runs.Stages;

/// <summary>Stage 3b: of each item's candidates, the one with the lowest implicit reward becomes the rejected answer.</summary>
sealed class SelectNegativesStage : Stage
{
    /// <summary>Items scored between two looks at progress and cancellation.</summary>
    const int ItemsAtOnce = 64;

    /// <inheritdoc/>
    public override string Name => "negatives select";

    /// <inheritdoc/>
    public override IReadOnlyList<string> RecipeKeys => ["task", "users", "history_limit", "development_items", "decode_dtype", "negatives.select", "negatives.reward", "negatives.span", "sft.max_words"];

    /// <inheritdoc/>
    public override StageFiles Reads => StageFiles.Model | StageFiles.Task | StageFiles.Users;

    /// <inheritdoc/>
    public override IEnumerable<string> Needs(Recipe recipe) => ["train tam", "train sft", "negatives sample"];

    /// <inheritdoc/>
    public override bool IsIn(Recipe recipe) => recipe.Methods().Any(method => method.UserAdapter == UserAdapterKind.Dpo);

    /// <inheritdoc/>
    public override IEnumerable<string> Outputs(RunDirectory run) => [run.Pairs];

    /// <inheritdoc/>
    public override void Execute(StageContext context)
    {
        var workspace = new RunWorkspace(context);
        var items = workspace.HistoryItems(null).ToDictionary(pair => (pair.User.Id, pair.Item.Id));
        var all = JsonLines.Read<ItemCandidates>(context.Run.Candidates).Where(line => line.Candidates.Count > 0).ToList();
        var dtype = PairReference.DtypeOf(workspace.DecodingModel);
        var scorer = new CandidateScorer(workspace.Scorer(UserAdapterKind.Sft), context.Recipe.Negatives.Span);
        var portions = new Portions<SelectedPair>(context, Name);
        var progress = new ItemProgress(context.Progress, Name, portions.Done, all.Count);
        JsonLines.Write(context.Run.Pairs, portions.Run(all, ItemsAtOnce, group =>
        {
            List<ItemToScore> toScore = [.. group.Select(line => ToScore(context, workspace, items[(line.User, line.Item)], line))];
            var scores = scorer.Score(toScore, context.Cancellation);
            foreach (var line in group) progress.Finished(line.User);
            return group.Zip(toScore, scores).Select(one => Select(context.Recipe.Negatives, one.First, one.Second, one.Third, dtype));
        }));
    }

    static ItemToScore ToScore(StageContext context, RunWorkspace workspace, UserItem item, ItemCandidates line)
    {
        var source = new ExampleSource(workspace, context.Recipe.Sft);
        var index = workspace.IndexOf(item.User.Id);
        var longest = workspace.ContextLength / 2;
        if (context.Recipe.Negatives.Span == RewardSpan.Response)
        {
            var answers = line.Candidates.Select(text => Cut(workspace.Encoder.EncodeResponse(text), longest)).ToList();
            var gold = Cut(source.Answer(item.Item), longest);
            return new ItemToScore(line.User, line.Item, index, source.Prompt(item.Item, Math.Max(gold.Count, answers.Max(answer => answer.Count))), gold, answers);
        }

        // The reference's span: prompt and answer as raw text, without template. Where a task has no input, an answer begins as any text does.
        var tokenizer = workspace.Encoder.Tokenizer;
        var raw = Cut(tokenizer.EncodeAsText(string.Join(' ', workspace.Task.InputFields.Select(field => item.Item.Fields.GetValueOrDefault(field, "")))), longest);
        if (raw.Count == 0 && tokenizer.BosId is { } bos) raw = [bos];
        return new ItemToScore(line.User, line.Item, index, raw, Cut(tokenizer.EncodeAsText(source.AnswerText(item.Item)), longest),
            [.. line.Candidates.Select(text => Cut(tokenizer.EncodeAsText(text), longest))]);
    }

    static IReadOnlyList<int> Cut(IReadOnlyList<int> ids, int longest) => ids.Count <= longest ? ids : [.. ids.Take(longest)];

    static SelectedPair Select(NegativesSettings settings, ItemCandidates line, ItemToScore item, ScoredItem score, string dtype)
    {
        var chosen = NegativeSelector.Select(score.Candidates, settings.Select, settings.Reward);
        return new SelectedPair
        {
            User = line.User,
            Item = line.Item,
            Rejected = line.Candidates[chosen],
            RejectedReward = score.Candidates[chosen].Reward(settings.Reward),
            ChosenReward = score.Gold.Reward(settings.Reward),
            Rewards = [.. score.Candidates.Select(candidate => candidate.Reward(settings.Reward))],
            Reference = settings.Span == RewardSpan.Response ? PairReference.Of(item, chosen, score, dtype) : null,
        };
    }
}
