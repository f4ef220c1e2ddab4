using CoPe.Decoding;
using CoPe.Scoring;

namespace CoPe.Serving;

/// <summary>A prompt to be continued by a personal model.</summary>
public sealed record ServingRequest
{
    /// <summary>Name of the personal model, of the engine's catalog: mostly the user's.</summary>
    public required string Model { get; init; }

    /// <summary>Ids of the prompt, at least one.</summary>
    public required IReadOnlyList<int> Prompt { get; init; }

    /// <summary>How tokens are chosen; a contrast of 0 leaves the personal model alone.</summary>
    public DecodingOptions Options { get; init; } = new();

    /// <summary>Seed of the request's own random numbers: its answer depends on nothing else that is drawn.</summary>
    public long Seed { get; init; }

    /// <summary>Number of the answer among several to the same request: each draws numbers of its own.</summary>
    public int Sample { get; init; }

    /// <summary>
    /// How many of the likeliest tokens to name beside each chosen one; null gives no log-probabilities at all.
    /// </summary>
    public int? Alternatives { get; init; }

    /// <summary>Who is served, for fairness; null is the model itself.</summary>
    public string? Client { get; init; }
}

/// <summary>One token of an answer.</summary>
/// <param name="Id">The token.</param>
/// <param name="Text">
/// The text that has become final with it: mostly the token's own, empty within a character or where a stop string may
/// have begun. All of them together are the answer, without the stop string.
/// </param>
public readonly record struct ServedToken(int Id, string Text)
{
    /// <summary>Why the answer ends with this token; null where it goes on.</summary>
    public StopReason? StopReason { get; init; }

    /// <summary>log p of the token under the personal model, in nats; null where the request asks for none.</summary>
    public float? LogProb { get; init; }

    /// <summary>
    /// The token's share of the implicit reward, up to the factor beta: its log-probability under the personal model
    /// minus that under the model without the user's adapter; null where there is none, or nobody asked.
    /// </summary>
    public float? ImplicitReward { get; init; }

    /// <summary>
    /// Whether the contrast was left out here, because the model without the user's adapter was certain
    /// (<see cref="DecodingOptions.ContrastUnlessCertain"/>); false where nobody asked for log-probabilities.
    /// </summary>
    public bool WithoutContrast { get; init; }

    /// <summary>The personal model's likeliest tokens, best first; empty where the request asks for none.</summary>
    public IReadOnlyList<TokenLogProb> Alternatives { get; init; } = [];

    /// <summary>
    /// What <see cref="ImplicitReward"/> would be for each of the <see cref="Alternatives"/>, in their order; empty
    /// where there is none.
    /// </summary>
    public IReadOnlyList<float> AlternativeRewards { get; init; } = [];
}
