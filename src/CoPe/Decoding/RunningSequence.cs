using CoPe.Adapters;
using CoPe.Scoring;

namespace CoPe.Decoding;

/// <summary>An answer being generated: one sample of a request, and its rows in the running batch.</summary>
/// <param name="request">The request.</param>
/// <param name="sample">Number of the sample.</param>
/// <param name="expert">The adapters of the expert's row.</param>
/// <param name="amateur">The adapters of the amateur's row, where the request has one.</param>
/// <param name="stop">When the answer ends.</param>
sealed class RunningSequence(
    DecodingRequest request,
    int sample,
    PromptAdapters expert,
    PromptAdapters amateur,
    StopCondition stop
)
{
    readonly List<int> _generated = [];
    readonly UniformGenerator _uniforms = new(request.Seed, sample);

    public DecodingRequest Request => request;

    /// <summary>Rows: the expert's, and the amateur's or -1.</summary>
    public int[] Rows { get; } = [-1, -1];

    public int RowCount => request.RowsPerSample;

    /// <summary>Why it ended; null while it is being generated.</summary>
    public StopReason? StopReason { get; private set; }

    /// <summary>
    /// Position of the token to feed next: the last one known. Everything before it is in the cache.
    /// </summary>
    public int Position => request.Prompt.Count + _generated.Count - 1;

    public int NextInput => _generated.Count > 0 ? _generated[^1] : request.Prompt[^1];

    public double NextUniform => _uniforms.At(_generated.Count);

    public IEnumerable<int> PromptAndAnswer => request.Prompt.Concat(_generated);

    /// <summary>The adapters of role 0, the expert, or role 1, the amateur.</summary>
    public PromptAdapters AdaptersOf(int role) => role == 0 ? expert : amateur;

    /// <summary>
    /// How many of the likeliest tokens to score beside each chosen one; null scores nothing.
    /// </summary>
    public int? ScoredAlternatives { get; init; }

    /// <summary>Called with each token and its scores as it is chosen.</summary>
    public Action<int, TokenScores?>? OnToken { get; init; }

    /// <summary>Why it could not go on; null where it could.</summary>
    public NonFiniteLogitsException? Failure { get; private set; }

    public bool HasEnded => StopReason is not null || Failure is not null;

    /// <summary>The ids generated so far.</summary>
    public IReadOnlyList<int> Generated => _generated;

    public void Append(int token, TokenScores? scores)
    {
        if (token == SamplingGroup.InvalidToken)
        {
            Failure = new NonFiniteLogitsException(request.Id, _generated.Count);
            return;
        }

        _generated.Add(token);
        StopReason = stop.Check(_generated);
        request.OnToken?.Invoke(token);
        OnToken?.Invoke(token, scores);
    }

    /// <summary>The answer.</summary>
    /// <exception cref="NonFiniteLogitsException">The model gave NaN for it.</exception>
    public DecodingResult ToResult() =>
        Failure is null ? new(request.Id, sample, _generated, StopReason!.Value) : throw Failure;
}
