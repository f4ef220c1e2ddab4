using CoPe.Tokens;
using CoPe.Tokens.Pipeline;

namespace CoPe.Chat;

/// <summary>
/// Turns a request, and the answer to it, into ids through the model's own chat template: the one place where prompts
/// become tokens, for every stage.
/// A model without a template gets plain text: the messages line by line with what its post-processor adds (BOS), the
/// answer, and EOS.
/// Immutable, safe to share between threads.
/// </summary>
public sealed class ConversationEncoder
{
    readonly ConversationOptions _options;
    readonly AssistantTurn? _turn;
    readonly SpecialTokenEscaper? _shield;

    ConversationEncoder(Tokenizer tokenizer, ChatTemplate? template, ConversationOptions options)
    {
        (Tokenizer, _options) = (tokenizer, options);
        if (template is null)
        {
            return;
        }

        var special = tokenizer.SpecialAddedTokens;
        var context = new ChatTemplateContext
        {
            SpecialTokens = tokenizer.SpecialTokens,
            Variables = options.TemplateVariables,
            Now = options.TemplateDate,
        };
        _turn = new AssistantTurn(template, context, new AddedTokenSplitter(special));
        if (!options.HuggingFaceSpecialText)
        {
            _shield = new SpecialTokenEscaper(special.Select(token => token.Content));
        }
    }

    /// <summary>
    /// Reads tokenizer and chat template (<c>chat_template.jinja</c>, <c>chat_template.json</c> or the one in
    /// tokenizer_config.json) of a model folder.
    /// </summary>
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
    /// Ids after which an answer is over: the configuration's EOS and the token that ends the assistant's turn.
    /// </summary>
    public IReadOnlySet<int> StopTokenIds =>
        field ??= new HashSet<int>(EncodeResponse("x").TakeLast(1).Concat(Tokenizer.EosId is { } eos ? [eos] : []));

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
            return EncodeWithoutTemplate(string.Join('\n', messages.Select(message => message.Content)) + "\n");
        }

        var shielded = EscapeSpecialTokens(messages, out var shields);
        return Tokenizer.Encoder.Encode(_turn.RenderPrompt(shielded), shields, continuing: false);
    }

    /// <summary>
    /// Ids of an answer as the template writes it in the assistant's turn, up to and including the token that ends the
    /// turn.
    /// <c>EncodePrompt(messages)</c> followed by these is what a model trains on.
    /// </summary>
    /// <exception cref="TokenizerException">
    /// Neither the template nor the configuration names a token that ends an answer.
    /// </exception>
    public int[] EncodeResponse(string answer)
    {
        if (_turn is null)
        {
            return [.. EncodeContinuation(answer), RequireEosId()];
        }

        var shielded = EscapeSpecialTokens([new ChatMessage("assistant", answer)], out var shields)[0].Content;
        var ids = Tokenizer.Encoder.Encode(_turn.RenderAnswer(shielded), shields, continuing: true);
        return _turn.EndsWithSpecialToken ? ids : [.. ids, RequireEosId()];
    }

    /// <summary>Text of generated ids, special tokens dropped.</summary>
    public string DecodeResponse(IEnumerable<int> ids) => Tokenizer.Decode(ids);

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

    IReadOnlyList<ChatMessage> EscapeSpecialTokens(
        IReadOnlyList<ChatMessage> messages,
        out IReadOnlyDictionary<char, char> shields
    )
    {
        if (_shield is not null)
        {
            return _shield.Escape(messages, out shields);
        }

        shields = new Dictionary<char, char>();
        return messages;
    }
}

/// <summary>How conversations become ids.</summary>
public sealed record ConversationOptions
{
    /// <summary>
    /// Special-token text inside messages becomes special tokens, as in Hugging Face. By default it stays text, so that
    /// a history
    /// holding <c>&lt;/s&gt;</c> or <c>&lt;|im_end|&gt;</c> cannot break out of its turn.
    /// </summary>
    public bool HuggingFaceSpecialText { get; init; }

    /// <summary>
    /// More variables for the chat template by name, each a string, a bool or a number. By default
    /// <c>enable_thinking</c> is false: a template that lets its model think (Qwen3's)
    /// then opens the answer itself, as in training, where a user's text has no thoughts before it.
    /// </summary>
    public IReadOnlyDictionary<string, object> TemplateVariables { get; init; } =
        new Dictionary<string, object> { ["enable_thinking"] = false };

    /// <summary>The date that a template's <c>strftime_now</c> tells; the same for every stage of a run.</summary>
    public DateTimeOffset TemplateDate { get; init; } = new ChatTemplateContext().Now;
}

/// <summary>
/// What a chat template writes around an answer, found by rendering a question alone and with a marked answer: no
/// family has a rule of its own.
/// A template whose rendering with an answer does not begin with its own prompt gets the answer right behind the
/// prompt.
/// </summary>
sealed class AssistantTurn
{
    const string Marker = "\u2063answer\u2063";
    static readonly ChatMessage Question = new("user", "x");

    readonly ChatTemplate _template;
    readonly ChatTemplateContext _context;
    readonly Lazy<Frame> _frame;

    public AssistantTurn(ChatTemplate template, ChatTemplateContext context, AddedTokenSplitter specialTokens)
    {
        (_template, _context) = (template, context);
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
        var (before, after, lead, end) = _frame.Value;
        var rendered = RenderAnswered(answer);
        var framed =
            rendered.Length >= before.Length + after.Length
            && rendered.StartsWith(before, StringComparison.Ordinal)
            && rendered.EndsWith(after, StringComparison.Ordinal);
        return lead + (framed ? rendered[before.Length..^after.Length] : answer) + end;
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

        string before = marked[..place],
            after = marked[(place + Marker.Length)..];
        var stop = specialTokens.Split(after).FirstOrDefault(piece => piece.Token is not null);
        return new Frame(
            before,
            after,
            Header: before.StartsWith(prompt, StringComparison.Ordinal) ? before[prompt.Length..] : "",
            End: stop.Token is null ? "" : after[..(stop.Start + stop.Length)]
        );
    }

    string RenderAnswered(string answer) =>
        _template.Render([Question, new ChatMessage("assistant", answer)], addGenerationPrompt: false, _context);

    /// <summary>
    /// The rendering before and after an answer; what of the first follows the prompt; what of the second ends the
    /// turn.
    /// </summary>
    sealed record Frame(string Before, string After, string Header, string End);
}
