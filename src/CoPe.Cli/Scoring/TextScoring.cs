using CoPe.Adapters;
using CoPe.Decoding;
using CoPe.Modeling;
using CoPe.Prompts;
using CoPe.Tokens;

namespace CoPe.Cli.Scoring;

/// <summary>Log-probabilities of one text under a model with several sets of adapters, one set after the other.</summary>
sealed class TextScoring(CausalLm model, ConversationEncoder encoder)
{
    /// <summary>Scores the text as the answer to a prompt, through the chat template and up to the token that ends the turn; without a prompt as plain text.</summary>
    /// <param name="prompt">What the text answers, or null.</param>
    /// <param name="text">The text.</param>
    /// <param name="columns">Names and adapter folders, lowest first; none is the base model.</param>
    /// <param name="cancellation">Looked at before every pass.</param>
    public ScoredText Score(string? prompt, string text, IReadOnlyList<(string Name, IReadOnlyList<string> Adapters)> columns, CancellationToken cancellation)
    {
        var (before, ids, unscored) = prompt is null ? Plain(text) : (encoder.EncodePrompt([new ChatMessage("user", prompt)]), encoder.EncodeResponse(text), 0);
        if (before.Length == 0 || ids.Length == unscored) throw new UsageException("the text has too few tokens to score: give at least one word, or two for a model without a token that begins a text");
        var scored = columns.Select(column => (column.Name, Score(before, ids[unscored..], column.Adapters, cancellation))).ToList();
        return new(ids, Pieces(ids), unscored, scored);
    }

    /// <summary>A plain text begins with what the tokenizer puts in front of one (BOS); where that is nothing, its first token has nothing before it.</summary>
    (int[] Before, int[] Ids, int Unscored) Plain(string text)
    {
        var ids = encoder.Tokenizer.EncodeAsText(text);
        int[] begin = encoder.Tokenizer.BosId is { } bos && encoder.Tokenizer.Encode("").Contains(bos) ? [bos] : [];
        return begin.Length > 0 ? (begin, ids, 0) : (ids[..Math.Min(1, ids.Length)], ids, Math.Min(1, ids.Length));
    }

    IReadOnlyList<float> Score(int[] prompt, int[] response, IReadOnlyList<string> folders, CancellationToken cancellation)
    {
        var banks = new List<AdapterBank>();
        try
        {
            foreach (var folder in folders) banks.Add(AdapterFile.Read(folder, model.Config).MovedTo(model.Device));
            var scorer = new SequenceScorer(model, banks.Count > 0 ? banks[0] : null, banks.Count > 1 ? banks[1] : null);
            var worn = new WornAdapters(banks.Count > 0, banks.Count > 1 ? 0 : -1);
            return scorer.Score([new ScoringItem("text", prompt, [response], [worn])], cancellation)[0].LogProbs;
        }
        finally
        {
            foreach (var bank in banks) bank.Dispose();
        }
    }

    List<string> Pieces(int[] ids)
    {
        var decoder = encoder.Tokenizer.StartDecoding(skipSpecialTokens: false);
        var pieces = ids.Select(decoder.Add).ToList();
        pieces[^1] += decoder.Finish();
        return pieces;
    }
}
