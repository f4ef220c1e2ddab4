using System.Globalization;
using System.Text;

namespace CoPe.Tokens.Pipeline;

/// <summary>
/// A step on the way from tokens to text. It passes text on as soon as it is final, so that the same code serves whole
/// texts and streams.
/// </summary>
abstract class DecoderStep(DecoderStep? next)
{
    /// <summary>Takes the next token.</summary>
    public abstract void Push(string token);

    /// <summary>Says that no token follows.</summary>
    public virtual void End() => next?.End();

    protected void Pass(string token) => next!.Push(token);
}

/// <summary>The decoder of a tokenizer.json. Each text gets a chain of steps of its own.</summary>
sealed class TokenDecoder
{
    const string Known = "Sequence, ByteLevel, Metaspace, Replace, ByteFallback, Fuse, Strip";

    readonly List<Func<DecoderStep, DecoderStep>> _steps = [];

    /// <summary>A step made one token of all, so that those after it see a single beginning and end.</summary>
    bool _isFused;

    public static TokenDecoder Read(JsonPart part)
    {
        var decoder = new TokenDecoder();
        if (part.IsAbsent)
        {
            decoder._steps.Add(next => new SpacedStep(next));
        }
        else
        {
            decoder.Add(part);
        }

        return decoder;
    }

    /// <summary>A chain that ends in <paramref name="text"/>.</summary>
    public DecoderStep CreateChain(StringBuilder text)
    {
        DecoderStep chain = new CollectStep(text);
        for (var i = _steps.Count - 1; i >= 0; i--)
        {
            chain = _steps[i](chain);
        }

        return chain;
    }

    void Add(JsonPart part)
    {
        var type = part["type"].GetString();
        switch (type)
        {
            case "Sequence":
                foreach (var item in part["decoders"].EnumerateArray())
                {
                    Add(item);
                }

                break;
            case "Fuse":
                _isFused = true;
                break;
            case "ByteLevel":
                _steps.Add(next => new ByteLevelStep(next));
                _isFused = true;
                break;
            case "ByteFallback":
                _steps.Add(next => new ByteFallbackStep(next));
                break;
            case "Metaspace":
                var metaspace = Metaspace.Read(part);
                _steps.Add(next => new MetaspaceStep(metaspace, next));
                break;
            case "Replace":
                AddReplace(part);
                break;
            case "Strip":
                AddStrip(part);
                break;
            default:
                throw part.Unsupported("decoder", type, Known);
        }
    }

    void AddReplace(JsonPart part)
    {
        var pattern = Normalizer.ReadLiteralPattern(part["pattern"]);
        var content = part["content"].GetString();
        if (_isFused && pattern.Length > 1)
        {
            throw part.Error("replaces several characters after the tokens were fused, which is not supported");
        }

        _steps.Add(next => new ReplaceStep(pattern, content, next));
    }

    void AddStrip(JsonPart part)
    {
        var character = part["content"].GetChar();
        var start = part["start"].GetInt32();
        var stop = part["stop"].GetInt32();
        if (stop > 0 && _isFused)
        {
            var count = stop.ToString(CultureInfo.InvariantCulture);
            throw part["stop"].Unsupported("strip of the text's end by", count, "0");
        }

        if (_isFused)
        {
            _steps.Add(next => new StripTextStartStep(character, start, next));
        }
        else
        {
            _steps.Add(next => new StripTokensStep(character, start, stop, next));
        }
    }
}

sealed class CollectStep(StringBuilder text) : DecoderStep(null)
{
    public override void Push(string token) => text.Append(token);
}

/// <summary>Without a decoder, spaces stand between tokens.</summary>
sealed class SpacedStep(DecoderStep next) : DecoderStep(next)
{
    bool _isFirst = true;

    public override void Push(string token)
    {
        Pass(_isFirst ? token : " " + token);
        _isFirst = false;
    }
}

sealed class ReplaceStep(string pattern, string content, DecoderStep next) : DecoderStep(next)
{
    public override void Push(string token) => Pass(token.Replace(pattern, content, StringComparison.Ordinal));
}

/// <summary>Word marks become spaces; those of the first token are dropped, as encoding put one there.</summary>
sealed class MetaspaceStep(Metaspace metaspace, DecoderStep next) : DecoderStep(next)
{
    bool _isFirst = true;

    public override void Push(string token)
    {
        var dropsMarks = _isFirst && metaspace.Scheme != "never";
        _isFirst = false;
        var text = dropsMarks
            ? token.Replace(metaspace.Replacement.ToString(), "", StringComparison.Ordinal)
            : token.Replace(metaspace.Replacement, ' ');
        Pass(text);
    }
}

/// <summary>Removes up to so many of a character from both ends of each token.</summary>
sealed class StripTokensStep(char character, int maxStart, int maxEnd, DecoderStep next) : DecoderStep(next)
{
    public override void Push(string token)
    {
        var start = 0;
        while (start < maxStart && start < token.Length && token[start] == character)
        {
            start++;
        }

        var end = token.Length;
        while (token.Length - end < maxEnd && end > start && token[end - 1] == character)
        {
            end--;
        }

        Pass(token[start..end]);
    }
}

/// <summary>Removes up to so many of a character from the beginning of the text.</summary>
sealed class StripTextStartStep(char character, int max, DecoderStep next) : DecoderStep(next)
{
    int _remaining = max;

    public override void Push(string token)
    {
        var start = 0;
        while (_remaining > 0 && start < token.Length)
        {
            if (token[start] != character)
            {
                _remaining = 0;
                break;
            }

            start++;
            _remaining--;
        }

        Pass(token[start..]);
    }
}

/// <summary>
/// Byte tokens in a row become the text they encode or, where they are not UTF-8, one U+FFFD a byte; so they are held
/// until another token follows.
/// </summary>
sealed class ByteFallbackStep(DecoderStep next) : DecoderStep(next)
{
    static readonly UTF8Encoding Strict = new(false, throwOnInvalidBytes: true);

    readonly List<byte> _bytes = [];

    public override void Push(string token)
    {
        if (TryParseByte(token, out var value))
        {
            _bytes.Add(value);
            return;
        }

        PassBytes();
        Pass(token);
    }

    public override void End()
    {
        PassBytes();
        base.End();
    }

    /// <summary>Reads a token such as <c>&lt;0x0A&gt;</c>.</summary>
    static bool TryParseByte(string token, out byte value)
    {
        value = 0;
        return token is ['<', '0', 'x', _, _, '>']
            && byte.TryParse(
                token.AsSpan(3, 2),
                NumberStyles.AllowHexSpecifier,
                CultureInfo.InvariantCulture,
                out value
            );
    }

    void PassBytes()
    {
        if (_bytes.Count == 0)
        {
            return;
        }

        var text = DecodeBytes();
        _bytes.Clear();
        Pass(text);
    }

    string DecodeBytes()
    {
        try
        {
            return Strict.GetString([.. _bytes]);
        }
        catch (DecoderFallbackException)
        {
            return new string('\uFFFD', _bytes.Count);
        }
    }
}

/// <summary>
/// Tokens spelled in the byte-level alphabet become bytes, bytes become text; an unfinished character waits for its
/// other bytes.
/// </summary>
sealed class ByteLevelStep(DecoderStep next) : DecoderStep(next)
{
    readonly Decoder _utf8 = Encoding.UTF8.GetDecoder();

    public override void Push(string token)
    {
        // A token with a character outside the alphabet, such as an added one, stands for its own text.
        var bytes = ByteLevelAlphabet.Decode(token) ?? CodePoints.ToUtf8(token);
        PassText(bytes, isLast: false);
    }

    public override void End()
    {
        PassText([], isLast: true);
        base.End();
    }

    void PassText(byte[] bytes, bool isLast)
    {
        var characters = new char[Encoding.UTF8.GetMaxCharCount(bytes.Length)];
        var count = _utf8.GetChars(bytes, characters, isLast);
        if (count > 0)
        {
            Pass(new string(characters, 0, count));
        }
    }
}

/// <summary>The tidying of English spacing that transformers calls clean_up_tokenization.</summary>
static class EnglishSpacing
{
    static readonly (string From, string To)[] Rules =
    [
        (" .", "."),
        (" ?", "?"),
        (" !", "!"),
        (" ,", ","),
        (" ' ", "'"),
        (" n't", "n't"),
        (" 'm", "'m"),
        (" 's", "'s"),
        (" 've", "'ve"),
        (" 're", "'re"),
    ];

    public static string CleanUp(string text) =>
        Rules.Aggregate(text, (now, rule) => now.Replace(rule.From, rule.To, StringComparison.Ordinal));
}
