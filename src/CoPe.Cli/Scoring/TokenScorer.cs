using CoPe.Adapters;
using CoPe.Chat;
using CoPe.Experiments.Runs;
using CoPe.Modeling;
using CoPe.Scoring;

namespace CoPe.Cli.Scoring;

/// <summary>
/// Log-probabilities of one text under a model with several sets of adapters, one set after the other.
/// </summary>
sealed class TokenScorer(CausalLm model, ConversationEncoder encoder)
{
    /// <summary>
    /// Scores the text as the answer to a prompt, through the chat template and up to the token that ends the turn;
    /// without a prompt as plain text.
    /// </summary>
    /// <param name="prompt">What the text answers, or null.</param>
    /// <param name="text">The text.</param>
    /// <param name="columns">Names and adapter folders, lowest first; none is the base model.</param>
    /// <param name="cancellation">Looked at before every pass.</param>
    public ScoredText Score(
        string? prompt,
        string text,
        IReadOnlyList<(string Name, IReadOnlyList<string> Adapters)> columns,
        CancellationToken cancellation
    )
    {
        var (before, ids, unscored) = prompt is null
            ? EncodePlainText(text)
            : (encoder.EncodePrompt([new ChatMessage("user", prompt)]), encoder.EncodeResponse(text), 0);
        if (before.Length == 0 || ids.Length == unscored)
        {
            throw new UsageException(
                "the text has too few tokens to score: give at least one word, or two for a model without a token that begins a text"
            );
        }

        var scored = columns
            .Select(column => (column.Name, Score(before, ids[unscored..], column.Adapters, cancellation)))
            .ToList();
        return new(ids, DecodeTokens(ids), unscored, scored);
    }

    /// <summary>
    /// A plain text begins with what the tokenizer puts in front of one (BOS); where that is nothing, its first token
    /// has nothing before it.
    /// </summary>
    (int[] Before, int[] Ids, int Unscored) EncodePlainText(string text)
    {
        var ids = encoder.Tokenizer.EncodeAsText(text);
        int[] begin = encoder.Tokenizer.BosId is { } bos && encoder.Tokenizer.Encode("").Contains(bos) ? [bos] : [];
        return begin.Length > 0 ? (begin, ids, 0) : (ids[..Math.Min(1, ids.Length)], ids, Math.Min(1, ids.Length));
    }

    IReadOnlyList<float> Score(
        int[] prompt,
        int[] response,
        IReadOnlyList<string> folders,
        CancellationToken cancellation
    )
    {
        var banks = new List<AdapterBank>();
        try
        {
            foreach (var folder in folders)
            {
                banks.Add(AdapterFile.Read(folder, model.Config).MoveTo(model.Device));
            }

            var scorer = new SequenceScorer(
                model,
                banks.Count > 0 ? banks[0] : null,
                banks.Count > 1 ? banks[1] : null
            );
            var adapters = AdapterSelection.Create(banks.Count > 0, banks.Count > 1 ? 0 : null);
            return scorer.Score([new ScoringItem("text", prompt, [response], [adapters])], cancellation)[0].LogProbs;
        }
        finally
        {
            foreach (var bank in banks)
            {
                bank.Dispose();
            }
        }
    }

    List<string> DecodeTokens(int[] ids)
    {
        var decoder = encoder.Tokenizer.CreateStreamingDecoder(skipSpecialTokens: false);
        var pieces = ids.Select(decoder.Add).ToList();
        pieces[^1] += decoder.Finish();
        return pieces;
    }
}

/// <summary>A text's tokens, and log p of each under every column.</summary>
/// <param name="Ids">The tokens' ids.</param>
/// <param name="Texts">What each adds to the text; empty inside a character.</param>
/// <param name="Unscored">Tokens at the beginning that have nothing before them, and so no log-probability.</param>
/// <param name="Columns">Models in order, each with a log-probability for every scored token.</param>
sealed record ScoredText(
    IReadOnlyList<int> Ids,
    IReadOnlyList<string> Texts,
    int Unscored,
    IReadOnlyList<(string Name, IReadOnlyList<float> LogProbs)> Columns
)
{
    /// <summary>log p of the text under a column.</summary>
    public double Sum(int column) => Columns[column].LogProbs.Sum(value => (double)value);

    /// <summary>Its mean per scored token; the negative of the loss.</summary>
    public double Mean(int column) => Sum(column) / Math.Max(1, Columns[column].LogProbs.Count);

    /// <summary><c>exp(-mean)</c></summary>
    public double Perplexity(int column) => Math.Exp(-Mean(column));
}

/// <summary>Which models a text is scored under: the base, those of a run, and adapters named by folder.</summary>
static class ScoreColumns
{
    /// <summary>Names and adapter folders, lowest first, in the order of the table.</summary>
    public static IReadOnlyList<(string Name, IReadOnlyList<string> Adapters)> Create(
        RunDirectory? run,
        string? user,
        IReadOnlyList<string> adapters
    )
    {
        var columns = new List<(string, IReadOnlyList<string>)> { ("base", []) };
        if (run is not null)
        {
            columns.AddRange(CreateForRun(run, user));
        }

        foreach (var folder in adapters)
        {
            columns.Add((UniqueName(folder, columns), [folder]));
        }

        return columns;
    }

    static IEnumerable<(string, IReadOnlyList<string>)> CreateForRun(RunDirectory run, string? user)
    {
        if (!Directory.Exists(run.TamAdapter))
        {
            throw new RunException(
                $"{run.Name} has no task-adaptive model yet: run 'cope train tam --run {run.Name}' first"
            );
        }

        yield return ("tam", [run.TamAdapter]);
        if (user is null)
        {
            yield break;
        }

        (string Name, string Folder)[] own = [("sft", run.SftAdapter(user)), ("dpo", run.DpoAdapter(user))];
        if (!own.Any(adapter => Directory.Exists(adapter.Folder)))
        {
            throw new RunException($"{run.Name} has no adapter of user '{user}'{DescribeKnownUsers(run, user)}");
        }

        foreach (var (name, folder) in own.Where(adapter => Directory.Exists(adapter.Folder)))
        {
            yield return (name, [run.TamAdapter, folder]);
        }
    }

    static string DescribeKnownUsers(RunDirectory run, string user)
    {
        var known = TrainedUsers.List(run);
        return known.Count == 0
            ? $": run 'cope train sft --run {run.Name}' first"
            : $"{NearestName.Hint(user, known)} (there are {known.Count}: {string.Join(", ", known.Take(5))}{(known.Count > 5 ? ", ..." : "")})";
    }

    static string UniqueName(string folder, List<(string Name, IReadOnlyList<string>)> columns)
    {
        var name = Path.GetFileName(Path.TrimEndingDirectorySeparator(folder));
        return columns.Any(column => column.Name == name) ? $"{name}-{columns.Count}" : name;
    }
}
