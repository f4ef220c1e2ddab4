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
    /// <summary>Questions of different endings: what prompts of all of them end with is the template's.</summary>
    static readonly string[] HeaderQuestions = ["x", "1", "A question?"];

    readonly ConversationOptions _options;
    readonly AssistantTurn? _turn;
    readonly Lazy<ReasoningParser> _reasoning;
    readonly Lazy<SpecialTokenEscaper>? _escaper;

    ConversationEncoder(Tokenizer tokenizer, ChatTemplate? template, ConversationOptions options)
    {
        Tokenizer = tokenizer;
        _options = options;
        if (template is null)
        {
            _reasoning = new(() => new(ReasoningMarkNames.FindPairs(tokenizer.AddedTokenTexts)));
            return;
        }

        var specialTokens = tokenizer.SpecialAddedTokens;
        var context = new ChatTemplateContext
        {
            SpecialTokens = tokenizer.SpecialTokens,
            Variables = options.TemplateVariables,
            Now = options.TemplateDate,
        };
        var turn = new AssistantTurn(template, context, new AddedTokenSplitter(specialTokens))
        {
            TokenTexts = tokenizer.AddedTokenTexts,
            ClosesReasoning = !options.AllowsReasoning,
        };
        _turn = turn;
        _reasoning = new(() => turn.Reasoning);
        if (!options.HuggingFaceSpecialText)
        {
            _escaper = new(() => new(specialTokens, turn.Reasoning.MarkTexts, tokenizer.Normalize));
        }
    }

    /// <summary>
    /// Reads tokenizer and chat template (<c>chat_template.jinja</c>, the one in <c>tokenizer_config.json</c>,
    /// or <c>chat_template.json</c>) of a model folder.
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

    /// <summary>How the model marks its reasoning, and how it is told from the answer.</summary>
    internal ReasoningParser Reasoning => _reasoning.Value;

    /// <summary>
    /// Ids that begin the end of every prompt: of the header that opens the assistant's turn or, where a template has
    /// none of its own, of all that it writes behind the user's message; whether it opens or closes reasoning there
    /// makes no difference. Empty without a template.
    /// </summary>
    internal IReadOnlyList<int> AssistantHeader => field ??= FindAssistantHeader();

    /// <summary>
    /// Ids of the conversation up to and including the header that opens the assistant's turn. What a template prints
    /// is complete: no special token is added to it. Reasoning that the template opens there is closed again, unless
    /// <see cref="ConversationOptions.AllowsReasoning"/> is set; that of earlier answers is left out.
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

        var conversation = EscapeSpecialTokens([.. messages.Select(RemoveReasoning)]);
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

    /// <summary>The answer in generated ids: special tokens dropped, and what the model reasoned before it.</summary>
    public string DecodeResponse(IEnumerable<int> ids) => ParseResponse(ids).Answer;

    /// <summary>The answer in generated ids, and what the model reasoned before it.</summary>
    public ParsedResponse ParseResponse(IEnumerable<int> ids)
    {
        ArgumentNullException.ThrowIfNull(ids);
        var decoder = CreateResponseDecoder();
        return ParseResponse(string.Concat(ids.Select(decoder.Add)) + decoder.Finish());
    }

    /// <summary>The same of the text that <see cref="CreateResponseDecoder"/> made of the ids.</summary>
    internal ParsedResponse ParseResponse(string decoded)
    {
        var isOpen = _options.AllowsReasoning && Reasoning.OpensReasoning;
        return Reasoning.Parse(decoded, isOpen ? ReasoningStart.Open : ReasoningStart.None);
    }

    /// <summary>A decoder that drops special tokens other than the marks of the model's reasoning.</summary>
    internal StreamingDecoder CreateResponseDecoder()
    {
        var kept = Reasoning.MarkTexts.Select(Tokenizer.TokenToId).OfType<int>().ToHashSet();
        return Tokenizer.CreateStreamingDecoder(id => Tokenizer.IsSpecial(id) && !kept.Contains(id));
    }

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

    int[] FindAssistantHeader()
    {
        if (_turn is null)
        {
            return [];
        }

        var prompts = HeaderQuestions.Select(text => EncodePrompt([new ChatMessage("user", text)]));
        var ending = prompts.Aggregate(TakeCommonEnding);
        var header = Tokenizer.EncodeContinuation(_turn.RenderHeader(), specialText: true);
        var isWritten = header.Length > 0 && ending.AsSpan().LastIndexOf(header) >= 0;
        return isWritten ? header : ending;
    }

    static int[] TakeCommonEnding(int[] first, int[] second)
    {
        var same = first.Reverse().Zip(second.Reverse()).TakeWhile(pair => pair.First == pair.Second).Count();
        return first[^same..];
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
        _escaper is null ? EscapedConversation.Unchanged(messages) : _escaper.Value.Escape(messages);

    ChatMessage RemoveReasoning(ChatMessage message) =>
        message.Role == "assistant" && Reasoning.Marks.Count > 0
            ? message with
            {
                Content = Reasoning.Parse(message.Content, ReasoningStart.Unknown).Answer,
            }
            : message;
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
    /// in training, where a user's text has no thinking before it. To let it think, set <see cref="AllowsReasoning"/>
    /// as well.
    /// </summary>
    public IReadOnlyDictionary<string, object> TemplateVariables { get; init; } =
        new Dictionary<string, object> { ["enable_thinking"] = false };

    /// <summary>
    /// Lets a model reason before it answers where its template opens the reasoning (R1's, QwQ's). By default the
    /// prompt closes it, as the template words a turn without reasoning: an adapter is trained on answers alone, and
    /// decoded from where it was trained. The reasoning is no part of the answer either way.
    /// </summary>
    public bool AllowsReasoning { get; init; }

    /// <summary>The date that a template's <c>strftime_now</c> gives; the same in training and in decoding.</summary>
    public DateTimeOffset TemplateDate { get; init; } = new ChatTemplateContext().Now;
}
