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
        var scorer = new SequenceScorer(workspace.DecodingModel, adapters.Task, adapters.Users);
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
            .. item.Responses[0].Select((id, place) => new TokenScore
            {
                Text = workspace.Encoder.Tokenizer.Decode([id], skipSpecialTokens: false),
                ExpertLogProbability = scores[0].LogProbs[place],
                AmateurLogProbability = scores[1].LogProbs[place],
            }),
        ],
    };
}
