using CoPe.Adapters;
using CoPe.Modeling;

namespace CoPe.Scoring;

/// <summary>
/// The beginning of a prompt with the adapter that acts on it: whatever acts on what follows, its keys and values are
/// the same. Two of the same tokens and adapter are equal.
/// </summary>
sealed class PromptPrefix : IEquatable<PromptPrefix>
{
    /// <summary>
    /// Columns of a prefix that take as much memory and time of a pass as one computed column: its keys and values are
    /// read and kept, no more.
    /// </summary>
    const int ColumnsPerComputed = 16;

    readonly int[] _ids;
    readonly int? _adapterVersion;
    readonly int _hash;

    PromptPrefix(AdapterBank? adapter, int[] ids)
    {
        Adapter = adapter;
        _adapterVersion = adapter?.Version;
        _ids = ids;
        _hash = ids.Aggregate(_adapterVersion.GetHashCode(), HashCode.Combine);
    }

    /// <summary>
    /// What can be computed before a row: the columns on which none of its adapters with invocation tokens acts and
    /// that predict nothing; null where there are none, or no adapter has such tokens.
    /// </summary>
    /// <param name="row">The row.</param>
    /// <param name="taskAdapter">Bank of one: the task's adapter, which the row uses; null for none.</param>
    /// <param name="invocations">Invocation tokens of the row's adapters that act on the answer alone.</param>
    public static PromptPrefix? Create(
        BranchedPrompt row,
        AdapterBank? taskAdapter,
        IEnumerable<IReadOnlyList<int>> invocations
    )
    {
        var length = row.CountUntouched(invocations);
        var actsOnPrompt = taskAdapter is { ActsEverywhere: true } ? taskAdapter : null;
        return length == 0 ? null : new(actsOnPrompt, [.. row.Ids.Take(length)]);
    }

    /// <summary>Bank of one that acts on the prefix; null for none.</summary>
    public AdapterBank? Adapter { get; }

    /// <summary>The tokens, at least one.</summary>
    public IReadOnlyList<int> Ids => _ids;

    /// <summary>
    /// The length of a row by which passes are divided: the columns that are computed, and something for those before.
    /// </summary>
    public static int ComputePassLength(BranchedPrompt row, PromptPrefix? prefix) =>
        prefix is null ? row.Length : row.Length - prefix.Ids.Count + prefix.Ids.Count / ColumnsPerComputed;

    public bool Equals(PromptPrefix? other) =>
        other is not null
        && _hash == other._hash
        && ReferenceEquals(Adapter, other.Adapter)
        && _adapterVersion == other._adapterVersion
        && _ids.AsSpan().SequenceEqual(other._ids);

    public override bool Equals(object? obj) => Equals(obj as PromptPrefix);

    public override int GetHashCode() => _hash;
}

/// <summary>Where passes over a model take the prefixes of their rows from. Owns nothing.</summary>
/// <param name="Cache">Keeps them.</param>
/// <param name="Model">Computes them.</param>
/// <param name="Workers">
/// Passes at once: with several, each has one of torch's threads, and so has the computation of a prefix then.
/// </param>
sealed record PrefixSource(PrefixCache Cache, CausalLm Model, int Workers)
{
    /// <summary>The prefixes of a pass's rows, computed where they are missing; the lease is the caller's.</summary>
    /// <param name="rows">The prefix of each row; either all rows have one or none.</param>
    /// <returns>Null where the rows have none.</returns>
    public PrefixLease? Rent(IReadOnlyList<PromptPrefix?> rows) =>
        rows[0] is null ? null : Cache.Rent(Model, [.. rows.Select(row => row!)], isAlone: Workers > 1);
}
