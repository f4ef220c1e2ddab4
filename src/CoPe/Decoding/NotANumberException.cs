namespace CoPe.Decoding;

/// <summary>A model gave scores that are not numbers, so that no token can be chosen or scored by them.</summary>
public sealed class NotANumberException : Exception
{
    /// <summary>Scores of a request or an item, after so many tokens of its answer.</summary>
    public NotANumberException(string id, int tokens)
        : base($"'{id}': after {tokens} tokens of the answer the model's scores are not numbers (NaN): its weights, or those of an adapter that it wears, hold NaN or infinity. Look for a training that diverged, or a damaged file.")
    {
    }
}
