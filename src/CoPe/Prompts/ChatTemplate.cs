using System.Text;
using CoPe.Prompts.Jinja;

namespace CoPe.Prompts;

/// <summary>
/// A model's chat template: the part of Jinja that such templates use, with transformers' settings. Parsed once, immutable, safe to share between threads.
/// </summary>
public sealed class ChatTemplate
{
    readonly IReadOnlyList<Statement> _statements;

    ChatTemplate(string source, IReadOnlyList<Statement> statements) => (Source, _statements) = (source, statements);

    /// <summary>The template as written.</summary>
    public string Source { get; }

    /// <summary>Reads a template.</summary>
    /// <exception cref="ChatTemplateException">It is no valid Jinja, or uses a part of it that is not supported, which is named.</exception>
    public static ChatTemplate Parse(string source)
    {
        try { return new ChatTemplate(source, TemplateParser.Parse(source)); }
        catch (InsufficientExecutionStackException error) { throw new ChatTemplateException("the template is nested too deeply", 1, error); }
    }

    /// <summary>The conversation as the model's text.</summary>
    /// <param name="messages">The turns.</param>
    /// <param name="addGenerationPrompt">Ends with the header that opens the assistant's turn.</param>
    /// <param name="context">Special tokens and variables.</param>
    /// <exception cref="ArgumentException">A variable is of another type than string, bool or number.</exception>
    /// <exception cref="ChatTemplateException">The template refuses the conversation, in its own words, or fails on it.</exception>
    public string Render(IReadOnlyList<ChatMessage> messages, bool addGenerationPrompt, ChatTemplateContext context)
    {
        var run = new RenderRun();
        var scope = new Scope(run, null);
        Globals.AddTo(scope, context.Now);
        (scope["tools"], scope["documents"]) = (null, null); // transformers always names them
        foreach (var (role, token) in context.SpecialTokens) scope[role] = token;
        foreach (var (name, value) in context.Variables) scope[name] = Variable(name, value);
        scope["messages"] = messages.Select(object? (message) => new JinjaDict { ["role"] = message.Role, ["content"] = message.Content }).ToList();
        scope["add_generation_prompt"] = addGenerationPrompt;
        return Run(run, scope);
    }

    static object Variable(string name, object value) => value switch
    {
        string or bool or long or double => value,
        int number => (long)number,
        _ => throw new ArgumentException($"The variable {name} is of type {value.GetType().Name}; a string, a bool or a number was expected."),
    };

    string Run(RenderRun run, Scope scope)
    {
        var output = new StringBuilder();
        try { Statement.RunAll(_statements, scope, output); }
        catch (JinjaError error) { throw new ChatTemplateException(error.Message, run.Line, error); }
        catch (InvalidOperationException error) when (error.InnerException is JinjaError) { throw new ChatTemplateException(error.InnerException.Message, run.Line, error); }
        catch (InsufficientExecutionStackException error) { throw new ChatTemplateException("the template calls itself too deeply", run.Line, error); }
        return output.ToString();
    }
}
