using CoPe.Prompts;
using CoPe.Tokens.Pipeline;

namespace CoPe.Tokens;

/// <summary>
/// Turns a request, and the answer to it, into ids through the model's own chat template: the one place where prompts become tokens, for every stage.
/// A model without a template gets plain text: the messages line by line with what its post-processor adds (BOS), the answer, and EOS.
/// Immutable, safe to share between threads.
/// </summary>
public sealed class ConversationEncoder
{
    readonly ConversationOptions _options;
    readonly AssistantTurn? _turn;
    readonly SpecialTextShield? _shield;

    ConversationEncoder(Tokenizer tokenizer, ChatTemplate? template, ConversationOptions options)
    {
        (Tokenizer, _options) = (tokenizer, options);
        if (template is null) return;
        var special = tokenizer.SpecialAddedTokens;
        var context = new ChatTemplateContext
        {
            SpecialTokens = tokenizer.SpecialTokens,
            Variables = options.TemplateVariables,
            Now = options.TemplateDate,
        };
        _turn = new AssistantTurn(template, context, new AddedTokenSplitter(special));
        if (!options.HuggingFaceSpecialText) _shield = new SpecialTextShield(special.Select(token => token.Content));
    }

    /// <summary>Reads tokenizer and chat template (<c>chat_template.jinja</c>, <c>chat_template.json</c> or the one in tokenizer_config.json) of a model folder.</summary>
    /// <exception cref="TokenizerException">A tokenizer file is missing, broken, or asks for what is not supported.</exception>
    /// <exception cref="ChatTemplateException">The template cannot be read.</exception>
    public static ConversationEncoder Load(string folder, ConversationOptions? options = null)
    {
        var tokenizer = Tokenizer.Load(folder);
        var template = tokenizer.Config.ChatTemplate is { } source ? ChatTemplate.Parse(source) : null;
        return new ConversationEncoder(tokenizer, template, options ?? new ConversationOptions());
    }

    /// <summary>The tokenizer.</summary>
    public Tokenizer Tokenizer { get; }

    /// <summary>True where the model folder has a chat template.</summary>
    public bool HasTemplate => _turn is not null;

    /// <summary>Ids after which an answer is over: the configuration's EOS and the token that ends the assistant's turn.</summary>
    public IReadOnlySet<int> StopIds => field ??= new HashSet<int>(EncodeResponse("x").TakeLast(1).Concat(Tokenizer.EosId is { } eos ? [eos] : []));

    /// <summary>Ids of the conversation up to and including the header that opens the assistant's turn. What a template prints is complete: no special token is added to it.</summary>
    /// <exception cref="ChatTemplateException">The template refuses the conversation, for example a system message, in its own words.</exception>
    public int[] EncodePrompt(IReadOnlyList<ChatMessage> messages)
    {
        if (_turn is null) return EncodePlain(string.Join('\n', messages.Select(message => message.Content)) + "\n");
        var shielded = Shield(messages, out var shields);
        return Tokenizer.Encoder.Encode(_turn.Prompt(shielded), shields, continuing: false);
    }

    /// <summary>
    /// Ids of an answer as the template writes it in the assistant's turn, up to and including the token that ends the turn.
    /// <c>EncodePrompt(messages)</c> followed by these is what a model trains on.
    /// </summary>
    /// <exception cref="TokenizerException">Neither the template nor the configuration names a token that ends an answer.</exception>
    public int[] EncodeResponse(string answer)
    {
        if (_turn is null) return [.. EncodeContinuation(answer), EndOfText()];
        var shielded = Shield([new ChatMessage("assistant", answer)], out var shields)[0].Content;
        var ids = Tokenizer.Encoder.Encode(_turn.Answer(shielded), shields, continuing: true);
        return _turn.EndsItself ? ids : [.. ids, EndOfText()];
    }

    /// <summary>Text of generated ids, special tokens dropped.</summary>
    public string DecodeResponse(IEnumerable<int> ids) => Tokenizer.Decode(ids);

    int EndOfText() => Tokenizer.EosId ?? throw new TokenizerException("tokenizer_config.json", "eos_token",
        "is missing, and no chat template says how an answer ends; name the token that ends a text");

    int[] EncodePlain(string text) => _options.HuggingFaceSpecialText
        ? Tokenizer.Encode(text)
        : Tokenizer.WithSpecialTokens(Tokenizer.EncodeAsText(text));

    int[] EncodeContinuation(string text) => Tokenizer.EncodeContinuation(text, specialText: _options.HuggingFaceSpecialText);

    IReadOnlyList<ChatMessage> Shield(IReadOnlyList<ChatMessage> messages, out IReadOnlyDictionary<char, char> shields)
    {
        if (_shield is not null) return _shield.Apply(messages, out shields);
        shields = new Dictionary<char, char>();
        return messages;
    }
}
