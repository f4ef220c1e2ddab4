using CoPe.Experiments.Tasks;

namespace CoPe.Experiments.Evaluation;

/// <summary>
/// What a person's model took up of their writing: traits of their own texts that its answers have and those of the
/// base model lack, and phrases of theirs. Holds for any language that puts spaces between words.
/// </summary>
sealed record WritingComparison
{
    /// <summary>Mean length of a text and other traits, those that were taken up first.</summary>
    public required IReadOnlyList<WritingTrait> Traits { get; init; }

    /// <summary>Phrases of several of the texts that the answers have and those of the base model lack.</summary>
    public required IReadOnlyList<TakenPhrase> Phrases { get; init; }

    /// <summary>Distance of the base model's answers from the person's style, 0 (alike) to 1.</summary>
    public double? BaseDistance { get; init; }

    /// <summary>Distance of the answers from the person's style.</summary>
    public required double Distance { get; init; }

    /// <summary>Compares answers to the same requests.</summary>
    /// <param name="own">Texts of the person that were learned from, one or more.</param>
    /// <param name="before">Answers of the base model; may be empty.</param>
    /// <param name="after">Answers of the person's model, one or more.</param>
    public static WritingComparison Compute(
        IReadOnlyList<string> own,
        IReadOnlyList<string> before,
        IReadOnlyList<string> after
    )
    {
        var style = StyleProfile.Compute(own);
        return new()
        {
            Traits = [.. WritingTrait.Compute(own, before, after).OrderByDescending(trait => trait.IsTakenUp)],
            Phrases = TakenPhrase.Find(own, before, after),
            BaseDistance = before.Count == 0 ? null : style.DistanceTo(StyleProfile.Compute(before)).Total,
            Distance = style.DistanceTo(StyleProfile.Compute(after)).Total,
        };
    }
}

/// <summary>A trait of texts as a number.</summary>
/// <param name="Name">In plain words, for example <c>words a text</c>.</param>
/// <param name="Own">Of the person's texts.</param>
/// <param name="Before">Of the base model's answers; null without any.</param>
/// <param name="After">Of the answers of the person's model.</param>
sealed record WritingTrait(string Name, double Own, double? Before, double After)
{
    /// <summary>Traits whose values differ by less, relative to the larger, are alike.</summary>
    const double Notable = 0.25;

    static readonly (string Name, string Marks)[] Marks =
    [
        ("commas", ",，、"),
        ("exclamation marks", "!！"),
        ("question marks", "?？"),
        ("colons and semicolons", ":;：；"),
        ("dashes", "\u2013\u2014"),
        ("ellipses", "\u2026"),
        ("brackets", "("),
        ("quotation marks", "\"\u201C\u201E\u00AB"),
        ("digits", "0123456789"),
    ];

    /// <summary>Whether the base model lacked it and the answers are at least half the way nearer.</summary>
    public bool IsTakenUp =>
        Before is { } before
        && Math.Abs(Own - before) > Notable * Math.Max(Own, before)
        && Math.Abs(Own - After) <= Math.Abs(Own - before) / 2;

    /// <summary>Traits that the person's texts or the answers have.</summary>
    public static IEnumerable<WritingTrait> Compute(
        IReadOnlyList<string> own,
        IReadOnlyList<string> before,
        IReadOnlyList<string> after
    )
    {
        yield return Create("words a text", own, before, after, texts => Mean(texts, WordLimit.Count));
        yield return Create("words a sentence", own, before, after, WordsPerSentence);
        yield return Create("paragraphs a text", own, before, after, texts => Mean(texts, CountParagraphs));
        yield return Create(
            "words with a capital, of 100",
            own,
            before,
            after,
            texts => PerHundred(texts, CountCapitals)
        );
        foreach (var (name, marks) in Marks)
        {
            var trait = Create(
                $"{name}, for 100 words",
                own,
                before,
                after,
                texts => PerHundred(texts, text => text.Count(marks.Contains))
            );
            if (Math.Max(trait.Own, Math.Max(trait.Before ?? 0, trait.After)) >= 0.2)
            {
                yield return trait;
            }
        }
    }

    static WritingTrait Create(
        string name,
        IReadOnlyList<string> own,
        IReadOnlyList<string> before,
        IReadOnlyList<string> after,
        Func<IReadOnlyList<string>, double> measure
    ) => new(name, measure(own), before.Count == 0 ? null : measure(before), measure(after));

    static double Mean(IReadOnlyList<string> texts, Func<string, int> count) => texts.Average(count);

    static double PerHundred(IReadOnlyList<string> texts, Func<string, int> count) =>
        100.0 * texts.Sum(count) / Math.Max(1, texts.Sum(WordLimit.Count));

    static double WordsPerSentence(IReadOnlyList<string> texts) =>
        (double)texts.Sum(WordLimit.Count) / Math.Max(1, texts.Sum(CountSentences));

    static int CountCapitals(string text) =>
        text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries).Count(word => char.IsUpper(word[0]));

    static int CountParagraphs(string text) =>
        text.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Length;

    /// <summary>Ends of sentences; a line that ends without a mark is one as well.</summary>
    static int CountSentences(string text)
    {
        var count = 0;
        foreach (var line in text.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            var isOpen = false;
            foreach (var letter in line)
            {
                var isEnd = ".!?\u2026。！？".Contains(letter);
                count += isEnd && isOpen ? 1 : 0;
                isOpen = !isEnd && (isOpen || char.IsLetterOrDigit(letter));
            }

            count += isOpen ? 1 : 0;
        }

        return count;
    }
}

/// <summary>A phrase of a person that their model took up.</summary>
/// <param name="Text">The phrase as one of their texts has it.</param>
/// <param name="OwnTexts">How many of their texts have it.</param>
/// <param name="Answers">How many answers have it.</param>
sealed record TakenPhrase(string Text, int OwnTexts, int Answers)
{
    const int MinWords = 2;
    const int MaxWords = 7;
    const int MinLetters = 9;
    const int MaxPhrases = 6;

    /// <summary>The phrases, the longest and most frequent first; none is a part of another.</summary>
    public static IReadOnlyList<TakenPhrase> Find(
        IReadOnlyList<string> own,
        IReadOnlyList<string> before,
        IReadOnlyList<string> after
    )
    {
        var inOwn = CountTexts(own);
        var inBefore = CountTexts(before);
        var inAfter = CountTexts(after);
        var candidates = inAfter
            .Keys.Where(phrase => !inBefore.ContainsKey(phrase) && IsWhole(phrase))
            .Select(phrase => (Phrase: phrase, Texts: inOwn.GetValueOrDefault(phrase)))
            .Where(one => one.Texts >= 2)
            .OrderByDescending(one => CountWords(one.Phrase) * Math.Min(one.Texts, 10))
            .ThenByDescending(one => one.Texts)
            .ThenBy(one => one.Phrase, StringComparer.Ordinal)
            .Select(one => one.Phrase);
        var found = new List<string>();
        foreach (var phrase in candidates)
        {
            if (found.Count < MaxPhrases && !found.Exists(other => Overlap(other, phrase)))
            {
                found.Add(phrase);
            }
        }

        return [.. found.Select(phrase => new TakenPhrase(FindSpelling(own, phrase), inOwn[phrase], inAfter[phrase]))];
    }

    /// <summary>Whether it has some letters, and begins and ends with a word rather than a mark.</summary>
    static bool IsWhole(string phrase)
    {
        var last = phrase[(phrase.LastIndexOf(' ') + 1)..];
        return phrase.Count(char.IsLetter) >= MinLetters
            && char.IsLetterOrDigit(phrase[0])
            && last.Any(char.IsLetterOrDigit);
    }

    /// <summary>Whether one holds the other, or two words in a row of it.</summary>
    static bool Overlap(string one, string other)
    {
        var words = other.Split(' ');
        var padded = $" {one} ";
        return Enumerable
            .Range(0, words.Length - 1)
            .Any(i => padded.Contains($" {words[i]} {words[i + 1]} ", StringComparison.Ordinal));
    }

    /// <summary>In how many texts each phrase stands.</summary>
    static Dictionary<string, int> CountTexts(IReadOnlyList<string> texts)
    {
        var counts = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (var text in texts)
        {
            foreach (var phrase in ListPhrases(TextWords.Split(text)).ToHashSet(StringComparer.Ordinal))
            {
                counts[phrase] = counts.GetValueOrDefault(phrase) + 1;
            }
        }

        return counts;
    }

    static IEnumerable<string> ListPhrases(string[] words) =>
        from start in Enumerable.Range(0, words.Length)
        from length in Enumerable.Range(MinWords, MaxWords - MinWords + 1)
        where start + length <= words.Length
        select string.Join(' ', words, start, length);

    /// <summary>The phrase as the first text with it spells it, without the punctuation around it.</summary>
    static string FindSpelling(IReadOnlyList<string> texts, string phrase)
    {
        var length = CountWords(phrase);
        foreach (var text in texts)
        {
            var words = TextWords.Split(text);
            var spelled = text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
            if (words.Length != spelled.Length)
            {
                continue; // It has words without blanks between them.
            }

            for (var start = 0; start + length <= words.Length; start++)
            {
                if (string.Join(' ', words, start, length) == phrase)
                {
                    return string.Join(' ', spelled, start, length).Trim([.. ".,;:!?\"'()[]\u201C\u201D\u201E"]);
                }
            }
        }

        return phrase;
    }

    static int CountWords(string phrase) => phrase.Count(letter => letter == ' ') + 1;
}
