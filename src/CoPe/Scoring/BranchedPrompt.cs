namespace CoPe.Scoring;

/// <summary>
/// A prompt with the responses that branch off it, laid out as one row of a pass:
/// <code>[prompt | response 1 | response 2 | ...]</code>
/// Each response attends to the prompt and to itself, and its positions continue from the end of the prompt, so that it
/// is computed as if it followed the prompt alone. The last token of a response is a label only: nothing is predicted
/// from it, so it has no column.
/// </summary>
sealed class BranchedPrompt
{
    readonly List<int> _ids;
    readonly List<int> _positions;
    readonly List<int> _segments;
    readonly List<int> _labels = [];
    readonly List<int> _labelColumns = [];

    /// <summary>Lays out a prompt of at least one token with its responses; an empty response has no labels.</summary>
    public BranchedPrompt(IReadOnlyList<int> prompt, params IReadOnlyList<IReadOnlyList<int>> responses)
    {
        PromptLength = prompt.Count;
        ResponseLengths = [.. responses.Select(response => response.Count)];
        _ids = [.. prompt];
        _positions = [.. Enumerable.Range(0, prompt.Count)];
        _segments = [.. Enumerable.Repeat(0, prompt.Count)];
        for (var i = 0; i < responses.Count; i++)
        {
            AddResponse(responses[i], i + 1);
        }
    }

    /// <summary>Tokens of the prompt.</summary>
    public int PromptLength { get; }

    /// <summary>Tokens of each response, all of them labels.</summary>
    public IReadOnlyList<int> ResponseLengths { get; }

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

    void AddResponse(IReadOnlyList<int> response, int segment)
    {
        for (var i = 0; i < response.Count; i++)
        {
            _labels.Add(response[i]);
            _labelColumns.Add(i == 0 ? PromptLength - 1 : Length - 1);
            var isLast = i == response.Count - 1;
            if (isLast)
            {
                return;
            }
            _ids.Add(response[i]);
            _positions.Add(PromptLength + i);
            _segments.Add(segment);
        }
    }
}
