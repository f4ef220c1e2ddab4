using System.Security.Cryptography;
using System.Text;
using CoPe.Experiments.Tasks;

namespace CoPe.Experiments.Data.Checking;

/// <summary>
/// Texts of the test users that must not be trained on: their queries, and for the task-adaptive model their histories
/// too.
/// </summary>
sealed class LeakIndex(TaskDefinition definition)
{
    readonly Dictionary<UInt128, string> _queries = [];
    readonly Dictionary<UInt128, string> _items = [];
    readonly HashSet<string> _queryIds = [];

    /// <summary>Adds a test user; a gold may come from the label file.</summary>
    public void Add(LampUser user, Func<LampQuery, string> findGold)
    {
        foreach (var query in user.Queries)
        {
            _queryIds.Add(query.Id);
            foreach (var key in ComputeKeys(query.Input, findGold(query)))
            {
                _queries.TryAdd(key, $"query {query.Id} of user {user.Id}");
            }
        }

        foreach (var item in user.History)
        {
            foreach (var key in ComputeKeys(item))
            {
                _items.TryAdd(key, $"item {item.Id} of user {user.Id}");
            }
        }
    }

    /// <summary>The test query whose text a history item holds, in words; null where there is none.</summary>
    public string? FindQuery(HistoryItem item) =>
        ComputeKeys(item).Select(_queries.GetValueOrDefault).FirstOrDefault(found => found is not null);

    /// <summary>
    /// The test user's query or item that a training query holds, in words; null where there is none.
    /// </summary>
    public string? FindTestText(LampQuery query, string gold)
    {
        if (_queryIds.Contains(query.Id))
        {
            return $"query {query.Id} by its id";
        }

        return ComputeKeys(query.Input, gold)
            .Select(key => _queries.GetValueOrDefault(key) ?? _items.GetValueOrDefault(key))
            .FirstOrDefault(found => found is not null);
    }

    IEnumerable<UInt128> ComputeKeys(HistoryItem item)
    {
        var (task, template) = definition;
        // An item without input of its own would match every other one by the wording alone.
        var hasInput = TextFingerprint.Compute(task.InputFields.Select(field => item.Fields[field])) is not null;
        return ComputeKeys(hasInput ? template.FormatHistoryItem(item) : "", item.Fields[task.OutputField]);
    }

    IEnumerable<UInt128> ComputeKeys(string input, string answer)
    {
        // Without input fields, every request is the same.
        var requestKey = definition.Task.InputFields.Count > 0 ? TextFingerprint.Compute(input) : null;
        if (requestKey is not null)
        {
            yield return requestKey.Value ^ 1; // so that a request never equals an answer
        }

        // Categories and ratings repeat: only free text identifies its writer.
        var answerKey = definition.Task.Outcome == TaskOutcome.Text ? TextFingerprint.Compute(answer) : null;
        if (answerKey is not null)
        {
            yield return answerKey.Value;
        }
    }
}

/// <summary>
/// Stands for a text in comparisons: two texts have the same fingerprint where their letters and digits are the same,
/// case, blanks and punctuation aside.
/// </summary>
static class TextFingerprint
{
    /// <summary>Fewest words that make a text its writer's own; shorter ones ("Thank you") repeat by chance.</summary>
    public const int MinWords = 4;

    const int CharactersAtOnce = 512;

    /// <summary>
    /// The first half of the SHA-256 of the words; null where the text has fewer than <paramref name="minWords"/>.
    /// </summary>
    public static UInt128? Compute(string text, int minWords = MinWords)
    {
        ArgumentNullException.ThrowIfNull(text);
        return Compute([text], minWords);
    }

    /// <summary>The fingerprint of texts one after the other.</summary>
    public static UInt128? Compute(IEnumerable<string> texts, int minWords = MinWords)
    {
        ArgumentNullException.ThrowIfNull(texts);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var encoder = Encoding.UTF8.GetEncoder();
        Span<char> normalized = stackalloc char[CharactersAtOnce + 2];
        Span<byte> bytes = stackalloc byte[Encoding.UTF8.GetMaxByteCount(CharactersAtOnce + 2)];
        var (held, words) = (0, 0);
        foreach (var text in texts)
        {
            var isInWord = false;
            foreach (var letter in text)
            {
                var isLetter = char.IsLetterOrDigit(letter) || char.IsSurrogate(letter);
                if (isLetter && !isInWord && ++words > 1)
                {
                    normalized[held++] = ' ';
                }

                if (isLetter)
                {
                    normalized[held++] = char.ToLowerInvariant(letter);
                }

                isInWord = isLetter;
                if (held < CharactersAtOnce)
                {
                    continue;
                }

                hash.AppendData(bytes[..encoder.GetBytes(normalized[..held], bytes, flush: false)]);
                held = 0;
            }
        }

        hash.AppendData(bytes[..encoder.GetBytes(normalized[..held], bytes, flush: true)]);
        if (words < minWords || words == 0)
        {
            return null;
        }

        Span<byte> half = stackalloc byte[SHA256.HashSizeInBytes];
        hash.GetHashAndReset(half);
        return new(BitConverter.ToUInt64(half), BitConverter.ToUInt64(half[8..]));
    }
}
