using System.Text;
using CoPe.Fuzz.Mutations;

namespace CoPe.Fuzz.Readers;

/// <summary>A reader of foreign input, and what it is fed with.</summary>
sealed record FuzzedReader
{
    /// <summary>Its name on the command line and in figures.</summary>
    public required string Name { get; init; }

    public required InputFormat Format { get; init; }

    /// <summary>
    /// Methods that it calls, as <c>Type.Method</c>: every public one of the libraries that reads must stand in one
    /// reader's list.
    /// </summary>
    public required IReadOnlyList<string> Covers { get; init; }

    /// <summary>Inputs to be changed, the first of which it accepts as it is.</summary>
    public required Func<Scratch, IEnumerable<byte[]>> Seeds { get; init; }

    /// <summary>Makes what reads one input after the other.</summary>
    public required Func<Scratch, Action<byte[]>> Open { get; init; }

    /// <summary>What every message has to name: the file; empty where there is none.</summary>
    public string File { get; init; } = "";

    /// <summary>Words of its inputs, beside those of the format.</summary>
    public IReadOnlyList<string> Words { get; init; } = [];

    /// <summary>Its share of the inputs: more where it is fast.</summary>
    public int Share { get; init; } = 8;

    /// <summary>Exceptions of .NET that its documentation promises.</summary>
    public IReadOnlyList<Type> AlsoThrows { get; init; } = [];

    /// <summary>A reader of one short text, no file.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="covered">The method that it calls.</param>
    /// <param name="read">Reads a text.</param>
    /// <param name="seeds">Texts to be changed.</param>
    public static FuzzedReader OfText(string name, string covered, Action<string> read, params string[] seeds) =>
        new()
        {
            Name = name,
            Format = InputFormat.Text,
            Covers = [covered],
            Seeds = _ => Bytes.OfAll(seeds),
            Open = _ => input => read(Encoding.UTF8.GetString(input)),
            Share = 2,
        };
}
