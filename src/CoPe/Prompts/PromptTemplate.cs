using CoPe.Data;

namespace CoPe.Prompts;

/// <summary>A task's wording, the same in every stage: a history item and a query become the same sentence, so that training and test agree.</summary>
public sealed record PromptTemplate
{
    /// <summary>The task.</summary>
    public required LampTask Task { get; init; }

    /// <summary>System text, or null for none.</summary>
    public string? System { get; init; }

    /// <summary>Wording of a history item, with the task's input fields in braces: <c>Generate a headline for the following article: {text}</c>.</summary>
    /// <exception cref="ArgumentException">A name in braces is no input field of the task.</exception>
    public required string History { get => history.Text; init => history = PromptText.Parse(value); }

    /// <summary>Wording of a query, with the benchmark's own wording as <c>{input}</c>.</summary>
    public string Query { get => query.Text; init => query = PromptText.Parse(value); }

    /// <summary>How a user's history is put before a request, for methods that learn from the prompt alone.</summary>
    public InContextWording InContext { get; init; } = new();

    /// <summary>Every field is cut to its first so many words (the reference: <c>get_first_k_tokens</c>, 768).</summary>
    public int MaxFieldWords
    {
        get;
        init => field = value >= 1 ? value : throw new ArgumentOutOfRangeException(nameof(MaxFieldWords), value, $"MaxFieldWords is {value}, expected 1 or more.");
    } = 768;

    /// <summary>Every field is cut to its first so many UTF-16 characters as well, for texts without spaces, whose words cannot be counted.</summary>
    public int MaxFieldLength
    {
        get;
        init => field = value >= 1 ? value : throw new ArgumentOutOfRangeException(nameof(MaxFieldLength), value, $"MaxFieldLength is {value}, expected 1 or more.");
    } = int.MaxValue;

    readonly PromptText history = PromptText.Parse("");
    readonly PromptText query = PromptText.Parse("{input}");

    /// <summary>The request that asks for a history item's text.</summary>
    public IReadOnlyList<ChatMessage> ForHistory(HistoryItem item) => Messages(HistoryInput(item));

    /// <summary>The request of a query.</summary>
    public IReadOnlyList<ChatMessage> ForQuery(LampQuery query) => Messages(Request(query));

    /// <summary>The request of a query behind items of the user's history, each of their fields cut to its first words.</summary>
    /// <exception cref="InvalidOperationException">The task file does not word it.</exception>
    public IReadOnlyList<ChatMessage> ForQuery(LampQuery query, IReadOnlyList<HistoryItem> examples, int exampleWords) =>
        Messages(InContext.WithExamples(examples, Request(query), exampleWords));

    /// <summary>The request of a query behind a description of how the user writes.</summary>
    /// <exception cref="InvalidOperationException">The task file does not word it.</exception>
    public IReadOnlyList<ChatMessage> ForQuery(LampQuery query, string profile) => Messages(InContext.WithProfile(profile, Request(query)));

    /// <summary>The request for a description of how a user writes.</summary>
    /// <exception cref="InvalidOperationException">The task file does not word it.</exception>
    public IReadOnlyList<ChatMessage> ForSummary(IReadOnlyList<HistoryItem> items, int itemWords) => Messages(InContext.ForSummary(items, itemWords));

    /// <summary>The text the user wrote, cut as the fields are: what training on a history item aims at.</summary>
    public string AnswerOf(HistoryItem item)
    {
        ArgumentNullException.ThrowIfNull(item);
        return FirstWords(item.Fields[Task.OutputField], MaxFieldWords);
    }

    /// <summary>The text the user wrote, cut as the fields are: what training on a query aims at.</summary>
    public string AnswerOf(LampQuery query)
    {
        ArgumentNullException.ThrowIfNull(query);
        return FirstWords(query.Gold, MaxFieldWords);
    }

    /// <summary>The wording of a history item, without system text.</summary>
    public string HistoryInput(HistoryItem item)
    {
        ArgumentNullException.ThrowIfNull(item);
        return history.Fill(name => Cut(item.Fields[name]));
    }

    /// <summary>The first words of a text, joined by single spaces; a text with no more words than that stays as it is.</summary>
    public static string FirstWords(string text, int count)
    {
        ArgumentNullException.ThrowIfNull(text);
        // The rest stays one piece: a text of fifty megabytes has ten million words.
        var words = text.Split((char[]?)null, count + 1, StringSplitOptions.RemoveEmptyEntries);
        return words.Length <= count ? text : string.Join(' ', words.Take(count));
    }

    /// <summary>Names in braces that the wording uses, checked by <see cref="PromptTemplates"/> when a file is read.</summary>
    internal IEnumerable<(string Key, string Name)> Names =>
        history.Names.Select(name => ("history", name)).Concat(query.Names.Select(name => ("query", name))).Concat(InContext.Names);

    string Request(LampQuery query)
    {
        ArgumentNullException.ThrowIfNull(query);
        return this.query.Fill(_ => Cut(query.Input));
    }

    string Cut(string text)
    {
        var cut = FirstWords(text, MaxFieldWords);
        if (cut.Length <= MaxFieldLength) return cut;
        return cut[..(char.IsHighSurrogate(cut[MaxFieldLength - 1]) ? MaxFieldLength - 1 : MaxFieldLength)];
    }

    List<ChatMessage> Messages(string request) =>
        System is { } system ? [new("system", system), new("user", request)] : [new("user", request)];
}
