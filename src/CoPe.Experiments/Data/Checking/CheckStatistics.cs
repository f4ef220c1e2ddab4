using CoPe.Experiments.Tasks;

namespace CoPe.Experiments.Data.Checking;

/// <summary>Counts lengths, languages and what will be cut, over the users that can be used.</summary>
sealed class CheckStatistics(CheckOptions options)
{
    readonly PromptTemplate _template = options.Definition.Template with { MaxFieldWords = options.MaxWords };
    readonly Dictionary<string, int> _languages = [];
    readonly Dictionary<string, int> _longFields = [];

    /// <summary>
    /// Texts per user whose language is detected: users seldom change their language, and detection takes time.
    /// </summary>
    const int TextsForLanguage = 20;

    const string TestPrompt = "test prompt";

    public Dictionary<string, TextLengths> Words { get; } = [];

    public Dictionary<string, TextLengths> Tokens { get; } = [];

    public IReadOnlyList<KeyValuePair<string, int>> Languages =>
        [.. _languages.OrderByDescending(pair => pair.Value).ThenBy(pair => pair.Key, StringComparer.Ordinal)];

    /// <summary>Counts a user as the clean copy has them.</summary>
    public void Add(LampUser user, bool isTest)
    {
        var task = options.Definition.Task;
        foreach (var item in user.History.Take(TextsForLanguage))
        {
            var fields = task.InputFields.Append(task.OutputField);
            CountLanguage(string.Join('\n', fields.Select(field => Head(item.Fields[field]))));
        }

        foreach (var item in user.History)
        {
            CountWords("history input", task.InputFields.Select(field => item.Fields[field]));
            CountWords("history answer", [item.Fields[task.OutputField]]);
            if (isTest && options.Encoder is { } encoder)
            {
                var prompt = encoder.EncodePrompt(_template.ForHistory(item)).Length;
                var answer = encoder.EncodeResponse(_template.GetAnswer(item)).Length;
                Count(Tokens, "history example", prompt + answer);
            }
        }

        foreach (var query in user.Queries)
        {
            CountWords("query", [query.Input]);
            CountWords("gold", [query.Gold]);
            CountLanguage(query.Gold);
            if (options.Encoder is not { } encoder)
            {
                continue;
            }

            var prompt = encoder.EncodePrompt(_template.ForQuery(query)).Length;
            if (isTest)
            {
                Count(Tokens, TestPrompt, prompt);
            }
            else
            {
                Count(Tokens, "training query", prompt + encoder.EncodeResponse(_template.GetAnswer(query)).Length);
            }
        }
    }

    /// <summary>What will be cut, in words.</summary>
    public IEnumerable<string> DescribeTruncations(int? contextLength)
    {
        foreach (var (kind, count) in _longFields)
        {
            yield return $"{count} of {Words[kind].Count} {kind} texts have a field of "
                + $"more than {options.MaxWords} words, whose rest is not read (sft.max_words, tam.max_words)";
        }

        foreach (var (kind, lengths) in Tokens.Where(pair => pair.Key != TestPrompt))
        {
            var cut = lengths.CountAbove(options.CutOff);
            if (cut > 0)
            {
                yield return $"{cut} of {lengths.Count} of kind {kind} have more than {options.CutOff} tokens: "
                    + "the end of the answer is not learned (sft.cut_off, tam.cut_off)";
            }
        }

        if (contextLength is null || !Tokens.TryGetValue(TestPrompt, out var prompts))
        {
            yield break;
        }

        var maxNewTokens = options.Definition.Task.MaxNewTokens;
        var room = contextLength.Value - maxNewTokens;
        var tooLong = prompts.CountAbove(room);
        if (tooLong > 0)
        {
            yield return $"{tooLong} of {prompts.Count} test prompts have more than {room} tokens, "
                + $"which is the context of {contextLength} less {maxNewTokens} for the answer: "
                + "their longest fields are cut";
        }
    }

    void CountLanguage(string text)
    {
        var language = LanguageDetector.Detect(text);
        _languages[language] = _languages.GetValueOrDefault(language) + 1;
    }

    static string Head(string text) =>
        text.Length <= LanguageDetector.MaxCharacters ? text : text[..LanguageDetector.MaxCharacters];

    void CountWords(string kind, IEnumerable<string> fields)
    {
        var words = fields.Select(WordLimit.Count).ToList();
        Count(Words, kind, words.Sum());
        if (words.Any(count => count > options.MaxWords))
        {
            _longFields[kind] = _longFields.GetValueOrDefault(kind) + 1;
        }
    }

    static void Count(Dictionary<string, TextLengths> lengths, string kind, int length)
    {
        if (!lengths.TryGetValue(kind, out var lengthsOfKind))
        {
            lengths[kind] = lengthsOfKind = new();
        }

        lengthsOfKind.Add(length);
    }
}

/// <summary>Lengths of texts of one kind.</summary>
sealed class TextLengths
{
    readonly List<int> _values = [];
    bool _isSorted;

    /// <summary>How many.</summary>
    public int Count => _values.Count;

    /// <summary>The shortest.</summary>
    public int Min => Quantile(0);

    /// <summary>The one in the middle.</summary>
    public int Median => Quantile(0.5);

    /// <summary>The one that 95 in 100 do not exceed.</summary>
    public int Percentile95 => Quantile(0.95);

    /// <summary>The longest.</summary>
    public int Max => Quantile(1);

    /// <summary>Adds a length.</summary>
    public void Add(int length)
    {
        _values.Add(length);
        _isSorted = false;
    }

    /// <summary>How many are longer.</summary>
    public int CountAbove(int length) => _values.Count(value => value > length);

    /// <summary>
    /// Counts by length in steps of powers of two: 0, 1, 2 to 3, 4 to 7, ...; from the first that is not empty to the
    /// last.
    /// </summary>
    public IReadOnlyList<LengthBucket> Histogram()
    {
        var counts = _values.CountBy(BucketOf).ToDictionary();
        if (counts.Count == 0)
        {
            return [];
        }

        var first = counts.Keys.Min();
        var last = counts.Keys.Max();
        return
        [
            .. Enumerable
                .Range(first, last - first + 1)
                .Select(bucket => CreateBucket(bucket, counts.GetValueOrDefault(bucket))),
        ];
    }

    static int BucketOf(int length) => length <= 0 ? 0 : int.Log2(length) + 1;

    static LengthBucket CreateBucket(int bucket, int count)
    {
        if (bucket == 0)
        {
            return new(0, 0, count);
        }

        var longest = Math.Min(int.MaxValue, (1L << bucket) - 1);
        return new(1 << (bucket - 1), (int)longest, count);
    }

    int Quantile(double share)
    {
        if (_values.Count == 0)
        {
            return 0;
        }

        if (!_isSorted)
        {
            _values.Sort();
        }

        _isSorted = true;
        return _values[(int)Math.Min(_values.Count - 1, Math.Floor(share * _values.Count))];
    }
}

/// <summary>A bar of a histogram of lengths.</summary>
/// <param name="From">Shortest length, included.</param>
/// <param name="To">Longest length, included.</param>
/// <param name="Count">Texts of these lengths.</param>
readonly record struct LengthBucket(int From, int To, int Count);
