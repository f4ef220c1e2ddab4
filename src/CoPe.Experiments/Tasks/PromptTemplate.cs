using System.Text;
using CoPe.Chat;

namespace CoPe.Experiments.Tasks;

/// <summary>
/// A task's wording, the same in every stage: a history item and a query become the same sentence, so that training and
/// test agree.
/// </summary>
public sealed record PromptTemplate
{
    /// <summary>The task.</summary>
    public required LampTask Task { get; init; }

    /// <summary>System text, or null for none.</summary>
    public string? System { get; init; }

    /// <summary>
    /// Wording of a history item, with the task's input fields in braces: <c>Generate a headline for the following
    /// article: {text}</c>.
    /// </summary>
    /// <exception cref="ArgumentException">A name in braces is no input field of the task.</exception>
    public required string History
    {
        get => _history.Text;
        init => _history = PlaceholderText.Parse(value);
    }

    /// <summary>Wording of a query, with the benchmark's own wording as <c>{input}</c>.</summary>
    public string Query
    {
        get => _query.Text;
        init => _query = PlaceholderText.Parse(value);
    }

    /// <summary>How a user's history is put before a request, for methods that learn from the prompt alone.</summary>
    public InContextWording InContext { get; init; } = new();

    /// <summary>
    /// Every field is cut to its first so many words (the reference: <c>get_first_k_tokens</c>, 768).
    /// </summary>
    public int MaxFieldWords
    {
        get;
        init => field = RequirePositive(value, nameof(MaxFieldWords));
    } = 768;

    /// <summary>
    /// Every field is cut to its first so many UTF-16 characters as well, for a single word that is too long.
    /// </summary>
    public int MaxFieldLength
    {
        get;
        init => field = RequirePositive(value, nameof(MaxFieldLength));
    } = int.MaxValue;

    readonly PlaceholderText _history = PlaceholderText.Parse("");
    readonly PlaceholderText _query = PlaceholderText.Parse("{input}");

    /// <summary>The request that asks for a history item's text.</summary>
    public IReadOnlyList<ChatMessage> ForHistory(HistoryItem item) => ToMessages(FormatHistoryItem(item));

    /// <summary>The request of a query.</summary>
    public IReadOnlyList<ChatMessage> ForQuery(LampQuery query) => ToMessages(FormatQuery(query));

    /// <summary>
    /// The request of a query behind items of the user's history, each of their fields cut to its first words.
    /// </summary>
    /// <exception cref="InvalidOperationException">The task file does not word it.</exception>
    public IReadOnlyList<ChatMessage> ForQuery(
        LampQuery query,
        IReadOnlyList<HistoryItem> examples,
        int exampleWords
    ) => ToMessages(InContext.WithExamples(examples, FormatQuery(query), exampleWords));

    /// <summary>The request of a query behind a description of how the user writes.</summary>
    /// <exception cref="InvalidOperationException">The task file does not word it.</exception>
    public IReadOnlyList<ChatMessage> ForQuery(LampQuery query, string profile) =>
        ToMessages(InContext.WithProfile(profile, FormatQuery(query)));

    /// <summary>The request for a description of how a user writes.</summary>
    /// <exception cref="InvalidOperationException">The task file does not word it.</exception>
    public IReadOnlyList<ChatMessage> ForSummary(IReadOnlyList<HistoryItem> items, int itemWords) =>
        ToMessages(InContext.ForSummary(items, itemWords));

    /// <summary>The text the user wrote, cut as the fields are: what training on a history item aims at.</summary>
    public string GetAnswer(HistoryItem item)
    {
        ArgumentNullException.ThrowIfNull(item);
        return TruncateWords(item.Fields[Task.OutputField], MaxFieldWords);
    }

    /// <summary>The text the user wrote, cut as the fields are: what training on a query aims at.</summary>
    public string GetAnswer(LampQuery query)
    {
        ArgumentNullException.ThrowIfNull(query);
        return TruncateWords(query.Gold, MaxFieldWords);
    }

    /// <summary>The wording of a history item, without system text.</summary>
    public string FormatHistoryItem(HistoryItem item)
    {
        ArgumentNullException.ThrowIfNull(item);
        return _history.Fill(name => Truncate(item.Fields[name]));
    }

    /// <summary>
    /// The first words of a text, joined by single spaces; a text with no more words than that stays as it is. In a
    /// script without blanks between words each character counts as one.
    /// </summary>
    public static string TruncateWords(string text, int count)
    {
        ArgumentNullException.ThrowIfNull(text);
        return WordLimit.Truncate(text, count);
    }

    /// <summary>
    /// Names in braces that the wording uses, checked by <see cref="PromptFile"/> when a file is read.
    /// </summary>
    internal IEnumerable<(string Key, string Name)> Placeholders =>
        _history
            .Placeholders.Select(name => ("history", name))
            .Concat(_query.Placeholders.Select(name => ("query", name)))
            .Concat(InContext.Placeholders);

    string FormatQuery(LampQuery query)
    {
        ArgumentNullException.ThrowIfNull(query);
        return _query.Fill(_ => Truncate(query.Input));
    }

    string Truncate(string text)
    {
        var cut = TruncateWords(text, MaxFieldWords);
        if (cut.Length <= MaxFieldLength)
        {
            return cut;
        }

        var splitsCharacter = char.IsHighSurrogate(cut[MaxFieldLength - 1]);
        return cut[..(splitsCharacter ? MaxFieldLength - 1 : MaxFieldLength)];
    }

    static int RequirePositive(int value, string name) =>
        value >= 1
            ? value
            : throw new ArgumentOutOfRangeException(name, value, $"{name} is {value}, expected 1 or more.");

    List<ChatMessage> ToMessages(string request) =>
        System is { } system ? [new("system", system), new("user", request)] : [new("user", request)];
}

/// <summary>
/// How a user's history is put before a request: the keys of a task file that only in-context methods use. A text that
/// is null was not given.
/// </summary>
public sealed record InContextWording
{
    /// <summary>
    /// An item with the user's own answer, with the task's fields in braces: <c>article: {text}\nheadline: {title}</c>.
    /// </summary>
    public string? Example
    {
        get => _example?.Text;
        init => _example = Parse(value);
    }

    /// <summary>A request behind examples: <c>{examples}</c> and <c>{request}</c>.</summary>
    public string? Examples
    {
        get => _examples?.Text;
        init => _examples = Parse(value);
    }

    /// <summary>The request for a description of how a user writes, from <c>{examples}</c>.</summary>
    public string? Summary
    {
        get => _summary?.Text;
        init => _summary = Parse(value);
    }

    /// <summary>A request behind that description: <c>{profile}</c> and <c>{request}</c>.</summary>
    public string? Profile
    {
        get => _profile?.Text;
        init => _profile = Parse(value);
    }

    readonly PlaceholderText? _example;
    readonly PlaceholderText? _examples;
    readonly PlaceholderText? _summary;
    readonly PlaceholderText? _profile;

    /// <summary>A request behind examples; the request alone where there are none.</summary>
    /// <exception cref="InvalidOperationException">The task file does not word it.</exception>
    public string WithExamples(IReadOnlyList<HistoryItem> items, string request, int maxFieldWords)
    {
        ArgumentNullException.ThrowIfNull(items);
        if (items.Count == 0)
        {
            return request;
        }

        var wording = Require(_examples, "examples");
        return wording.Fill(name => name == "request" ? request : FormatExamples(items, maxFieldWords));
    }

    /// <summary>The request for a description of how the writer of these items writes.</summary>
    /// <exception cref="InvalidOperationException">The task file does not word it.</exception>
    public string ForSummary(IReadOnlyList<HistoryItem> items, int maxFieldWords) =>
        Require(_summary, "summary").Fill(_ => FormatExamples(items, maxFieldWords));

    /// <summary>A request behind a user's description; the request alone where that is empty.</summary>
    /// <exception cref="InvalidOperationException">The task file does not word it.</exception>
    public string WithProfile(string description, string request)
    {
        ArgumentNullException.ThrowIfNull(description);
        if (description.Length == 0)
        {
            return request;
        }

        return Require(_profile, "profile").Fill(name => name == "request" ? request : description);
    }

    /// <summary>Names in braces by key.</summary>
    internal IEnumerable<(string Key, string Name)> Placeholders =>
        [
            .. PlaceholdersOf("example", _example),
            .. PlaceholdersOf("examples", _examples),
            .. PlaceholdersOf("summary", _summary),
            .. PlaceholdersOf("profile", _profile),
        ];

    static IEnumerable<(string Key, string Name)> PlaceholdersOf(string key, PlaceholderText? text) =>
        text is null ? [] : text.Placeholders.Select(name => (key, name));

    string FormatExamples(IReadOnlyList<HistoryItem> items, int maxFieldWords)
    {
        var wording = Require(_example, "example");
        return string.Join(
            "\n\n",
            items.Select(item => wording.Fill(name => PromptTemplate.TruncateWords(item.Fields[name], maxFieldWords)))
        );
    }

    static PlaceholderText? Parse(string? text) => text is null ? null : PlaceholderText.Parse(text);

    static PlaceholderText Require(PlaceholderText? text, string key) =>
        text
        ?? throw new InvalidOperationException(
            $"the wording has no key '{key}', which this method needs for its prompts: add it, as in the shipped tasks"
        );
}

/// <summary>
/// A text with names in braces; a doubled brace is a brace. What is filled in is taken as it is, braces included.
/// </summary>
sealed class PlaceholderText
{
    readonly List<(string Text, bool IsName)> _parts = [];

    PlaceholderText(string text) => Text = text;

    /// <summary>The text as written.</summary>
    public string Text { get; }

    public IEnumerable<string> Placeholders => _parts.Where(part => part.IsName).Select(part => part.Text);

    /// <exception cref="FormatException">A brace is not closed or not opened.</exception>
    public static PlaceholderText Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var parsed = new PlaceholderText(text);
        var plain = new StringBuilder();
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] is not ('{' or '}'))
            {
                plain.Append(text[i]);
                continue;
            }

            var isDoubled = i + 1 < text.Length && text[i + 1] == text[i];
            if (isDoubled)
            {
                plain.Append(text[i]);
                i++;
                continue;
            }

            var close = text.IndexOf('}', i);
            if (text[i] == '}' || close < 0)
            {
                throw new FormatException(
                    $"a single \"{text[i]}\" at character {i + 1}, "
                        + "expected a name in braces such as {title}, or a doubled brace for a brace"
                );
            }

            parsed._parts.Add((plain.ToString(), false));
            parsed._parts.Add((text[(i + 1)..close], true));
            plain.Clear();
            i = close;
        }

        parsed._parts.Add((plain.ToString(), false));
        return parsed;
    }

    public string Fill(Func<string, string> value) =>
        string.Concat(_parts.Select(part => part.IsName ? value(part.Text) : part.Text));
}
