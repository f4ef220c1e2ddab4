using CoPe.Experiments.Evaluation;
using CoPe.Experiments.Report;
using CoPe.Experiments.Runs.Recipes;
using CoPe.Experiments.Tasks;
using CoPe.Scoring;
using CoPe.Tokens;

namespace CoPe.Experiments.Runs.Stages;

/// <summary>Predictions of the strongest contrastive method token by token, as expert and amateur see them.</summary>
static class TokenTraces
{
    /// <summary>Most predictions traced, one per user.</summary>
    const int MaxTraces = 12;

    /// <summary>Tokens told of each model at each place.</summary>
    const int Alternatives = 4;

    /// <summary>One prediction of each of the first users; none where no contrastive method was run.</summary>
    public static IReadOnlyList<TokenTrace> Compute(StageContext context, RunWorkspace workspace)
    {
        var method = context.Recipe.Methods().LastOrDefault(method => method.Contrasts);
        if (method is null)
        {
            return [];
        }

        var texts = PredictionFile
            .Read(context.Run.Predictions(method.Name))
            .Predictions.ToDictionary(prediction => prediction.Id, prediction => prediction.Output);
        var source = new ExampleEncoder(workspace, context.Recipe.Sft);
        var asked = workspace
            .Dataset.Users.Take(MaxTraces)
            .Select(
                (user, index) =>
                    (
                        User: user,
                        Index: index,
                        Query: user.Queries.FirstOrDefault(query => texts.GetValueOrDefault(query.Id, "").Length > 0)
                    )
            )
            .Where(one => one.Query is not null)
            .ToList();
        using var adapters = new MethodAdapters(workspace, method, context.Recipe);
        var scorer = new SequenceScorer(
            workspace.DecodingModel,
            adapters.Task,
            adapters.Users,
            new ScoringOptions { Alternatives = Alternatives }
        );
        var items = asked
            .Select(one =>
            {
                // Its last id ends the turn and is no word to show.
                var answer = workspace.Encoder.EncodeResponse(texts[one.Query!.Id]);
                return new ScoringItem(
                    one.Query.Id,
                    source.EncodePrompt(one.Query, answer.Length),
                    [answer[..^1]],
                    [adapters.Expert(one.Index), adapters.Amateur(one.Index)!.Value]
                );
            })
            .ToList();
        var scores = scorer.Score(items, context.Cancellation).ToLookup(score => score.ItemId);
        return
        [
            .. asked.Zip(
                items,
                (one, item) =>
                    CreateTrace(
                        workspace,
                        method,
                        one.User.Id,
                        one.Query!,
                        item,
                        [.. scores[item.Id].OrderBy(score => score.Selection)]
                    )
            ),
        ];
    }

    static TokenTrace CreateTrace(
        RunWorkspace workspace,
        PredictionMethod method,
        string user,
        LampQuery query,
        ScoringItem item,
        ScoredResponse[] scores
    ) =>
        new()
        {
            User = user,
            Query = query.Id,
            Input = query.Input,
            Gold = query.Gold,
            Method = method.Title,
            Tokens =
            [
                .. TokenTexts
                    .Split(workspace.Encoder.Tokenizer, item.Responses[0])
                    .Select(piece => new TokenScore
                    {
                        Text = piece.Text,
                        ExpertLogProbability = SumLogProbs(scores[0], piece.First, piece.Count),
                        AmateurLogProbability = SumLogProbs(scores[1], piece.First, piece.Count),
                        ExpertBest = GetAlternatives(workspace, item, scores[0], piece),
                        AmateurBest = GetAlternatives(workspace, item, scores[1], piece),
                    }),
            ],
        };

    static double SumLogProbs(ScoredResponse scores, int first, int count) =>
        scores.LogProbs.Skip(first).Take(count).Sum(logProb => (double)logProb);

    static List<TokenAlternative> GetAlternatives(
        RunWorkspace workspace,
        ScoringItem item,
        ScoredResponse scores,
        (string Text, int First, int Count) piece
    )
    {
        var ids = item.Responses[0];
        return
        [
            .. scores
                .Alternatives[piece.First]
                .Select(chance => new TokenAlternative(
                    chance.Id == ids[piece.First]
                        ? piece.Text
                        : TokenTexts.GetTextAfter(workspace.Encoder.Tokenizer, ids, piece.First, chance.Id),
                    chance.LogProb
                )),
        ];
    }
}

/// <summary>
/// The text that each id adds to an answer. Ids that end inside a character (an emoji takes several) make one piece
/// with those that complete it.
/// </summary>
static class TokenTexts
{
    /// <summary>Ids before a place that decide how one there is spelled.</summary>
    const int ContextIds = 8;

    const char ReplacementCharacter = '\uFFFD';

    /// <summary>
    /// Pieces of the answer in order: their text, the place of their first id, and how many they are.
    /// </summary>
    public static IReadOnlyList<(string Text, int First, int Count)> Split(Tokenizer tokenizer, IReadOnlyList<int> ids)
    {
        var pieces = new List<(string, int, int)>();
        var (before, first) = ("", 0);
        for (var i = 0; i < ids.Count; i++)
        {
            var text = tokenizer.Decode(ids.Take(i + 1), skipSpecialTokens: false);
            if (text.EndsWith(ReplacementCharacter) && i < ids.Count - 1)
            {
                continue;
            }

            pieces.Add(
                (
                    text.StartsWith(before, StringComparison.Ordinal)
                        ? text[before.Length..]
                        : tokenizer.Decode(ids.Take(i + 1).Skip(first), skipSpecialTokens: false),
                    first,
                    i + 1 - first
                )
            );
            (before, first) = (text, i + 1);
        }

        return pieces;
    }

    /// <summary>The text that another id would add at a place of the answer.</summary>
    public static string GetTextAfter(Tokenizer tokenizer, IReadOnlyList<int> ids, int place, int id)
    {
        var context = ids.Take(place).TakeLast(ContextIds).ToList();
        var (before, text) = (
            tokenizer.Decode(context, skipSpecialTokens: false),
            tokenizer.Decode(context.Append(id), skipSpecialTokens: false)
        );
        return text.StartsWith(before, StringComparison.Ordinal)
            ? text[before.Length..]
            : tokenizer.Decode([id], skipSpecialTokens: false);
    }
}
