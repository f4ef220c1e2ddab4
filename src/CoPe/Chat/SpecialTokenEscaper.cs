namespace CoPe.Chat;

/// <summary>
/// Makes special-token text inside messages unrecognisable while a template renders them: the first character of each
/// such text is replaced by
/// a private-use character that occurs nowhere in the conversation, and put back once special tokens have been cut out
/// of the rendered text.
/// </summary>
sealed class SpecialTokenEscaper
{
    const char FirstPlaceholder = '\uE000',
        LastPlaceholder = '\uF8FF';

    readonly string[] _special;
    readonly HashSet<char> _used;
    readonly HashSet<char> _firsts;

    public SpecialTokenEscaper(IEnumerable<string> special)
    {
        _special = [.. special.Where(text => text.Length > 0).Distinct()];
        _used = [.. _special.SelectMany(text => text)];
        _firsts = [.. _special.Select(text => text[0])];
    }

    /// <summary>The messages with stand-ins, and which character each stands for.</summary>
    public IReadOnlyList<ChatMessage> Escape(
        IReadOnlyList<ChatMessage> messages,
        out IReadOnlyDictionary<char, char> shields
    )
    {
        var standIns = new Dictionary<char, char>(); // by the character they replace
        var used = new Lazy<HashSet<char>>(() =>
            [.. _used, .. messages.SelectMany(message => message.Role.Concat(message.Content))]
        );
        char StandIn(char original)
        {
            if (standIns.TryGetValue(original, out var known))
            {
                return known;
            }

            for (var candidate = FirstPlaceholder; candidate <= LastPlaceholder; candidate++)
            {
                if (used.Value.Add(candidate))
                {
                    return standIns[original] = candidate;
                }
            }

            throw new ArgumentException(
                "The conversation holds every private-use character of Unicode; leave some of them out."
            );
        }
        var shielded = messages
            .Select(message => new ChatMessage(Replace(message.Role, StandIn), Replace(message.Content, StandIn)))
            .ToList();
        shields = standIns.ToDictionary(pair => pair.Value, pair => pair.Key);
        return shielded;
    }

    string Replace(string text, Func<char, char> standIn)
    {
        char[]? changed = null;
        for (var i = 0; i < text.Length; i++)
        {
            if (!_firsts.Contains(text[i]) || !StartsWithSpecialToken(text.AsSpan(i)))
            {
                continue;
            }

            changed ??= text.ToCharArray();
            changed[i] = standIn(text[i]);
        }
        return changed is null ? text : new string(changed);
    }

    // A text that only begins like a special token counts when the message ends with it: what follows in the rendered
    // text might complete it.
    bool StartsWithSpecialToken(ReadOnlySpan<char> text)
    {
        var rest = text.TrimEnd();
        foreach (var special in _special)
        {
            if (text.StartsWith(special) || (rest.Length < special.Length && special.AsSpan().StartsWith(rest)))
            {
                return true;
            }
        }

        return false;
    }
}
