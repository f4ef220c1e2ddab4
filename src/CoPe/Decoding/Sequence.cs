namespace CoPe.Decoding;

/// <summary>One answer in the making: a sample of a request, and the rows it holds in the running batch.</summary>
sealed class Sequence(DecodingRequest request, int sample, StopCondition stop)
{
    readonly List<int> _generated = [];
    readonly UniformSequence _uniforms = new(request.Seed, sample);

    public DecodingRequest Request => request;

    /// <summary>Rows: the expert's, and the amateur's or -1.</summary>
    public int[] Rows { get; } = [-1, -1];

    public int RowCount => request.RowsPerSample;

    /// <summary>Why it ended; null while it goes on.</summary>
    public StopReason? Ended { get; private set; }

    /// <summary>Position of the token to feed next: the last one known. Everything before it stands in the cache.</summary>
    public int Position => request.Prompt.Count + _generated.Count - 1;

    public int NextInput => _generated.Count > 0 ? _generated[^1] : request.Prompt[^1];

    public double NextUniform => _uniforms.At(_generated.Count);

    public IEnumerable<int> PromptAndAnswer => request.Prompt.Concat(_generated);

    /// <summary>What role 0, the expert, or role 1, the amateur, wears.</summary>
    public WornAdapters Worn(int role) => role == 0 ? request.Expert : request.Amateur!.Value;

    public void Append(int token)
    {
        if (token == ChoiceGroup.NoNumber) throw new NotANumberException(request.Id, _generated.Count);
        _generated.Add(token);
        request.Heard?.Invoke(token);
        Ended = stop.Check(_generated);
    }

    public DecodingResult ToResult() => new(request.Id, sample, _generated, Ended!.Value);
}
