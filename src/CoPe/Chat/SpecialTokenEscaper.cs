namespace CoPe.Chat;

/// <summary>A conversation in which text of special tokens cannot be recognized.</summary>
/// <param name="Messages">The messages, with substitutes in the text of special tokens.</param>
/// <param name="Originals">The character that each substitute stands for.</param>
sealed record EscapedConversation(IReadOnlyList<ChatMessage> Messages, IReadOnlyDictionary<char, char> Originals)
{
    static readonly IReadOnlyDictionary<char, char> None = new Dictionary<char, char>();

    /// <summary>A conversation as it is.</summary>
    public static EscapedConversation Unchanged(IReadOnlyList<ChatMessage> messages) => new(messages, None);
}

/// <summary>
/// Makes special-token text inside messages unrecognizable while a template renders them: the first character of each
/// such text is replaced by a private-use character that occurs nowhere in the conversation, and put back once special
/// tokens have been split off the rendered text.
/// </summary>
sealed class SpecialTokenEscaper
{
    const char FirstSubstitute = '\uE000';
    const char LastSubstitute = '\uF8FF';

    readonly string[] _specialTokens;
    readonly HashSet<char> _usedCharacters;
    readonly HashSet<char> _firstCharacters;

    public SpecialTokenEscaper(IEnumerable<string> specialTokens)
    {
        _specialTokens = [.. specialTokens.Where(token => token.Length > 0).Distinct()];
        _usedCharacters = [.. _specialTokens.SelectMany(token => token)];
        _firstCharacters = [.. _specialTokens.Select(token => token[0])];
    }

    /// <summary>The messages with substitutes.</summary>
    /// <exception cref="ArgumentException">The conversation leaves no private-use character free.</exception>
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
        char[]? escaped = null;
        for (var i = 0; i < text.Length; i++)
        {
            if (_firstCharacters.Contains(text[i]) && StartsWithSpecialToken(text.AsSpan(i)))
            {
                escaped ??= text.ToCharArray();
                escaped[i] = substitutes.GetFor(text[i]);
            }
        }

        return escaped is null ? text : new string(escaped);
    }

    /// <summary>
    /// A text that only begins like a special token counts when the message ends with it: what follows in the rendered
    /// text might complete it.
    /// </summary>
    bool StartsWithSpecialToken(ReadOnlySpan<char> text)
    {
        var trimmed = text.TrimEnd();
        foreach (var token in _specialTokens)
        {
            var isBegun = trimmed.Length < token.Length && token.AsSpan().StartsWith(trimmed);
            if (isBegun || text.StartsWith(token))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>The substitutes of one conversation, one for each character that is replaced.</summary>
    sealed class Substitutes(SpecialTokenEscaper escaper, IReadOnlyList<ChatMessage> messages)
    {
        readonly Dictionary<char, char> _byOriginal = [];
        HashSet<char>? _used;

        public IReadOnlyDictionary<char, char> Originals =>
            _byOriginal.ToDictionary(pair => pair.Value, pair => pair.Key);

        public char GetFor(char original)
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
