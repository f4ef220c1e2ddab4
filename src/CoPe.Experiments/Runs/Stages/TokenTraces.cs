using CoPe.Decoding;
using CoPe.Experiments.Data;
using CoPe.Experiments.Evaluation;
using CoPe.Experiments.Report;
using CoPe.Experiments.Tasks;
using CoPe.Scoring;
using CoPe.Tokens;

namespace CoPe.Experiments.Runs.Stages;

/// <summary>Predictions of the strongest contrastive method token by token, as expert and amateur score them.</summary>
static class TokenTraces
{
    /// <summary>Most predictions traced, one per user.</summary>
    const int MaxTraces = 12;

    /// <summary>Likeliest tokens recorded of each model at each position.</summary>
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
        var examples = new ExampleEncoder(workspace, context.Recipe.Sft);
        var traced = workspace
            .Dataset.Users.Take(MaxTraces)
            .Where(user => user.Queries.Any(query => texts.GetValueOrDefault(query.Id, "").Length > 0))
            .ToList();
        if (traced.Count == 0)
        {
            return [];
        }

        using var adapters = new MethodAdapters(workspace, method, context.Recipe, traced);
        var scorer = new SequenceScorer(
            workspace.DecodingModel,
            adapters.Task,
            adapters.Users,
            new ScoringOptions { Alternatives = Alternatives }
        );
        var queries = new List<(LampUser User, LampQuery Query)>();
        var items = new List<ScoringItem>();
        foreach (var user in traced)
        {
            var query = user.Queries.First(query => texts.GetValueOrDefault(query.Id, "").Length > 0);
            var answer = workspace.Encoder.EncodeResponse(texts[query.Id]);
            var prompt = examples.EncodePrompt(query, answer.Length);
            var shown = answer[..^1]; // the last id ends the turn and is no word to show
            queries.Add((user, query));
            items.Add(new(query.Id, prompt, [shown], [adapters.Expert(user.Id), adapters.Amateur(user.Id)!.Value]));
        }

        var scores = scorer.Score(items, context.Cancellation).ToLookup(score => score.ItemId);
        return
        [
            .. queries.Zip(
                items,
                (query, item) =>
                    new TokenTrace
                    {
                        User = query.User.Id,
                        Query = query.Query.Id,
                        Input = query.Query.Input,
                        Gold = query.Query.Gold,
                        Method = method.Title,
                        Tokens = CreateTokens(
                            workspace.Encoder.Tokenizer,
                            item.Responses[0],
                            [.. scores[item.Id].OrderBy(score => score.Selection)],
                            context.Recipe.Decode.Decoding
                        ),
                    }
            ),
        ];
    }

    /// <summary>The tokens of an answer, scored by expert and amateur.</summary>
    static List<TokenScore> CreateTokens(
        Tokenizer tokenizer,
        IReadOnlyList<int> ids,
        ScoredResponse[] scores,
        DecodingOptions options
    )
    {
        var (expert, amateur) = (scores[0], scores[1]);
        return
        [
            .. TokenTexts
                .Split(tokenizer, ids)
                .Select(piece => new TokenScore
                {
                    Text = piece.Text,
                    ExpertLogProbability = SumLogProbs(expert, piece.First, piece.Count),
                    AmateurLogProbability = SumLogProbs(amateur, piece.First, piece.Count),
                    WithoutContrast = ContrastWeight.IsLeftOut(options, amateur, piece.First),
                    ExpertBest = GetAlternatives(tokenizer, ids, expert, piece),
                    AmateurBest = GetAlternatives(tokenizer, ids, amateur, piece),
                }),
        ];
    }

    static double SumLogProbs(ScoredResponse scores, int first, int count) =>
        scores.LogProbs.Skip(first).Take(count).Sum(logProb => (double)logProb);

    /// <summary>The likeliest tokens at the first id of a piece, as the texts they would add.</summary>
    static List<TokenAlternative> GetAlternatives(
        Tokenizer tokenizer,
        IReadOnlyList<int> ids,
        ScoredResponse scores,
        (string Text, int First, int Count) piece
    )
    {
        return
        [
            .. scores.Alternatives[piece.First].Select(token => new TokenAlternative(GetText(token.Id), token.LogProb)),
        ];

        string GetText(int id) =>
            id == ids[piece.First] ? piece.Text : TokenTexts.GetTextAfter(tokenizer, ids, piece.First, id);
    }
}

/// <summary>
/// The text that each id adds to an answer. Ids that end inside a character (an emoji takes several) make one piece
/// with those that complete it.
/// </summary>
static class TokenTexts
{
    /// <summary>Ids before a position that decide how one there is decoded.</summary>
    const int ContextIds = 8;

    const char ReplacementCharacter = '\uFFFD';

    /// <summary>
    /// Pieces of the answer in order: their text, the position of their first id, and how many ids they have.
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

            var added = text.StartsWith(before, StringComparison.Ordinal)
                ? text[before.Length..]
                : tokenizer.Decode(ids.Take(i + 1).Skip(first), skipSpecialTokens: false);
            pieces.Add((added, first, i + 1 - first));
            (before, first) = (text, i + 1);
        }

        return pieces;
    }

    /// <summary>The text that another id would add at a position of the answer.</summary>
    public static string GetTextAfter(Tokenizer tokenizer, IReadOnlyList<int> ids, int position, int id)
    {
        var context = ids.Take(position).TakeLast(ContextIds).ToList();
        var before = tokenizer.Decode(context, skipSpecialTokens: false);
        var text = tokenizer.Decode(context.Append(id), skipSpecialTokens: false);
        return text.StartsWith(before, StringComparison.Ordinal)
            ? text[before.Length..]
            : tokenizer.Decode([id], skipSpecialTokens: false);
    }
}
