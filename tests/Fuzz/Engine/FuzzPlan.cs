using CoPe.Fuzz.Readers;

namespace CoPe.Fuzz.Engine;

/// <summary>What a run of the fuzzer does.</summary>
sealed record FuzzPlan
{
    /// <summary>Inputs, all readers together.</summary>
    public required long Inputs { get; init; }

    /// <summary>Seed of every choice: the same seed gives the same inputs.</summary>
    public required long Seed { get; init; }

    public required IReadOnlyList<FuzzedReader> Readers { get; init; }

    /// <summary>Folder for inputs with findings.</summary>
    public required string Findings { get; init; }
}

/// <summary>Which reader an input is for: blocks of all readers in turn, as long as their shares.</summary>
/// <param name="readers">The readers.</param>
sealed class Schedule(IReadOnlyList<FuzzedReader> readers)
{
    const int BlockLength = 16;

    readonly long _cycle = BlockLength * readers.Sum(reader => (long)reader.Share);

    /// <summary>The reader of an input, and which of its inputs it is.</summary>
    public (int Reader, long Index) Find(long position)
    {
        var (cycle, offset) = Math.DivRem(position, _cycle);
        var reader = 0;
        for (; offset >= Length(reader); reader++)
        {
            offset -= Length(reader);
        }

        return (reader, (cycle * Length(reader)) + offset);
    }

    long Length(int reader) => (long)BlockLength * readers[reader].Share;
}
