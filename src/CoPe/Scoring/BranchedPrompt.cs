using CoPe.Modeling;

namespace CoPe.Scoring;

/// <summary>
/// A prompt with the responses that branch off it, laid out as one row of a pass:
/// <code>[prompt | response 1 | response 2 | ...]</code>
/// Each response attends to the prompt and to itself, and its positions continue from the end of the prompt, so that it
/// is computed as if it followed the prompt alone. The last token of a response is a label only: nothing is predicted
/// from it, so it has no column. Where adapters would act on another part of the prompt for another response, each
/// branch holds the end of the prompt too.
/// </summary>
sealed class BranchedPrompt
{
    readonly IReadOnlyList<int> _prompt;
    readonly IReadOnlyList<IReadOnlyList<int>> _responses;
    readonly int _sharedLength;
    readonly List<int> _ids;
    readonly List<int> _positions;
    readonly List<int> _segments;
    readonly List<int> _labels = [];
    readonly List<int> _labelColumns = [];

    /// <summary>Lays out a prompt of at least one token with its responses; an empty response has no labels.</summary>
    public BranchedPrompt(IReadOnlyList<int> prompt, params IReadOnlyList<IReadOnlyList<int>> responses)
        : this(prompt, prompt.Count, responses) { }

    BranchedPrompt(IReadOnlyList<int> prompt, int sharedLength, IReadOnlyList<IReadOnlyList<int>> responses)
    {
        _prompt = prompt;
        _responses = responses;
        _sharedLength = sharedLength;
        ResponseLengths = [.. responses.Select(response => response.Count)];
        _ids = [.. prompt.Take(sharedLength)];
        _positions = [.. Enumerable.Range(0, sharedLength)];
        _segments = [.. Enumerable.Repeat(0, sharedLength)];
        for (var i = 0; i < responses.Count; i++)
        {
            AddResponse(responses[i], i + 1);
        }
    }

    /// <summary>
    /// The same for adapters that act on the answer alone, from their invocation tokens on: responses that hold these
    /// themselves share the prompt up to its own.
    /// </summary>
    /// <param name="prompt">At least one token.</param>
    /// <param name="responses">The responses.</param>
    /// <param name="invocations">The invocation tokens of the adapters; empty where they act everywhere.</param>
    public static BranchedPrompt Create(
        IReadOnlyList<int> prompt,
        IReadOnlyList<IReadOnlyList<int>> responses,
        IEnumerable<IReadOnlyList<int>> invocations
    )
    {
        var sharedLength = prompt.Count;
        foreach (var tokens in responses.Count > 1 ? invocations : [])
        {
            var starts = FindStarts(prompt, responses, tokens);
            if (starts.Distinct().Count() > 1)
            {
                sharedLength = Math.Min(sharedLength, starts.Min());
            }
        }

        return new(prompt, sharedLength, responses);
    }

    /// <summary>Tokens of the prompt.</summary>
    public int PromptLength => _prompt.Count;

    /// <summary>Tokens of each response, all of them labels.</summary>
    public IReadOnlyList<int> ResponseLengths { get; }

    /// <summary>Tokens of the prompt with its longest response.</summary>
    public int TextLength => PromptLength + ResponseLengths.DefaultIfEmpty().Max();

    /// <summary>Columns of the row.</summary>
    public int Length => _ids.Count;

    /// <summary>Token of each column.</summary>
    public IReadOnlyList<int> Ids => _ids;

    /// <summary>Position of each column.</summary>
    public IReadOnlyList<int> Positions => _positions;

    /// <summary>What each column belongs to: 0 for the prompt, i for response i.</summary>
    public IReadOnlyList<int> Segments => _segments;

    /// <summary>The tokens of all responses, response by response.</summary>
    public IReadOnlyList<int> Labels => _labels;

    /// <summary>Column whose hidden state predicts each label.</summary>
    public IReadOnlyList<int> LabelColumns => _labelColumns;

    /// <summary>
    /// Marks the columns, from one on, on which adapters with these invocation tokens act, and the padding after them
    /// as the last of them is.
    /// </summary>
    public void MarkInvoked(IReadOnlyList<int> tokens, Span<bool> columns, int firstColumn = 0)
    {
        var starts = FindStarts(_prompt, _responses, tokens);
        var startInPrompt = starts.DefaultIfEmpty(InvocationTokens.FindLast(_prompt, tokens)).Min();
        var count = Length - firstColumn;
        for (var i = 0; i < count; i++)
        {
            var segment = _segments[firstColumn + i];
            columns[i] = _positions[firstColumn + i] >= (segment == 0 ? startInPrompt : starts[segment - 1]);
        }

        columns[count..].Fill(columns[count - 1]);
    }

    /// <summary>
    /// How many of the first columns no adapter with one of these invocation tokens acts on, and predict no label: they
    /// are the same whichever of the adapters the row uses.
    /// </summary>
    public int CountUntouched(IEnumerable<IReadOnlyList<int>> invocations)
    {
        var starts = invocations.SelectMany(tokens =>
            FindStarts(_prompt, _responses, tokens).Append(InvocationTokens.FindLast(_prompt, tokens))
        );
        var isPromptShared = _sharedLength == PromptLength;
        return Math.Min(isPromptShared ? PromptLength - 1 : _sharedLength, starts.DefaultIfEmpty(0).Min());
    }

    /// <summary>The position from which on each response is acted on.</summary>
    static int[] FindStarts(
        IReadOnlyList<int> prompt,
        IReadOnlyList<IReadOnlyList<int>> responses,
        IReadOnlyList<int> tokens
    ) => [.. responses.Select(response => InvocationTokens.FindLast([.. prompt, .. response], tokens))];

    void AddResponse(IReadOnlyList<int> response, int segment)
    {
        for (var position = _sharedLength; position < PromptLength; position++)
        {
            AddColumn(_prompt[position], position, segment);
        }

        for (var i = 0; i < response.Count; i++)
        {
            _labels.Add(response[i]);
            _labelColumns.Add(i == 0 && _sharedLength == PromptLength ? PromptLength - 1 : Length - 1);
            var isLast = i == response.Count - 1;
            if (!isLast)
            {
                AddColumn(response[i], PromptLength + i, segment);
            }
        }
    }

    void AddColumn(int id, int position, int segment)
    {
        _ids.Add(id);
        _positions.Add(position);
        _segments.Add(segment);
    }
}
