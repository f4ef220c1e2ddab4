namespace CoPe.Cli.Scoring;

/// <summary>A text's tokens, and log p of each under every column.</summary>
/// <param name="Ids">The tokens' ids.</param>
/// <param name="Texts">What each adds to the text; empty inside a character.</param>
/// <param name="Unscored">Tokens at the beginning that have nothing before them, and so no log-probability.</param>
/// <param name="Columns">Models in order, each with a log-probability for every scored token.</param>
sealed record ScoredText(IReadOnlyList<int> Ids, IReadOnlyList<string> Texts, int Unscored, IReadOnlyList<(string Name, IReadOnlyList<float> LogProbs)> Columns)
{
    /// <summary>log p of the text under a column.</summary>
    public double Sum(int column) => Columns[column].LogProbs.Sum(value => (double)value);

    /// <summary>Its mean per scored token; the negative of the loss.</summary>
    public double Mean(int column) => Sum(column) / Math.Max(1, Columns[column].LogProbs.Count);

    /// <summary><c>exp(-mean)</c></summary>
    public double Perplexity(int column) => Math.Exp(-Mean(column));
}
