namespace CoPe.Decoding;

/// <summary>
/// When an answer ends: at any stop id, when its text contains a stop string, or at its most new tokens.
/// </summary>
sealed class StopCondition
{
    readonly HashSet<int> _stopIds;
    readonly IReadOnlyList<string> _stopStrings;
    readonly Func<IReadOnlyList<int>, string>? _detokenize;
    readonly int _maxNewTokens;
    readonly int _room;

    /// <summary>The condition of one request.</summary>
    /// <param name="stopIds">All ids that end an answer, those of generation_config.json.</param>
    /// <param name="options">The request's options.</param>
    /// <param name="room">Tokens that the model's context has left after the prompt.</param>
    /// <param name="detokenize">Text of ids; needed where the options have stop strings.</param>
    /// <exception cref="ArgumentException">There are stop strings and nothing that turns ids into text.</exception>
    public StopCondition(
        IEnumerable<int> stopIds,
        DecodingOptions options,
        int room,
        Func<IReadOnlyList<int>, string>? detokenize = null
    )
    {
        if (options.StopStrings.Count > 0 && detokenize is null)
        {
            throw new ArgumentException(
                $"Stop strings ({string.Join(", ", options.StopStrings)}) need EngineOptions.Detokenize, "
                    + "which is not set.",
                nameof(detokenize)
            );
        }

        _stopIds = [.. stopIds];
        _stopStrings = options.StopStrings;
        _detokenize = detokenize;
        _maxNewTokens = options.MaxNewTokens;
        _room = room;
    }

    /// <summary>Why the answer ends with the last of these ids, or null where it continues.</summary>
    public StopReason? Check(List<int> generated)
    {
        if (_stopIds.Contains(generated[^1]))
        {
            return StopReason.StopToken;
        }

        if (_stopStrings.Count > 0 && EndsInStopString(generated))
        {
            return StopReason.StopString;
        }

        if (generated.Count >= _maxNewTokens)
        {
            return StopReason.MaxNewTokens;
        }

        return generated.Count >= _room ? StopReason.ContextFull : null;
    }

    bool EndsInStopString(List<int> generated)
    {
        // A token is at least one byte, so no more tokens than bytes can hold the string; a few more keep a character
        // whole at the cut.
        var tokens = Math.Min(generated.Count, 4 * _stopStrings.Max(text => text.Length) + 4);
        var tail = _detokenize!(generated.GetRange(generated.Count - tokens, tokens));
        return _stopStrings.Any(text => tail.Contains(text, StringComparison.Ordinal));
    }
}

/// <summary>Why an answer ended.</summary>
public enum StopReason
{
    /// <summary>A stop id, which is the last of the answer's ids.</summary>
    StopToken,

    /// <summary>A stop string, which the answer's text contains.</summary>
    StopString,

    /// <summary>The most new tokens that the options allow.</summary>
    MaxNewTokens,

    /// <summary>The model's context was full.</summary>
    ContextFull,
}
