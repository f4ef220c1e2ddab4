namespace CoPe.Evaluation;

/// <summary>A stretch of tokens, compared by its words; it points into the list instead of joining strings.</summary>
readonly struct NGram(IReadOnlyList<string> tokens, int start, int length) : IEquatable<NGram>
{
    readonly IReadOnlyList<string> tokens = tokens;
    readonly int start = start, length = length;

    public bool Equals(NGram other)
    {
        if (length != other.length) return false;
        for (var i = 0; i < length; i++)
            if (!string.Equals(tokens[start + i], other.tokens[other.start + i], StringComparison.Ordinal)) return false;
        return true;
    }

    public override bool Equals(object? obj) => obj is NGram other && Equals(other);

    public override int GetHashCode()
    {
        var hash = new HashCode();
        for (var i = 0; i < length; i++) hash.Add(tokens[start + i], StringComparer.Ordinal);
        return hash.ToHashCode();
    }
}
