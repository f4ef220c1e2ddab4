using System.Text;
using CoPe.Tokens.Pipeline;

namespace CoPe.Tokens;

/// <summary>
/// Text of ids that arrive one by one. What <see cref="Add"/> returns is final and never ends inside a character; all of it and
/// <see cref="Finish"/> together equal <see cref="Tokenizer.Decode"/> of all ids.
/// </summary>
public sealed class StreamingDecoder
{
    readonly Tokenizer _tokenizer;
    readonly bool _skipSpecialTokens;
    readonly StringBuilder _text = new();
    readonly DecoderStep _steps;

    internal StreamingDecoder(Tokenizer tokenizer, TokenDecoder decoder, bool skipSpecialTokens)
    {
        (_tokenizer, _skipSpecialTokens) = (tokenizer, skipSpecialTokens);
        _steps = decoder.Start(_text);
    }

    /// <summary>Takes the next id and returns the text that has become final; often a word, empty while a character is unfinished.</summary>
    public string Add(int id)
    {
        if (_tokenizer.TokenOf(id) is { } token && !(_skipSpecialTokens && _tokenizer.IsSpecial(id))) _steps.Push(token);
        return Take();
    }

    /// <summary>Says that no id follows and returns what was held back; an unfinished character comes out as U+FFFD.</summary>
    public string Finish()
    {
        _steps.End();
        return Take();
    }

    string Take()
    {
        var text = _text.ToString();
        _text.Clear();
        return text;
    }
}
