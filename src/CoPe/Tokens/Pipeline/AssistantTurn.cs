using CoPe.Prompts;

namespace CoPe.Tokens.Pipeline;

/// <summary>
/// What a chat template writes around an answer, found by rendering a question alone and with a marked answer: no family has a rule of its own.
/// A template whose rendering with an answer does not begin with its own prompt gets the answer right behind the prompt.
/// </summary>
internal sealed class AssistantTurn
{
    const string Marker = "\u2063answer\u2063";
    static readonly ChatMessage Question = new("user", "x");

    readonly ChatTemplate _template;
    readonly ChatTemplateContext _context;
    readonly Lazy<Frame> _frame;

    public AssistantTurn(ChatTemplate template, ChatTemplateContext context, AddedTokenSplitter specialTokens)
    {
        (_template, _context) = (template, context);
        _frame = new Lazy<Frame>(() => Measure(specialTokens));
    }

    /// <summary>The conversation up to and including the header that opens the assistant's turn.</summary>
    public string Prompt(IReadOnlyList<ChatMessage> messages) => _template.Render(messages, addGenerationPrompt: true, _context);

    /// <summary>True where the turn ends with a special token of the template's.</summary>
    public bool EndsItself => _frame.Value.End.Length > 0;

    /// <summary>What follows a prompt when this is the answer, as the template writes it (white space trimmed where it trims), up to the special token that ends the turn.</summary>
    public string Answer(string answer)
    {
        var (before, after, lead, end) = _frame.Value;
        var rendered = Render(answer);
        var framed = rendered.Length >= before.Length + after.Length
            && rendered.StartsWith(before, StringComparison.Ordinal) && rendered.EndsWith(after, StringComparison.Ordinal);
        return lead + (framed ? rendered[before.Length..^after.Length] : answer) + end;
    }

    Frame Measure(AddedTokenSplitter specialTokens)
    {
        var prompt = Prompt([Question]);
        var marked = Render(Marker);
        var place = marked.LastIndexOf(Marker, StringComparison.Ordinal);
        if (place < 0) return new Frame(marked, "", "", "");
        string before = marked[..place], after = marked[(place + Marker.Length)..];
        var stop = specialTokens.Split(after).FirstOrDefault(piece => piece.Token is not null);
        return new Frame(before, after,
            Lead: before.StartsWith(prompt, StringComparison.Ordinal) ? before[prompt.Length..] : "",
            End: stop.Token is null ? "" : after[..(stop.Start + stop.Length)]);
    }

    string Render(string answer) => _template.Render([Question, new ChatMessage("assistant", answer)], addGenerationPrompt: false, _context);

    /// <summary>The rendering before and after an answer; what of the first follows the prompt; what of the second ends the turn.</summary>
    sealed record Frame(string Before, string After, string Lead, string End);
}
