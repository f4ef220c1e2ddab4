using System.Security.Cryptography;
using System.Text;
using CoPe.Experiments.Tasks;

namespace CoPe.Experiments.Data.Checking;

/// <summary>
/// What of the test users must not be trained on: their queries, and for the task-adaptive model their histories too.
/// </summary>
sealed class LeakIndex(TaskDefinition definition)
{
    readonly Dictionary<UInt128, string> _queries = [];
    readonly Dictionary<UInt128, string> _items = [];
    readonly HashSet<string> _queryIds = [];

    /// <summary>Takes a test user; a gold may come from the label file.</summary>
    public void Add(LampUser user, Func<LampQuery, string> goldOf)
    {
        foreach (var query in user.Queries)
        {
            _queryIds.Add(query.Id);
            foreach (var key in Keys(query.Input, goldOf(query)))
            {
                _queries.TryAdd(key, $"query {query.Id} of user {user.Id}");
            }
        }

        foreach (var item in user.History)
        {
            foreach (var key in Keys(item))
            {
                _items.TryAdd(key, $"item {item.Id} of user {user.Id}");
            }
        }
    }

    /// <summary>The test query whose text a history item holds, in words; null where there is none.</summary>
    public string? FindQuery(HistoryItem item) =>
        Keys(item).Select(_queries.GetValueOrDefault).FirstOrDefault(found => found is not null);

    /// <summary>
    /// The test user's query or item that a training query holds, in words; null where there is none.
    /// </summary>
    public string? FindTestText(LampQuery query, string gold) =>
        _queryIds.Contains(query.Id)
            ? $"query {query.Id} by its id"
            : Keys(query.Input, gold)
                .Select(key => _queries.GetValueOrDefault(key) ?? _items.GetValueOrDefault(key))
                .FirstOrDefault(found => found is not null);

    IEnumerable<UInt128> Keys(HistoryItem item)
    {
        // An item without input of its own would match every other one by the wording alone.
        var hasInput =
            TextFingerprint.Compute(definition.Task.InputFields.Select(field => item.Fields[field])) is not null;
        return Keys(
            hasInput ? definition.Template.FormatHistoryItem(item) : "",
            item.Fields[definition.Task.OutputField]
        );
    }

    IEnumerable<UInt128> Keys(string input, string answer)
    {
        // Without input fields, every request is the same.
        if (definition.Task.InputFields.Count > 0 && TextFingerprint.Compute(input) is { } worded)
        {
            yield return worded ^ 1;
        }

        if (definition.Task.Outcome == TaskOutcome.Text && TextFingerprint.Compute(answer) is { } own)
        {
            yield return own;
        }
    }
}

/// <summary>
/// Stands for a text in comparisons: two texts have the same key where their letters and digits are the same, case,
/// blanks and punctuation aside.
/// </summary>
public static class TextFingerprint
{
    /// <summary>Fewest words that make a text its writer's own; shorter ones ("Thank you") repeat by chance.</summary>
    public const int MinWords = 4;

    const int LettersAtOnce = 512;

    /// <summary>
    /// The key: half of a SHA-256 of the words. Null where the text has fewer words than <paramref name="leastWords"/>.
    /// </summary>
    public static UInt128? Compute(string text, int leastWords = MinWords)
    {
        ArgumentNullException.ThrowIfNull(text);
        return Compute([text], leastWords);
    }

    /// <summary>The key of texts one after the other.</summary>
    public static UInt128? Compute(IEnumerable<string> texts, int leastWords = MinWords)
    {
        ArgumentNullException.ThrowIfNull(texts);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var encoder = Encoding.UTF8.GetEncoder();
        Span<char> plain = stackalloc char[LettersAtOnce + 2];
        Span<byte> bytes = stackalloc byte[Encoding.UTF8.GetMaxByteCount(LettersAtOnce + 2)];
        var (held, words) = (0, 0);
        foreach (var text in texts)
        {
            var isInWord = false;
            foreach (var letter in text)
            {
                var isLetter = char.IsLetterOrDigit(letter) || char.IsSurrogate(letter);
                if (isLetter && !isInWord && ++words > 1)
                {
                    plain[held++] = ' ';
                }

                if (isLetter)
                {
                    plain[held++] = char.ToLowerInvariant(letter);
                }

                isInWord = isLetter;
                if (held < LettersAtOnce)
                {
                    continue;
                }

                hash.AppendData(bytes[..encoder.GetBytes(plain[..held], bytes, flush: false)]);
                held = 0;
            }
        }

        hash.AppendData(bytes[..encoder.GetBytes(plain[..held], bytes, flush: true)]);
        if (words < leastWords || words == 0)
        {
            return null;
        }

        Span<byte> half = stackalloc byte[SHA256.HashSizeInBytes];
        hash.GetHashAndReset(half);
        return new(BitConverter.ToUInt64(half), BitConverter.ToUInt64(half[8..]));
    }
}
