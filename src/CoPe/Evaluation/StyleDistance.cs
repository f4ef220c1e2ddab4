namespace CoPe.Evaluation;

/// <summary>How far a text's manner is from that of a user's own texts, each part and the whole between 0 (alike) and 1.</summary>
/// <remarks>
/// Words, marks and case are shares that sum to 1, compared by total variation. <code>TV(p, q) = 1/2 sum |p_i - q_i|</code>
/// It looks at manner alone: a text on another subject in the user's manner is near. Function words are English.
/// </remarks>
/// <param name="FunctionWords">Between the shares of each function word and of all other words.</param>
/// <param name="Punctuation">Between the shares of each mark among words and marks.</param>
/// <param name="Length">Of the word count from the user's mean. <code>1 - min / max</code></param>
/// <param name="Case">Between the shares of words in lower case, with a capital, in capitals, and without case.</param>
public sealed record StyleDistance(double FunctionWords, double Punctuation, double Length, double Case)
{
    /// <summary>The mean of the four parts.</summary>
    public double Total => (FunctionWords + Punctuation + Length + Case) / 4;

    /// <summary>The distance of a text from a user's own.</summary>
    /// <param name="text">The text to judge.</param>
    /// <param name="own">The user's texts, one or more.</param>
    /// <exception cref="ArgumentException">The user has no text.</exception>
    public static StyleDistance Between(string text, IEnumerable<string> own)
    {
        var profile = StyleProfile.Of(own);
        if (profile.Texts == 0) throw new ArgumentException("A style needs at least one text of the user; found none.", nameof(own));
        return profile.DistanceTo(StyleProfile.Of([text]));
    }
}
