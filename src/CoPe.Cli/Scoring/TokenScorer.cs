using CoPe.Adapters;
using CoPe.Chat;
using CoPe.Cli.Failures;
using CoPe.Experiments.Runs.Artifacts;
using CoPe.Experiments.Runs.Recipes;
using CoPe.Modeling;
using CoPe.Scoring;

namespace CoPe.Cli.Scoring;

/// <summary>Log-probabilities of one text's tokens under a model with several sets of adapters.</summary>
sealed class TokenScorer(CausalLm model, ConversationEncoder encoder)
{
    /// <summary>
    /// Scores the text as the answer to a prompt, through the chat template and up to the token that ends the turn;
    /// without a prompt as plain text.
    /// </summary>
    /// <param name="prompt">The user's turn before the text, or null.</param>
    /// <param name="text">The text.</param>
    /// <param name="columns">The models to score under, one after the other.</param>
    /// <param name="cancellation">Checked before every pass.</param>
    /// <exception cref="UsageException">No token is left to score.</exception>
    public ScoredText Score(
        string? prompt,
        string text,
        IReadOnlyList<ScoreColumn> columns,
        CancellationToken cancellation
    )
    {
        var (context, ids, unscored) = prompt is null ? EncodePlainText(text) : EncodeAnswer(prompt, text);
        if (context.Length == 0 || ids.Length == unscored)
        {
            throw new UsageException(
                "the text has too few tokens to score: "
                    + "give at least one word, or two for a model without a token that begins a text"
            );
        }

        var scored = columns
            .Select(column => new ScoredColumn(
                column.Name,
                Score(context, ids[unscored..], column.AdapterFolders, cancellation)
            ))
            .ToList();
        return new(ids, DecodeTokens(ids), unscored, scored);
    }

    (int[] Context, int[] Ids, int Unscored) EncodeAnswer(string prompt, string text) =>
        (encoder.EncodePrompt([new ChatMessage("user", prompt)]), encoder.EncodeResponse(text), 0);

    /// <summary>
    /// A plain text follows what the tokenizer puts in front of one (BOS); where that is nothing, its first token has
    /// no context and stays unscored.
    /// </summary>
    (int[] Context, int[] Ids, int Unscored) EncodePlainText(string text)
    {
        var ids = encoder.Tokenizer.EncodeAsText(text);
        if (encoder.Tokenizer.BosId is { } bos && encoder.Tokenizer.Encode("").Contains(bos))
        {
            return ([bos], ids, 0);
        }

        var first = Math.Min(1, ids.Length);
        return (ids[..first], ids, first);
    }

    IReadOnlyList<float> Score(
        int[] prompt,
        int[] response,
        IReadOnlyList<string> adapterFolders,
        CancellationToken cancellation
    )
    {
        var banks = new List<AdapterBank>();
        try
        {
            foreach (var folder in adapterFolders)
            {
                banks.Add(AdapterFile.Read(folder, model.Config).MoveTo(model.Device));
                AdapterFile.CheckCopiesOfBase(folder, model);
            }

            var scorer = new SequenceScorer(model, banks.ElementAtOrDefault(0), banks.ElementAtOrDefault(1));
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

/// <summary>A text's tokens, and the log-probability of each in every column.</summary>
/// <param name="TokenIds">The tokens' ids.</param>
/// <param name="TokenTexts">What each adds to the text; empty inside a character.</param>
/// <param name="Unscored">Tokens at the beginning that have no context, and so no log-probability.</param>
/// <param name="Columns">Models in order, each with a log-probability for every scored token.</param>
sealed record ScoredText(
    IReadOnlyList<int> TokenIds,
    IReadOnlyList<string> TokenTexts,
    int Unscored,
    IReadOnlyList<ScoredColumn> Columns
);

/// <summary>A text's log-probabilities under one model.</summary>
/// <param name="Name">Name of the model in the table.</param>
/// <param name="LogProbs">The natural logarithm of each scored token's probability.</param>
sealed record ScoredColumn(string Name, IReadOnlyList<float> LogProbs)
{
    /// <summary>Log-probability of the text.</summary>
    public double Sum => LogProbs.Sum(value => (double)value);

    /// <summary>Its mean per scored token; the negative of the loss.</summary>
    public double Mean => Sum / Math.Max(1, LogProbs.Count);

    /// <summary><c>exp(-mean)</c></summary>
    public double Perplexity => Math.Exp(-Mean);
}

/// <summary>A model that a text is scored under.</summary>
/// <param name="Name">Its name in the table.</param>
/// <param name="AdapterFolders">Folders of its adapters, lowest first; none for the base model.</param>
sealed record ScoreColumn(string Name, IReadOnlyList<string> AdapterFolders)
{
    /// <summary>The base model, those of a run and a user, and adapters given by folder, in this order.</summary>
    /// <exception cref="Experiments.Runs.RunException">
    /// The run lacks the adapter of its task or of the user, or it is out of date.
    /// </exception>
    public static IReadOnlyList<ScoreColumn> List(RunAdapters? run, string? user, IReadOnlyList<string> adapterFolders)
    {
        var columns = new List<ScoreColumn> { new("base", []) };
        if (run is not null)
        {
            columns.AddRange(ListForRun(run, user));
        }

        foreach (var folder in adapterFolders)
        {
            columns.Add(new(UniqueName(folder, columns), [folder]));
        }

        return columns;
    }

    static IEnumerable<ScoreColumn> ListForRun(RunAdapters run, string? user)
    {
        string[] task = run.FindTam() is { } folder ? [folder] : [];
        if (!run.UsesBaseAsTam)
        {
            yield return new("tam", task);
        }

        var adapters = user is null ? [] : run.FindAllOfUser(user);
        foreach (var adapter in adapters.OrderBy(adapter => adapter.Kind))
        {
            var name = adapter.Kind == UserAdapterKind.Dpo ? "dpo" : "sft";
            yield return new(name, [.. task, adapter.Folder]);
        }
    }

    static string UniqueName(string folder, List<ScoreColumn> columns)
    {
        var name = Path.GetFileName(Path.TrimEndingDirectorySeparator(folder));
        return columns.Any(column => column.Name == name) ? $"{name}-{columns.Count}" : name;
    }
}
