using CoPe.Data;

namespace CoPe.Prompts;

/// <summary>How a user's history is put before a request: the keys of a task file that only in-context methods use. A text that is null was not given.</summary>
public sealed record InContextWording
{
    /// <summary>An item with the user's own answer, with the task's fields in braces: <c>article: {text}\nheadline: {title}</c>.</summary>
    public string? Example { get => example?.Text; init => example = Parse(value); }

    /// <summary>A request behind examples: <c>{examples}</c> and <c>{request}</c>.</summary>
    public string? Examples { get => examples?.Text; init => examples = Parse(value); }

    /// <summary>The request for a description of how a user writes, from <c>{examples}</c>.</summary>
    public string? Summary { get => summary?.Text; init => summary = Parse(value); }

    /// <summary>A request behind that description: <c>{profile}</c> and <c>{request}</c>.</summary>
    public string? Profile { get => profile?.Text; init => profile = Parse(value); }

    readonly PromptText? example;
    readonly PromptText? examples;
    readonly PromptText? summary;
    readonly PromptText? profile;

    /// <summary>A request behind examples; the request alone where there are none.</summary>
    /// <exception cref="InvalidOperationException">The task file does not word it.</exception>
    public string WithExamples(IReadOnlyList<HistoryItem> items, string request, int maxFieldWords)
    {
        ArgumentNullException.ThrowIfNull(items);
        return items.Count == 0 ? request : Needed(examples, "examples").Fill(name => name == "request" ? request : All(items, maxFieldWords));
    }

    /// <summary>The request for a description of how the writer of these items writes.</summary>
    /// <exception cref="InvalidOperationException">The task file does not word it.</exception>
    public string ForSummary(IReadOnlyList<HistoryItem> items, int maxFieldWords) => Needed(summary, "summary").Fill(_ => All(items, maxFieldWords));

    /// <summary>A request behind a user's description; the request alone where that is empty.</summary>
    /// <exception cref="InvalidOperationException">The task file does not word it.</exception>
    public string WithProfile(string description, string request)
    {
        ArgumentNullException.ThrowIfNull(description);
        return description.Length == 0 ? request : Needed(profile, "profile").Fill(name => name == "request" ? request : description);
    }

    /// <summary>Names in braces by key.</summary>
    internal IEnumerable<(string Key, string Name)> Names =>
        from text in (IEnumerable<(string Key, PromptText? Text)>)[("example", example), ("examples", examples), ("summary", summary), ("profile", profile)]
        from name in text.Text?.Names ?? []
        select (text.Key, name);

    string All(IReadOnlyList<HistoryItem> items, int maxFieldWords)
    {
        var wording = Needed(example, "example");
        return string.Join("\n\n", items.Select(item => wording.Fill(name => PromptTemplate.FirstWords(item.Fields[name], maxFieldWords))));
    }

    static PromptText? Parse(string? text) => text is null ? null : PromptText.Parse(text);

    static PromptText Needed(PromptText? text, string key) =>
        text ?? throw new InvalidOperationException($"the wording has no key '{key}', which this method words its prompts with: add it, as in the shipped tasks");
}
