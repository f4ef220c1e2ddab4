using CoPe.Adapters;
using CoPe.Modeling;

namespace CoPe.Decoding;

/// <summary>A prompt to continue, the adapters of its rows, and how to choose tokens.</summary>
public sealed record DecodingRequest
{
    /// <summary>Name of the request, unique within one call: results carry it.</summary>
    public required string Id { get; init; }

    /// <summary>Ids of the prompt, at least one.</summary>
    public required IReadOnlyList<int> Prompt { get; init; }

    /// <summary>How tokens are chosen.</summary>
    public DecodingOptions Options { get; init; } = new();

    /// <summary>Seed of the request's own random numbers; its draws depend on nothing else.</summary>
    public long Seed { get; init; }

    /// <summary>The adapters of the expert: in CoPe the task's and the user's.</summary>
    public AdapterSelection Expert { get; init; } = AdapterSelection.Base;

    /// <summary>
    /// The adapters of the amateur, in CoPe the task's alone; null is plain decoding, without an amateur row.
    /// </summary>
    public AdapterSelection? Amateur { get; init; }

    /// <summary>How many answers to generate; the prompt is computed once for all.</summary>
    public int Samples { get; init; } = 1;

    /// <summary>
    /// Number of the first sample: drawing samples 3 and 4 later gives what drawing five at once had given.
    /// </summary>
    public int FirstSample { get; init; }

    /// <summary>Called with each id as it is chosen, all samples together, on whichever thread decodes.</summary>
    public Action<int>? OnToken { get; init; }

    /// <summary>Rows of one sample.</summary>
    internal int RowsPerSample => Amateur is null ? 1 : 2;

    /// <summary>Rows of all samples.</summary>
    internal int RowCount => Samples * RowsPerSample;

    /// <summary>Positions that the request can fill, were there no end of the context.</summary>
    internal long PositionsNeeded => (long)Prompt.Count + Options.MaxNewTokens;

    /// <summary>Refuses a prompt that a model cannot continue.</summary>
    /// <exception cref="ArgumentException">
    /// It is empty, fills the context, or has an id that the model lacks.
    /// </exception>
    internal void CheckPrompt(DecoderConfig model)
    {
        var name = $"Request '{Id}'";
        if (Prompt.Count == 0)
        {
            throw new ArgumentException($"{name} has an empty prompt; at least one id (the BOS token) is needed.");
        }

        if (Prompt.Count >= model.MaxPositions)
        {
            throw new ArgumentException(
                $"{name} has a prompt of {Prompt.Count} tokens, but the model's context is {model.MaxPositions} "
                    + "and at least one must be left to generate; cut the prompt."
            );
        }

        foreach (var id in Prompt)
        {
            if (id < 0 || id >= model.VocabSize)
            {
                throw new ArgumentException(
                    $"{name} has the id {id} in its prompt, but the model's ids are 0 to {model.VocabSize - 1}; "
                        + "prompt and model need the same tokenizer."
                );
            }
        }

        if (Options.LogitBias.Keys.Any(id => id < 0 || id >= model.VocabSize))
        {
            throw new ArgumentException(
                $"{name} has a bias for an id that the model lacks; its ids are 0 to {model.VocabSize - 1}."
            );
        }
    }
}

/// <summary>One finished answer.</summary>
/// <param name="RequestId">The request.</param>
/// <param name="Sample">Number of the sample, from the request's first.</param>
/// <param name="Ids">The generated ids, a stop id included.</param>
/// <param name="StopReason">Why it ended.</param>
public sealed record DecodingResult(string RequestId, int Sample, IReadOnlyList<int> Ids, StopReason StopReason);
