using CoPe.Tokens.Pipeline;

namespace CoPe.Chat;

/// <summary>
/// What a chat template writes around an answer, found by rendering a question alone and with a marked answer: no
/// family has a rule of its own. Where a rendering with an answer does not begin with the template's own prompt, the
/// answer stands right behind the prompt, or behind the reasoning that the prompt has opened.
/// </summary>
sealed class AssistantTurn
{
    const string Marker = "\u2063answer\u2063"; // invisible separators, which no template writes

    static readonly ChatMessage Question = new("user", "x");

    readonly ChatTemplate _template;
    readonly ChatTemplateContext _context;
    readonly Lazy<Frame> _frame;
    readonly Lazy<TemplateReasoning> _reasoning;

    public AssistantTurn(ChatTemplate template, ChatTemplateContext context, AddedTokenSplitter specialTokens)
    {
        _template = template;
        _context = context;
        _reasoning = new(FindReasoning);
        _frame = new(() => FindFrame(specialTokens));
    }

    /// <summary>Text of the tokenizer's added tokens, some of which may be marks of reasoning.</summary>
    public IReadOnlyList<string> TokenTexts { get; init; } = [];

    /// <summary>Whether the prompt closes reasoning that the template opens; otherwise an answer does.</summary>
    public bool ClosesReasoning { get; init; } = true;

    /// <summary>How the model marks its reasoning.</summary>
    public ReasoningParser Reasoning =>
        new(_reasoning.Value.Marks) { OpensReasoning = _reasoning.Value.OpensReasoning };

    /// <summary>
    /// The conversation up to and including the header that opens the assistant's turn, and the end of the reasoning
    /// where the prompt closes it.
    /// </summary>
    public string RenderPrompt(IReadOnlyList<ChatMessage> messages) =>
        RenderTemplatePrompt(messages) + (ClosesReasoning ? _reasoning.Value.Closing : "");

    /// <summary>
    /// What opens the assistant's turn in a prompt alone, up to the reasoning that the template may open or close
    /// there; empty where nothing does.
    /// </summary>
    public string RenderHeader()
    {
        var asked = Render([Question], isPrompt: false);
        var prompt = RenderTemplatePrompt([Question]);
        var header = prompt.StartsWith(asked, StringComparison.Ordinal) ? prompt[asked.Length..] : "";
        var reasoning = Reasoning
            .MarkTexts.Select(mark => header.IndexOf(mark, StringComparison.Ordinal))
            .Where(place => place >= 0)
            .DefaultIfEmpty(header.Length)
            .Min();
        return header[..reasoning];
    }

    /// <summary>True where the turn ends with a special token of the template's.</summary>
    public bool EndsWithSpecialToken => _frame.Value.End.Length > 0;

    /// <summary>
    /// What follows a prompt when this is the answer, as the template writes it (white space trimmed where it trims),
    /// up to the special token that ends the turn.
    /// </summary>
    public string RenderAnswer(string answer)
    {
        var frame = _frame.Value;
        var rendered = RenderAnswered(new("assistant", answer));
        var isFramed =
            rendered.Length >= frame.Before.Length + frame.After.Length
            && rendered.StartsWith(frame.Before, StringComparison.Ordinal)
            && rendered.EndsWith(frame.After, StringComparison.Ordinal);
        var content = isFramed ? rendered[frame.Before.Length..^frame.After.Length] : answer;
        return frame.Header + content + frame.End;
    }

    Frame FindFrame(AddedTokenSplitter specialTokens)
    {
        var marked = RenderAnswered(new("assistant", Marker));
        var place = marked.LastIndexOf(Marker, StringComparison.Ordinal);
        if (place < 0)
        {
            return new Frame(marked, "", "", "");
        }

        var before = marked[..place];
        var after = marked[(place + Marker.Length)..];
        var stop = specialTokens.Split(after).FirstOrDefault(piece => piece.Token is not null);
        var end = stop.Token is null ? "" : after[..(stop.Start + stop.Length)];
        return new Frame(before, after, FindHeader(before), end);
    }

    string FindHeader(string before)
    {
        var closing = _reasoning.Value.Closing;
        if (closing.Length > 0)
        {
            return ClosesReasoning ? "" : closing;
        }

        var prompt = RenderTemplatePrompt([Question]);
        return before.StartsWith(prompt, StringComparison.Ordinal) ? before[prompt.Length..] : "";
    }

    TemplateReasoning FindReasoning()
    {
        var source = new TemplateReasoningSource(RenderTemplatePrompt, messages => Render(messages, isPrompt: false));
        return source.Find(_template.Source, TokenTexts);
    }

    string RenderTemplatePrompt(IReadOnlyList<ChatMessage> messages) => Render(messages, isPrompt: true);

    string RenderAnswered(ChatMessage answer) => Render([Question, answer], isPrompt: false);

    string Render(IReadOnlyList<ChatMessage> messages, bool isPrompt) =>
        _template.Render(messages, addGenerationPrompt: isPrompt, _context);

    /// <summary>What a rendering holds around an answer.</summary>
    /// <param name="Before">All before the answer.</param>
    /// <param name="After">All after it.</param>
    /// <param name="Header">What is written between the prompt and the answer.</param>
    /// <param name="End">What of <paramref name="After"/> ends the turn; empty where no special token does.</param>
    sealed record Frame(string Before, string After, string Header, string End);
}
