using System.Text;
using CoPe.Tokens.Pipeline;

namespace CoPe.Chat;

/// <summary>A conversation in which text of special tokens cannot be recognized.</summary>
/// <param name="Messages">The messages, with substitutes in the text of special tokens.</param>
/// <param name="Originals">The character that each substitute stands for, of one or two units.</param>
sealed record EscapedConversation(IReadOnlyList<ChatMessage> Messages, IReadOnlyDictionary<char, string> Originals)
{
    static readonly IReadOnlyDictionary<char, string> None = new Dictionary<char, string>();

    /// <summary>A conversation as it is.</summary>
    public static EscapedConversation Unchanged(IReadOnlyList<ChatMessage> messages) => new(messages, None);
}

/// <summary>
/// Makes special-token text inside messages unrecognizable while a template renders them: the first character of each
/// such text is replaced by a private-use character that occurs nowhere in the conversation, and put back once special
/// tokens have been split off the rendered text. Text that only becomes a special token's when the tokenizer normalizes
/// it counts too.
/// </summary>
sealed class SpecialTokenEscaper
{
    const char FirstSubstitute = '\uE000';
    const char LastSubstitute = '\uF8FF';

    /// <summary>
    /// Units of text that one unit of a normalized token may come from: a decomposed character and its marks.
    /// </summary>
    const int UnitsPerNormalizedUnit = 4;

    readonly string[] _specialTokens;
    readonly string[] _normalizedTokens;
    readonly int _longestNormalized;
    readonly Func<string, string> _normalize;
    readonly HashSet<char> _usedCharacters;
    readonly HashSet<char> _firstCharacters;

    /// <summary>For these tokens.</summary>
    /// <param name="specialTokens">The special tokens of a tokenizer.</param>
    /// <param name="marks">Texts that are kept from a template in the same way, for it would act on them.</param>
    /// <param name="normalize">What the tokenizer does to a text before it looks for normalized tokens.</param>
    public SpecialTokenEscaper(
        IReadOnlyList<AddedToken> specialTokens,
        IEnumerable<string> marks,
        Func<string, string> normalize
    )
    {
        _normalize = normalize;
        _specialTokens =
        [
            .. specialTokens.Select(token => token.Content).Concat(marks).Where(token => token.Length > 0).Distinct(),
        ];
        _normalizedTokens =
        [
            .. specialTokens
                .Where(token => token.Normalized)
                .Select(token => normalize(token.Content))
                .Where(token => token.Length > 0)
                .Distinct(),
        ];
        _longestNormalized = _normalizedTokens.Select(token => token.Length).DefaultIfEmpty().Max();
        _usedCharacters = [.. _specialTokens.Concat(_normalizedTokens).SelectMany(token => token)];
        _firstCharacters = [.. _specialTokens.Select(token => token[0])];
    }

    /// <summary>The messages with substitutes.</summary>
    /// <exception cref="ArgumentException">
    /// The conversation leaves no private-use character free, or a text becomes a special token's whatever is replaced.
    /// </exception>
    public EscapedConversation Escape(IReadOnlyList<ChatMessage> messages)
    {
        var substitutes = new Substitutes(this, messages);
        var escaped = messages
            .Select(message => new ChatMessage(Escape(message.Role, substitutes), Escape(message.Content, substitutes)))
            .ToList();
        return new EscapedConversation(escaped, substitutes.Originals);
    }

    string Escape(string text, Substitutes substitutes)
    {
        StringBuilder? escaped = null;
        var done = 0;
        for (var i = 0; i < text.Length; i++)
        {
            if (!BeginsSpecialToken(text, i))
            {
                continue;
            }

            var length = char.IsSurrogatePair(text, i) ? 2 : 1;
            escaped ??= new StringBuilder(text.Length);
            escaped.Append(text, done, i - done).Append(substitutes.GetFor(text.Substring(i, length)));
            done = i + length;
            i = done - 1;
        }

        var result = escaped is null ? text : escaped.Append(text, done, text.Length - done).ToString();
        RefuseSpecialText(result);
        return result;
    }

    bool BeginsSpecialToken(string text, int index)
    {
        var isRaw = _firstCharacters.Contains(text[index]) && BeginsOneOf(_specialTokens, text.AsSpan(index));
        return isRaw || (_normalizedTokens.Length > 0 && BeginsNormalizedToken(text, index));
    }

    bool BeginsNormalizedToken(string text, int index)
    {
        var length = Math.Min(text.Length - index, _longestNormalized * UnitsPerNormalizedUnit);
        return BeginsOneOf(_normalizedTokens, _normalize(text.Substring(index, length)));
    }

    /// <summary>
    /// A text that only begins like a special token counts when the message ends with it: what follows in the rendered
    /// text might complete it.
    /// </summary>
    static bool BeginsOneOf(string[] tokens, ReadOnlySpan<char> text)
    {
        var trimmed = text.TrimEnd();
        foreach (var token in tokens)
        {
            var isBegun = trimmed.Length > 0 && trimmed.Length < token.Length && token.AsSpan().StartsWith(trimmed);
            if (isBegun || text.StartsWith(token))
            {
                return true;
            }
        }

        return false;
    }

    void RefuseSpecialText(string escaped)
    {
        if (_normalizedTokens.Length == 0)
        {
            return;
        }

        var normalized = _normalize(escaped);
        if (
            _normalizedTokens.FirstOrDefault(token => normalized.Contains(token, StringComparison.Ordinal)) is { } token
        )
        {
            throw new ArgumentException(
                $"A message becomes the special token {token} when the tokenizer normalizes it; leave that part out."
            );
        }
    }

    /// <summary>The substitutes of one conversation, one for each character that is replaced.</summary>
    sealed class Substitutes(SpecialTokenEscaper escaper, IReadOnlyList<ChatMessage> messages)
    {
        readonly Dictionary<string, char> _byOriginal = [];
        HashSet<char>? _used;

        public IReadOnlyDictionary<char, string> Originals =>
            _byOriginal.ToDictionary(pair => pair.Value, pair => pair.Key);

        public char GetFor(string original)
        {
            if (!_byOriginal.TryGetValue(original, out var substitute))
            {
                substitute = FindUnused();
                _byOriginal[original] = substitute;
            }

            return substitute;
        }

        char FindUnused()
        {
            // Most conversations hold no text of a special token: only one that does is searched.
            _used ??=
            [
                .. escaper._usedCharacters,
                .. messages.SelectMany(message => message.Role.Concat(message.Content)),
            ];
            for (var candidate = FirstSubstitute; candidate <= LastSubstitute; candidate++)
            {
                if (_used.Add(candidate))
                {
                    return candidate;
                }
            }

            throw new ArgumentException(
                "The conversation holds every private-use character of Unicode; leave some of them out."
            );
        }
    }
}
