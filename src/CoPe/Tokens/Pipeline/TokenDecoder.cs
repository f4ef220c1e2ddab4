using System.Globalization;
using System.Text;

namespace CoPe.Tokens.Pipeline;

/// <summary>
/// A step on the way from tokens to text. It passes text on as soon as it is final, so that one piece of code serves
/// whole texts and streams.
/// </summary>
abstract class DecoderStep(DecoderStep? next)
{
    /// <summary>Takes the next token.</summary>
    public abstract void Push(string token);

    /// <summary>Says that no token follows.</summary>
    public virtual void End() => next?.End();

    protected void Pass(string token) => next!.Push(token);
}

/// <summary>The decoder of a tokenizer.json: makes a fresh chain of steps for each text.</summary>
sealed class TokenDecoder
{
    const string Known = "Sequence, ByteLevel, Metaspace, Replace, ByteFallback, Fuse, Strip";

    readonly List<Func<DecoderStep, DecoderStep>> _steps = [];

    public static TokenDecoder Read(JsonPart part)
    {
        var decoder = new TokenDecoder();
        var fused = false;
        if (part.IsAbsent)
        {
            decoder._steps.Add(next => new SpacedStep(next));
        }
        else
        {
            decoder.Collect(part, ref fused);
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

    // fused: an earlier step made one token of all, so that a later one sees a single beginning and end.
    void Collect(JsonPart part, ref bool fused)
    {
        var type = part["type"].GetString();
        switch (type)
        {
            case "Sequence":
                foreach (var item in part["decoders"].EnumerateArray())
                {
                    Collect(item, ref fused);
                }

                break;
            case "Fuse":
                fused = true;
                break;
            case "ByteLevel":
                _steps.Add(next => new ByteLevelStep(next));
                fused = true;
                break;
            case "ByteFallback":
                _steps.Add(next => new ByteFallbackStep(next));
                break;
            case "Metaspace":
                var metaspace = Metaspace.Read(part);
                _steps.Add(next => new MetaspaceStep(metaspace, next));
                break;
            case "Replace":
                string pattern = Normalizer.LiteralPattern(part["pattern"]),
                    content = part["content"].GetString();
                if (fused && pattern.Length > 1)
                {
                    throw part.Error("replaces several characters after the tokens were fused, which is not supported");
                }

                _steps.Add(next => new ReplaceStep(pattern, content, next));
                break;
            case "Strip":
                var (character, start, stop, whole) = (
                    part["content"].GetChar(),
                    part["start"].GetInt32(),
                    part["stop"].GetInt32(),
                    fused
                );
                if (stop > 0 && fused)
                {
                    throw part["stop"]
                        .Unsupported(
                            "strip of the text's end by",
                            stop.ToString(System.Globalization.CultureInfo.InvariantCulture),
                            "0"
                        );
                }

                _steps.Add(next => new StripStep(character, start, stop, whole, next));
                break;
            default:
                throw part.Unsupported("decoder", type, Known);
        }
    }
}

sealed class CollectStep(StringBuilder text) : DecoderStep(null)
{
    public override void Push(string token) => text.Append(token);
}

/// <summary>Without a decoder, tokens stand apart by spaces.</summary>
sealed class SpacedStep(DecoderStep next) : DecoderStep(next)
{
    bool _first = true;

    public override void Push(string token)
    {
        Pass(_first ? token : " " + token);
        _first = false;
    }
}

sealed class ReplaceStep(string pattern, string content, DecoderStep next) : DecoderStep(next)
{
    public override void Push(string token) => Pass(token.Replace(pattern, content, StringComparison.Ordinal));
}

/// <summary>Word marks become spaces; those of the first token go, as encoding put one there.</summary>
sealed class MetaspaceStep(Metaspace metaspace, DecoderStep next) : DecoderStep(next)
{
    bool _first = true;

    public override void Push(string token)
    {
        var drop = _first && metaspace.Scheme != "never";
        Pass(
            drop
                ? token.Replace(metaspace.Replacement.ToString(), "", StringComparison.Ordinal)
                : token.Replace(metaspace.Replacement, ' ')
        );
        _first = false;
    }
}

/// <summary>Cuts a character from the ends of each token, or from the beginning of the whole text.</summary>
sealed class StripStep(char character, int start, int stop, bool whole, DecoderStep next) : DecoderStep(next)
{
    int? _left;

    public override void Push(string token)
    {
        var left = whole ? _left ?? start : start;
        var from = 0;
        for (; left > 0 && from < token.Length; from++, left--)
        {
            if (token[from] == character)
            {
                continue;
            }

            left = 0;
            break;
        }
        _left = left;
        var to = token.Length;
        for (var right = stop; right > 0 && to > from && token[to - 1] == character; right--)
        {
            to--;
        }

        Pass(token[from..to]);
    }
}

/// <summary>
/// A run of byte tokens becomes the text it encodes or, where it is no UTF-8, one U+FFFD per byte; so a run is held
/// until it ends.
/// </summary>
sealed class ByteFallbackStep(DecoderStep next) : DecoderStep(next)
{
    static readonly UTF8Encoding Strict = new(false, throwOnInvalidBytes: true);

    readonly List<byte> _run = [];

    public override void Push(string token)
    {
        if (
            token is ['<', '0', 'x', _, _, '>']
            && byte.TryParse(
                token.AsSpan(3, 2),
                NumberStyles.AllowHexSpecifier,
                CultureInfo.InvariantCulture,
                out var value
            )
        )
        {
            _run.Add(value);
            return;
        }
        PassRun();
        Pass(token);
    }

    public override void End()
    {
        PassRun();
        base.End();
    }

    void PassRun()
    {
        if (_run.Count == 0)
        {
            return;
        }

        string text;
        try
        {
            text = Strict.GetString([.. _run]);
        }
        catch (DecoderFallbackException)
        {
            text = new string('\uFFFD', _run.Count);
        }
        _run.Clear();
        Pass(text);
    }
}

/// <summary>
/// Tokens spelled in the byte-level alphabet become bytes, bytes become text; an unfinished character waits for its
/// other bytes.
/// </summary>
sealed class ByteLevelStep(DecoderStep next) : DecoderStep(next)
{
    readonly Decoder _utf8 = Encoding.UTF8.GetDecoder();

    // A token with a character outside the alphabet, such as an added one, stands for its own text.
    public override void Push(string token) =>
        PassText(ByteLevelAlphabet.Decode(token) ?? CodePoints.ToUtf8(token), last: false);

    public override void End()
    {
        PassText([], last: true);
        base.End();
    }

    void PassText(byte[] bytes, bool last)
    {
        var characters = new char[Encoding.UTF8.GetMaxCharCount(bytes.Length)];
        var count = _utf8.GetChars(bytes, characters, last);
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
