namespace CoPe.Decoding;

/// <summary>A prompt to continue, the adapters its rows wear, and how to choose tokens.</summary>
public sealed record DecodingRequest
{
    /// <summary>Name of the request, unique within one call: results carry it.</summary>
    public required string Id { get; init; }

    /// <summary>Ids of the prompt, at least one.</summary>
    public required IReadOnlyList<int> Prompt { get; init; }

    /// <summary>How tokens are chosen.</summary>
    public DecodingOptions Options { get; init; } = new();

    /// <summary>Seed of the request's own random stream; its draws depend on nothing else.</summary>
    public long Seed { get; init; }

    /// <summary>Index in the engine's user bank of the adapter that the expert wears; -1 is none.</summary>
    public int UserAdapter { get; init; } = -1;

    /// <summary>Whether the expert wears the engine's task adapter (under the user's).</summary>
    public bool WearsTaskAdapter { get; init; }

    /// <summary>Whose distribution the expert's is contrasted with; anything but none adds an amateur row to each sample.</summary>
    public AmateurChoice Amateur { get; init; }

    /// <summary>How many answers to generate; the prompt is computed once for all.</summary>
    public int Samples { get; init; } = 1;

    /// <summary>Number of the first sample: drawing samples 3 and 4 later gives what drawing five at once had given.</summary>
    public int FirstSample { get; init; }
}
