using System.Text;

namespace CoPe.Tokens.Pipeline;

/// <summary>A step on the way from tokens to text. It passes text on as soon as it is final, so that one piece of code serves whole texts and streams.</summary>
internal abstract class DecoderStep(DecoderStep? next)
{
    /// <summary>Takes the next token.</summary>
    public abstract void Push(string token);

    /// <summary>Says that no token follows.</summary>
    public virtual void End() => next?.End();

    protected void Pass(string token) => next!.Push(token);
}

/// <summary>The decoder of a tokenizer.json: makes a fresh chain of steps for each text.</summary>
internal sealed class TokenDecoder
{
    const string Known = "Sequence, ByteLevel, Metaspace, Replace, ByteFallback, Fuse, Strip";

    readonly List<Func<DecoderStep, DecoderStep>> _steps = [];

    public static TokenDecoder Read(JsonPart part)
    {
        var decoder = new TokenDecoder();
        var fused = false;
        if (part.IsAbsent) decoder._steps.Add(next => new SpacedStep(next));
        else decoder.Collect(part, ref fused);
        return decoder;
    }

    /// <summary>A chain that ends in <paramref name="text"/>.</summary>
    public DecoderStep Start(StringBuilder text)
    {
        DecoderStep chain = new CollectStep(text);
        for (var i = _steps.Count - 1; i >= 0; i--) chain = _steps[i](chain);
        return chain;
    }

    // fused: an earlier step made one token of all, so that a later one sees a single beginning and end.
    void Collect(JsonPart part, ref bool fused)
    {
        var type = part["type"].Text();
        switch (type)
        {
            case "Sequence":
                foreach (var item in part["decoders"].Items()) Collect(item, ref fused);
                break;
            case "Fuse": fused = true; break;
            case "ByteLevel":
                _steps.Add(next => new ByteLevelStep(next));
                fused = true;
                break;
            case "ByteFallback": _steps.Add(next => new ByteFallbackStep(next)); break;
            case "Metaspace":
                var metaspace = Metaspace.Read(part);
                _steps.Add(next => new MetaspaceStep(metaspace, next));
                break;
            case "Replace":
                string pattern = Normalizer.LiteralPattern(part["pattern"]), content = part["content"].Text();
                if (fused && pattern.Length > 1) throw part.Fail("replaces several characters after the tokens were fused, which is not supported");
                _steps.Add(next => new ReplaceStep(pattern, content, next));
                break;
            case "Strip":
                var (character, start, stop, whole) = (part["content"].Character(), part["start"].Number(), part["stop"].Number(), fused);
                if (stop > 0 && fused) throw part["stop"].Unknown("strip of the text's end by", stop.ToString(System.Globalization.CultureInfo.InvariantCulture), "0");
                _steps.Add(next => new StripStep(character, start, stop, whole, next));
                break;
            default: throw part.Unknown("decoder", type, Known);
        }
    }
}
