using CoPe.Decoding;
using CoPe.Evaluation;
using CoPe.Evaluation.Report;
using CoPe.Runs.Recipes;

namespace CoPe.Runs.Stages;

/// <summary>Predictions of the strongest contrastive method token by token, as expert and amateur see them.</summary>
static class RunTraces
{
    /// <summary>Most predictions traced, one per user.</summary>
    const int Most = 12;

    /// <summary>Tokens told of each model at each place.</summary>
    const int Alternatives = 4;

    /// <summary>One prediction of each of the first users; none where no contrastive method was run.</summary>
    public static IReadOnlyList<TokenTrace> Of(StageContext context, RunWorkspace workspace)
    {
        var method = context.Recipe.Methods().LastOrDefault(method => method.Contrasts);
        if (method is null) return [];
        var texts = PredictionFile.Read(context.Run.Predictions(method.Name)).Predictions.ToDictionary(prediction => prediction.Id, prediction => prediction.Output);
        var source = new ExampleSource(workspace, context.Recipe.Sft);
        var asked = workspace.Dataset.Users.Take(Most).Select((user, index) => (User: user, Index: index, Query: user.Queries.FirstOrDefault(query => texts.GetValueOrDefault(query.Id, "").Length > 0)))
            .Where(one => one.Query is not null).ToList();
        using var adapters = new MethodAdapters(workspace, method, context.Recipe);
        var scorer = new SequenceScorer(workspace.DecodingModel, adapters.Task, adapters.Users, new ScoringOptions { Alternatives = Alternatives });
        var items = asked.Select(one =>
        {
            var answer = workspace.Encoder.EncodeResponse(texts[one.Query!.Id]); // its last id ends the turn and is no word to show
            return new ScoringItem(one.Query.Id, source.Prompt(one.Query, answer.Length), [answer[..^1]], [adapters.Expert(one.Index), adapters.Amateur(one.Index)!.Value]);
        }).ToList();
        var scores = scorer.Score(items, context.Cancellation).ToLookup(score => score.ItemId);
        return [.. asked.Zip(items, (one, item) => Trace(workspace, method, one.User.Id, one.Query!, item, [.. scores[item.Id].OrderBy(score => score.Policy)]))];
    }

    static TokenTrace Trace(RunWorkspace workspace, PredictionMethod method, string user, Data.LampQuery query, ScoringItem item, ScoredResponse[] scores) => new()
    {
        User = user,
        Query = query.Id,
        Input = query.Input,
        Gold = query.Gold,
        Method = method.Title,
        Tokens =
        [
            .. TokenTexts.Of(workspace.Encoder.Tokenizer, item.Responses[0]).Select(piece => new TokenScore
            {
                Text = piece.Text,
                ExpertLogProbability = Sum(scores[0], piece.First, piece.Count),
                AmateurLogProbability = Sum(scores[1], piece.First, piece.Count),
                ExpertBest = Best(workspace, item, scores[0], piece),
                AmateurBest = Best(workspace, item, scores[1], piece),
            }),
        ],
    };

    static double Sum(ScoredResponse scores, int first, int count) => scores.LogProbs.Skip(first).Take(count).Sum(logProb => (double)logProb);

    static List<TokenAlternative> Best(RunWorkspace workspace, ScoringItem item, ScoredResponse scores, (string Text, int First, int Count) piece)
    {
        var ids = item.Responses[0];
        return [.. scores.Alternatives[piece.First].Select(chance =>
            new TokenAlternative(chance.Id == ids[piece.First] ? piece.Text : TokenTexts.After(workspace.Encoder.Tokenizer, ids, piece.First, chance.Id), chance.LogProb))];
    }
}
