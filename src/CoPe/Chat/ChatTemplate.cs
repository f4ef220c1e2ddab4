using System.Text;
using CoPe.Chat.Jinja;

namespace CoPe.Chat;

/// <summary>
/// A model's chat template: the part of Jinja that such templates use, with transformers' settings. Parsed once,
/// immutable, safe to share between threads.
/// </summary>
public sealed class ChatTemplate
{
    readonly IReadOnlyList<Statement> _statements;

    ChatTemplate(string source, IReadOnlyList<Statement> statements) => (Source, _statements) = (source, statements);

    /// <summary>The template as written.</summary>
    public string Source { get; }

    /// <summary>Reads a template.</summary>
    /// <exception cref="ChatTemplateException">
    /// It is no valid Jinja, or uses a part of it that is not supported, which is named.
    /// </exception>
    public static ChatTemplate Parse(string source)
    {
        try
        {
            return new ChatTemplate(source, TemplateParser.Parse(source));
        }
        catch (JinjaSyntaxException error)
        {
            throw new ChatTemplateException(error.Message, error.Line, error);
        }
        catch (InsufficientExecutionStackException error)
        {
            throw new ChatTemplateException("the template is nested too deeply", 1, error);
        }
    }

    /// <summary>The conversation as the model's text.</summary>
    /// <param name="messages">The turns.</param>
    /// <param name="addGenerationPrompt">Ends with the header that opens the assistant's turn.</param>
    /// <param name="context">Special tokens and variables.</param>
    /// <exception cref="ArgumentException">A variable is of another type than string, bool or number.</exception>
    /// <exception cref="ChatTemplateException">
    /// The template refuses the conversation, in its own words, or fails on it.
    /// </exception>
    public string Render(IReadOnlyList<ChatMessage> messages, bool addGenerationPrompt, ChatTemplateContext context)
    {
        var state = new RenderState();
        var scope = new Scope(state, null);
        Globals.AddTo(scope, context.Now);

        // transformers always defines these two.
        scope["tools"] = null;
        scope["documents"] = null;

        foreach (var (role, token) in context.SpecialTokens)
        {
            scope[role] = token;
        }

        foreach (var (name, value) in context.Variables)
        {
            scope[name] = ToJinjaValue(name, value);
        }

        scope["messages"] = messages.Select(ToJinjaValue).ToList();
        scope["add_generation_prompt"] = addGenerationPrompt;
        return RenderStatements(state, scope);
    }

    static object? ToJinjaValue(ChatMessage message)
    {
        var value = new JinjaDict { ["role"] = message.Role, ["content"] = message.Content };
        if (message.Reasoning is { } reasoning)
        {
            value["reasoning_content"] = reasoning;
        }

        return value;
    }

    static object ToJinjaValue(string name, object value) =>
        value switch
        {
            string or bool or long or double => value,
            int number => (long)number,
            _ => throw new ArgumentException(
                $"The variable {name} is of type {value.GetType().Name}; a string, a bool or a number was expected."
            ),
        };

    string RenderStatements(RenderState state, Scope scope)
    {
        var output = new StringBuilder();
        try
        {
            Statement.RenderAll(_statements, scope, output);
        }
        catch (JinjaException error)
        {
            throw new ChatTemplateException(error.Message, state.Line, error);
        }
        catch (InvalidOperationException error) when (error.InnerException is JinjaException inner)
        {
            // .NET's sort wraps what its comparer throws.
            throw new ChatTemplateException(inner.Message, state.Line, error);
        }
        catch (Exception error)
            when (error is InsufficientExecutionStackException
                || error.InnerException is InsufficientExecutionStackException
            )
        {
            const string reason = "the template calls itself, or nests values, too deeply";
            throw new ChatTemplateException(reason, state.Line, error);
        }

        return output.ToString();
    }
}

/// <summary>One turn of a conversation.</summary>
/// <param name="Role"><c>system</c>, <c>user</c> or <c>assistant</c>.</param>
/// <param name="Content">The turn's text.</param>
public sealed record ChatMessage(string Role, string Content)
{
    /// <summary>What the model thought before it answered, apart from the answer.</summary>
    internal string? Reasoning { get; init; }
}

/// <summary>What a chat template can refer to besides the messages.</summary>
public sealed record ChatTemplateContext
{
    /// <summary>
    /// Text of special tokens by their role, for example <c>bos_token</c>; a role without a token is undefined.
    /// </summary>
    public IReadOnlyDictionary<string, string> SpecialTokens { get; init; } = new Dictionary<string, string>();

    /// <summary>
    /// More variables by name, each a string, a bool or a number, for example <c>enable_thinking</c>.
    /// </summary>
    public IReadOnlyDictionary<string, object> Variables { get; init; } = new Dictionary<string, object>();

    /// <summary>
    /// The moment that <c>strftime_now</c> gives. A fixed one by default, 26 July 2024 (which Llama's template itself
    /// falls back to), so that training and decoding on different days see the same prompt.
    /// </summary>
    public DateTimeOffset Now { get; init; } = new(2024, 7, 26, 0, 0, 0, TimeSpan.Zero);
}

/// <summary>A chat template that cannot be read, uses what is not supported, or refuses a conversation.</summary>
/// <param name="reason">What is wrong; the template's own words where it refuses.</param>
/// <param name="line">Line of the template, from 1.</param>
/// <param name="inner">The error behind it, if any.</param>
public sealed class ChatTemplateException(string reason, int line, Exception? inner = null)
    : FormatException(MessageText.ToOneLine($"chat template, line {line}: {reason}"), inner)
{
    /// <summary>What is wrong; the template's own words where it refuses a conversation.</summary>
    public string Reason { get; } = reason;

    /// <summary>Line of the template, from 1.</summary>
    public int Line { get; } = line;
}
