namespace CoPe.Tokens.Pipeline;

/// <summary>The tidying of English spacing that transformers calls clean_up_tokenization.</summary>
internal static class EnglishSpacing
{
    static readonly (string From, string To)[] Rules =
        [(" .", "."), (" ?", "?"), (" !", "!"), (" ,", ","), (" ' ", "'"), (" n't", "n't"), (" 'm", "'m"), (" 's", "'s"), (" 've", "'ve"), (" 're", "'re")];

    public static string CleanUp(string text) =>
        Rules.Aggregate(text, (now, rule) => now.Replace(rule.From, rule.To, StringComparison.Ordinal));
}
