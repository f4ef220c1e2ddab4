namespace CoPe.Data.Checking;

/// <summary>Counts lengths, languages and what will be cut, over the users that can be used.</summary>
sealed class CheckStatistics(CheckOptions options)
{
    readonly Prompts.PromptTemplate template = options.Definition.Template with { MaxFieldWords = options.MaxWords };
    readonly Dictionary<string, int> languages = [];
    readonly Dictionary<string, int> longFields = [];

    /// <summary>Texts of a user whose language is looked at: he seldom changes it, and looking takes time.</summary>
    const int TextsTold = 20;

    public Dictionary<string, TextLengths> Words { get; } = [];

    public Dictionary<string, TextLengths> Tokens { get; } = [];

    public IReadOnlyList<KeyValuePair<string, int>> Languages => [.. languages.OrderByDescending(pair => pair.Value).ThenBy(pair => pair.Key, StringComparer.Ordinal)];

    /// <summary>Takes a user as he is used.</summary>
    public void Add(LampUser user, bool isTest)
    {
        var task = options.Definition.Task;
        foreach (var item in user.Profile.Take(TextsTold)) Tell(string.Join('\n', task.InputFields.Append(task.OutputField).Select(field => Head(item.Fields[field]))));
        foreach (var item in user.Profile)
        {
            Text("history input", task.InputFields.Select(field => item.Fields[field]));
            Text("history answer", [item.Fields[task.OutputField]]);
            if (isTest && options.Encoder is { } encoder)
                Count(Tokens, "history example", encoder.EncodePrompt(template.ForHistory(item)).Length + encoder.EncodeResponse(template.AnswerOf(item)).Length);
        }

        foreach (var query in user.Queries)
        {
            Text("query", [query.Input]);
            Text("gold", [query.Gold]);
            Tell(query.Gold);
            if (options.Encoder is not { } encoder) continue;
            var prompt = encoder.EncodePrompt(template.ForQuery(query)).Length;
            Count(Tokens, isTest ? "test prompt" : "training query", isTest ? prompt : prompt + encoder.EncodeResponse(template.AnswerOf(query)).Length);
        }
    }

    /// <summary>What will be cut, in words.</summary>
    public IEnumerable<string> Truncations(int? contextLength)
    {
        foreach (var (kind, count) in longFields)
            yield return $"{count} of {Words[kind].Count} {kind} texts have a field of more than {options.MaxWords} words, whose rest is not read (sft.max_words, tam.max_words)";
        foreach (var (stage, lengths) in Tokens.Where(pair => pair.Key != "test prompt"))
            if (lengths.Above(options.CutOff) is > 0 and var cut)
                yield return $"{cut} of {lengths.Count} of kind {stage} have more than {options.CutOff} tokens: the end of the answer is not learned (sft.cut_off, tam.cut_off)";
        if (contextLength is not { } context || !Tokens.TryGetValue("test prompt", out var prompts)) yield break;
        var room = context - options.Definition.Task.MaxNewTokens;
        if (prompts.Above(room) is > 0 and var long_)
            yield return $"{long_} of {prompts.Count} test prompts have more than {room} tokens, which is the context of {context} less {options.Definition.Task.MaxNewTokens} for the answer: their longest fields are cut";
    }

    void Tell(string text)
    {
        var language = LanguageGuess.Of(text);
        languages[language] = languages.GetValueOrDefault(language) + 1;
    }

    static string Head(string text) => text.Length <= LanguageGuess.LettersRead ? text : text[..LanguageGuess.LettersRead];

    void Text(string kind, IEnumerable<string> fields)
    {
        var words = fields.Select(TextFaults.Words).ToList();
        Count(Words, kind, words.Sum());
        if (words.Any(count => count > options.MaxWords)) longFields[kind] = longFields.GetValueOrDefault(kind) + 1;
    }

    static void Count(Dictionary<string, TextLengths> lengths, string kind, int length)
    {
        if (!lengths.TryGetValue(kind, out var of)) lengths[kind] = of = new();
        of.Add(length);
    }
}
