using System.Globalization;
using System.Text;

namespace CoPe.Tokens.Pipeline;

internal sealed class CollectStep(StringBuilder text) : DecoderStep(null)
{
    public override void Push(string token) => text.Append(token);
}

/// <summary>Without a decoder, tokens stand apart by spaces.</summary>
internal sealed class SpacedStep(DecoderStep next) : DecoderStep(next)
{
    bool _first = true;

    public override void Push(string token)
    {
        Pass(_first ? token : " " + token);
        _first = false;
    }
}

internal sealed class ReplaceStep(string pattern, string content, DecoderStep next) : DecoderStep(next)
{
    public override void Push(string token) => Pass(token.Replace(pattern, content, StringComparison.Ordinal));
}

/// <summary>Word marks become spaces; those of the first token go, as encoding put one there.</summary>
internal sealed class MetaspaceStep(Metaspace metaspace, DecoderStep next) : DecoderStep(next)
{
    bool _first = true;

    public override void Push(string token)
    {
        var drop = _first && metaspace.Scheme != "never";
        Pass(drop ? token.Replace(metaspace.Replacement.ToString(), "", StringComparison.Ordinal) : token.Replace(metaspace.Replacement, ' '));
        _first = false;
    }
}

/// <summary>Cuts a character from the ends of each token, or from the beginning of the whole text.</summary>
internal sealed class StripStep(char character, int start, int stop, bool whole, DecoderStep next) : DecoderStep(next)
{
    int? _left;

    public override void Push(string token)
    {
        var left = whole ? _left ?? start : start;
        var from = 0;
        for (; left > 0 && from < token.Length; from++, left--)
        {
            if (token[from] == character) continue;
            left = 0;
            break;
        }
        _left = left;
        var to = token.Length;
        for (var right = stop; right > 0 && to > from && token[to - 1] == character; right--) to--;
        Pass(token[from..to]);
    }
}

/// <summary>A run of byte tokens becomes the text it encodes or, where it is no UTF-8, one U+FFFD per byte; so a run is held until it ends.</summary>
internal sealed class ByteFallbackStep(DecoderStep next) : DecoderStep(next)
{
    static readonly UTF8Encoding Strict = new(false, throwOnInvalidBytes: true);

    readonly List<byte> _run = [];

    public override void Push(string token)
    {
        if (token is ['<', '0', 'x', _, _, '>'] && byte.TryParse(token.AsSpan(3, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var value))
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
        if (_run.Count == 0) return;
        string text;
        try { text = Strict.GetString([.. _run]); }
        catch (DecoderFallbackException) { text = new string('\uFFFD', _run.Count); }
        _run.Clear();
        Pass(text);
    }
}

/// <summary>Tokens spelled in the byte-level alphabet become bytes, bytes become text; an unfinished character waits for its other bytes.</summary>
internal sealed class ByteLevelStep(DecoderStep next) : DecoderStep(next)
{
    readonly Decoder _utf8 = Encoding.UTF8.GetDecoder();

    // A token with a character outside the alphabet, such as an added one, stands for its own text.
    public override void Push(string token) => PassText(ByteAlphabet.Read(token) ?? CodePoints.Utf8(token), last: false);

    public override void End()
    {
        PassText([], last: true);
        base.End();
    }

    void PassText(byte[] bytes, bool last)
    {
        var characters = new char[Encoding.UTF8.GetMaxCharCount(bytes.Length)];
        var count = _utf8.GetChars(bytes, characters, last);
        if (count > 0) Pass(new string(characters, 0, count));
    }
}
