using CoPe.Tokens;
using CoPe.Tokens.Pipeline;

namespace CoPe.Chat;

/// <summary>
/// Turns a request, and the answer to it, into token ids through the model's own chat template: the one place where
/// prompts become tokens, in training and in decoding alike. Immutable, safe to share between threads.
/// </summary>
/// <example>
/// <code>
/// var encoder = ConversationEncoder.Load("models/cope-tiny");
/// var prompt = encoder.EncodePrompt([new ChatMessage("user", $"Generate a headline: {article}")]);
/// var response = encoder.EncodeResponse("Rain expected on Friday");
/// </code>
/// </example>
/// <remarks>
/// A model without a template gets plain text: the messages line by line with what its post-processor adds (BOS), the
/// answer, and EOS.
/// </remarks>
public sealed class ConversationEncoder
{
    readonly ConversationOptions _options;
    readonly AssistantTurn? _turn;
    readonly SpecialTokenEscaper? _escaper;

    ConversationEncoder(Tokenizer tokenizer, ChatTemplate? template, ConversationOptions options)
    {
        Tokenizer = tokenizer;
        _options = options;
        if (template is null)
        {
            return;
        }

        var specialTokens = tokenizer.SpecialAddedTokens;
        var context = new ChatTemplateContext
        {
            SpecialTokens = tokenizer.SpecialTokens,
            Variables = options.TemplateVariables,
            Now = options.TemplateDate,
        };
        _turn = new AssistantTurn(template, context, new AddedTokenSplitter(specialTokens));
        if (!options.HuggingFaceSpecialText)
        {
            _escaper = new SpecialTokenEscaper(specialTokens, tokenizer.Normalize);
        }
    }

    /// <summary>
    /// Reads tokenizer and chat template (<c>chat_template.jinja</c>, <c>chat_template.json</c> or the one in
    /// <c>tokenizer_config.json</c>) of a model folder.
    /// </summary>
    /// <param name="folder">A model folder in Hugging Face's layout.</param>
    /// <param name="options">How conversations become ids; null is the default.</param>
    /// <exception cref="TokenizerException">
    /// A tokenizer file is missing, broken, or asks for what is not supported.
    /// </exception>
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
    public bool HasChatTemplate => _turn is not null;

    /// <summary>
    /// Ids after which an answer is over by the tokenizer's files: its EOS and the token that ends the assistant's
    /// turn; empty where they name neither. The model's own configuration may know more.
    /// </summary>
    public IReadOnlySet<int> StopTokenIds => field ??= FindStopTokenIds();

    /// <summary>
    /// Ids of the conversation up to and including the header that opens the assistant's turn. What a template prints
    /// is complete: no special token is added to it.
    /// </summary>
    /// <exception cref="ChatTemplateException">
    /// The template refuses the conversation, for example a system message, in its own words.
    /// </exception>
    public int[] EncodePrompt(IReadOnlyList<ChatMessage> messages)
    {
        if (_turn is null)
        {
            var lines = string.Join('\n', messages.Select(message => message.Content)) + "\n";
            return EncodeWithoutTemplate(lines);
        }

        var conversation = EscapeSpecialTokens(messages);
        var prompt = _turn.RenderPrompt(conversation.Messages);
        return Tokenizer.Encoder.Encode(prompt, conversation.Originals, isContinuation: false);
    }

    /// <summary>
    /// Ids of an answer as the template writes it in the assistant's turn, up to and including the token that ends the
    /// turn. <c>EncodePrompt(messages)</c> followed by these is what a model trains on.
    /// </summary>
    /// <param name="answer">The answer's text.</param>
    /// <exception cref="TokenizerException">
    /// Neither the template nor the configuration names a token that ends an answer.
    /// </exception>
    public int[] EncodeResponse(string answer)
    {
        if (_turn is null)
        {
            return [.. EncodeContinuation(answer), RequireEosId()];
        }

        var conversation = EscapeSpecialTokens([new ChatMessage("assistant", answer)]);
        var rendered = _turn.RenderAnswer(conversation.Messages[0].Content);
        var ids = Tokenizer.Encoder.Encode(rendered, conversation.Originals, isContinuation: true);
        return _turn.EndsWithSpecialToken ? ids : [.. ids, RequireEosId()];
    }

    /// <summary>Text of generated ids, special tokens dropped.</summary>
    public string DecodeResponse(IEnumerable<int> ids) => Tokenizer.Decode(ids);

    HashSet<int> FindStopTokenIds()
    {
        HashSet<int> ids = [];
        if (_turn?.EndsWithSpecialToken == true)
        {
            ids.Add(EncodeResponse("x")[^1]);
        }

        if (Tokenizer.EosId is { } eosId)
        {
            ids.Add(eosId);
        }

        return ids;
    }

    int RequireEosId() =>
        Tokenizer.EosId
        ?? throw new TokenizerException(
            "tokenizer_config.json",
            "eos_token",
            "is missing, and no chat template says how an answer ends; name the token that ends a text"
        );

    int[] EncodeWithoutTemplate(string text) =>
        _options.HuggingFaceSpecialText
            ? Tokenizer.Encode(text)
            : Tokenizer.AddSpecialTokens(Tokenizer.EncodeAsText(text));

    int[] EncodeContinuation(string text) =>
        Tokenizer.EncodeContinuation(text, specialText: _options.HuggingFaceSpecialText);

    EscapedConversation EscapeSpecialTokens(IReadOnlyList<ChatMessage> messages) =>
        _escaper is null ? EscapedConversation.Unchanged(messages) : _escaper.Escape(messages);
}

/// <summary>How conversations become ids.</summary>
public sealed record ConversationOptions
{
    /// <summary>
    /// Special-token text inside messages becomes special tokens, as in Hugging Face. By default it stays text, so that
    /// a history holding <c>&lt;/s&gt;</c> or <c>&lt;|im_end|&gt;</c> cannot break out of its turn.
    /// </summary>
    public bool HuggingFaceSpecialText { get; init; }

    /// <summary>
    /// More variables for the chat template by name, each a string, a bool or a number. By default
    /// <c>enable_thinking</c> is false: a template that lets its model think (Qwen3's) then opens the answer itself, as
    /// in training, where a user's text has no thinking before it.
    /// </summary>
    public IReadOnlyDictionary<string, object> TemplateVariables { get; init; } =
        new Dictionary<string, object> { ["enable_thinking"] = false };

    /// <summary>The date that a template's <c>strftime_now</c> gives; the same in training and in decoding.</summary>
    public DateTimeOffset TemplateDate { get; init; } = new ChatTemplateContext().Now;
}

/// <summary>
/// What a chat template writes around an answer, found by rendering a question alone and with a marked answer: no
/// family has a rule of its own. Where a rendering with an answer does not begin with the template's own prompt, the
/// answer stands right behind the prompt.
/// </summary>
sealed class AssistantTurn
{
    const string Marker = "\u2063answer\u2063"; // invisible separators, which no template writes

    static readonly ChatMessage Question = new("user", "x");

    readonly ChatTemplate _template;
    readonly ChatTemplateContext _context;
    readonly Lazy<Frame> _frame;

    public AssistantTurn(ChatTemplate template, ChatTemplateContext context, AddedTokenSplitter specialTokens)
    {
        _template = template;
        _context = context;
        _frame = new Lazy<Frame>(() => FindFrame(specialTokens));
    }

    /// <summary>The conversation up to and including the header that opens the assistant's turn.</summary>
    public string RenderPrompt(IReadOnlyList<ChatMessage> messages) =>
        _template.Render(messages, addGenerationPrompt: true, _context);

    /// <summary>True where the turn ends with a special token of the template's.</summary>
    public bool EndsWithSpecialToken => _frame.Value.End.Length > 0;

    /// <summary>
    /// What follows a prompt when this is the answer, as the template writes it (white space trimmed where it trims),
    /// up to the special token that ends the turn.
    /// </summary>
    public string RenderAnswer(string answer)
    {
        var frame = _frame.Value;
        var rendered = RenderAnswered(answer);
        var isFramed =
            rendered.Length >= frame.Before.Length + frame.After.Length
            && rendered.StartsWith(frame.Before, StringComparison.Ordinal)
            && rendered.EndsWith(frame.After, StringComparison.Ordinal);
        var content = isFramed ? rendered[frame.Before.Length..^frame.After.Length] : answer;
        return frame.Header + content + frame.End;
    }

    Frame FindFrame(AddedTokenSplitter specialTokens)
    {
        var prompt = RenderPrompt([Question]);
        var marked = RenderAnswered(Marker);
        var place = marked.LastIndexOf(Marker, StringComparison.Ordinal);
        if (place < 0)
        {
            return new Frame(marked, "", "", "");
        }

        var before = marked[..place];
        var after = marked[(place + Marker.Length)..];
        var header = before.StartsWith(prompt, StringComparison.Ordinal) ? before[prompt.Length..] : "";
        var stop = specialTokens.Split(after).FirstOrDefault(piece => piece.Token is not null);
        var end = stop.Token is null ? "" : after[..(stop.Start + stop.Length)];
        return new Frame(before, after, header, end);
    }

    string RenderAnswered(string answer) =>
        _template.Render([Question, new ChatMessage("assistant", answer)], addGenerationPrompt: false, _context);

    /// <summary>What a rendering holds around an answer.</summary>
    /// <param name="Before">All before the answer.</param>
    /// <param name="After">All after it.</param>
    /// <param name="Header">What of <paramref name="Before"/> follows the prompt.</param>
    /// <param name="End">What of <paramref name="After"/> ends the turn; empty where no special token does.</param>
    sealed record Frame(string Before, string After, string Header, string End);
}
