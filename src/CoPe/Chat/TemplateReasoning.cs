namespace CoPe.Chat;

/// <summary>How a chat template deals with reasoning.</summary>
/// <param name="Marks">The marks around it.</param>
/// <param name="OpensReasoning">The template's own prompts end within it.</param>
/// <param name="Closing">
/// What stands between the template's own prompt and an answer without reasoning, where that holds its end: the closing
/// mark with the template's own white space, or the whole of empty reasoning; empty where the answer needs none.
/// </param>
sealed record TemplateReasoning(IReadOnlyList<ReasoningMarks> Marks, bool OpensReasoning, string Closing);

/// <summary>
/// Finds that out from what the template does, not from its name: which marks it drops from an earlier answer together
/// with what they end, what its prompt opens and its answered turn does not, and how it words reasoning that it is
/// given.
/// </summary>
/// <param name="renderPrompt">Renders a conversation up to where the model goes on.</param>
/// <param name="renderAnswered">Renders a conversation that is complete.</param>
sealed class TemplateReasoningSource(
    Func<IReadOnlyList<ChatMessage>, string> renderPrompt,
    Func<IReadOnlyList<ChatMessage>, string> renderAnswered
)
{
    /// <summary>Marks of a template that are tried out; templates have some ten.</summary>
    const int MaxMarks = 64;

    const string Before = "\u2063one\u2063"; // invisible separators, which no template writes
    const string After = "\u2063two\u2063";

    static readonly ChatMessage Question = new("user", After);

    /// <summary>Tries a template out.</summary>
    /// <param name="source">The template as written.</param>
    /// <param name="tokens">Text of the tokenizer's added tokens.</param>
    public TemplateReasoning Find(string source, IReadOnlyList<string> tokens)
    {
        var written = ReasoningMarkNames.FindAll(source).Take(MaxMarks).ToList();
        var known = written.Concat(tokens.Where(token => token.Length > 2)).ToHashSet(StringComparer.Ordinal);
        List<ReasoningMarks> marks = [.. ReasoningMarkNames.FindPairs(known)];
        // A template that fails on a plain conversation is not tried with every mark.
        if (RenderEarlier(Before + After) is not null)
        {
            marks.InsertRange(0, FindDroppedEnds(written, known).Concat(FindDroppedPairs(written)));
        }

        var prompt = TryRender(() => TextAfter(renderPrompt([Question]), After));
        var answered = TryRender(() =>
            TextBetween(renderAnswered([Question, new("assistant", Before)]), After, Before)
        );
        if (prompt is null || answered is null)
        {
            return new([.. marks.Distinct()], false, "");
        }

        var opened = FindOpened(prompt, answered, marks, known);
        if (opened is not null && !marks.Contains(opened))
        {
            marks.Add(opened);
        }

        return new([.. marks.Distinct()], opened is not null, FindClosing(prompt, answered, opened, marks));
    }

    /// <summary>Marks before which the template drops everything from an earlier answer.</summary>
    IEnumerable<ReasoningMarks> FindDroppedEnds(List<string> written, HashSet<string> known) =>
        from close in written
        where DropsBefore(Before + close + After)
        from open in known.Where(mark => ReasoningMarkNames.GetClosings(mark).Contains(close)).DefaultIfEmpty()
        select new ReasoningMarks(open, close);

    /// <summary>Pairs of marks that the template drops from an earlier answer with what stands between.</summary>
    IEnumerable<ReasoningMarks> FindDroppedPairs(List<string> written) =>
        from open in written
        from close in ReasoningMarkNames.GetClosings(open).Intersect(written)
        where DropsBefore(open + Before + close + After)
        select new ReasoningMarks(open, close);

    bool DropsBefore(string answer)
    {
        var rendered = RenderEarlier(answer);
        return rendered is not null
            && rendered.Contains(After, StringComparison.Ordinal)
            && !rendered.Contains(Before, StringComparison.Ordinal);
    }

    /// <summary>A conversation with an answer that another question follows.</summary>
    string? RenderEarlier(string answer) =>
        TryRender(() => renderAnswered([new("user", "x"), new("assistant", answer), new("user", "x")]));

    /// <summary>The marks of the reasoning that a prompt leaves open; null where it leaves none open.</summary>
    /// <param name="prompt">What the prompt has after the question.</param>
    /// <param name="answered">What a complete turn has between question and answer.</param>
    /// <param name="marks">The marks found so far.</param>
    /// <param name="known">Marks of template and tokenizer.</param>
    static ReasoningMarks? FindOpened(string prompt, string answered, List<ReasoningMarks> marks, HashSet<string> known)
    {
        var last = marks.MaxBy(pair => Math.Max(LastIndexOf(prompt, pair.Open), LastIndexOf(prompt, pair.Close)));
        if (last is not null && Math.Max(LastIndexOf(prompt, last.Open), LastIndexOf(prompt, last.Close)) >= 0)
        {
            return LastIndexOf(prompt, last.Open) > LastIndexOf(prompt, last.Close) ? last : null;
        }

        var added = prompt[CountCommon(prompt, answered)..];
        if (string.IsNullOrWhiteSpace(added))
        {
            return null;
        }

        if (marks.Find(pair => pair.Open is null) is { } onlyEnd)
        {
            return onlyEnd;
        }

        var open = ReasoningMarkNames.FindLast(prompt);
        if (open is null || ReasoningMarkNames.IsClosing(open) || answered.Contains(open, StringComparison.Ordinal))
        {
            return null;
        }

        var closings = ReasoningMarkNames.GetClosings(open).ToList();
        var close = closings.Find(known.Contains);
        return close is null && !ReasoningMarkNames.IsNamedOpening(open) ? null : new(open, close ?? closings[0]);
    }

    string FindClosing(string prompt, string answered, ReasoningMarks? opened, List<ReasoningMarks> marks)
    {
        if (answered.StartsWith(prompt, StringComparison.Ordinal))
        {
            var header = answered[prompt.Length..];
            if (marks.Exists(pair => header.Contains(pair.Close, StringComparison.Ordinal)))
            {
                return header;
            }
        }

        return opened is null ? "" : FindWordedClosing(prompt, opened) ?? MirrorClosing(prompt, opened);
    }

    /// <summary>As the template words reasoning that stands beside the answer; null where it words none.</summary>
    string? FindWordedClosing(string prompt, ReasoningMarks opened)
    {
        var answer = new ChatMessage("assistant", After) { Reasoning = Before };
        var rendered = TryRender(() => renderAnswered([new("user", "x"), answer]));
        if (rendered is null || opened.Open is not { } open)
        {
            return null;
        }

        var close = TextBetween(rendered, Before, After);
        var begin = TextBetween(rendered, open, Before);
        if (close is null || begin is null || !close.Contains(opened.Close, StringComparison.Ordinal))
        {
            return null;
        }

        var there = prompt[(prompt.LastIndexOf(open, StringComparison.Ordinal) + open.Length)..];
        return begin.StartsWith(there, StringComparison.Ordinal) ? begin[there.Length..] + close : close;
    }

    /// <summary>
    /// The white space that follows the opening mark, before and, twice, after the closing one: for a line break this
    /// is an empty line, as models write it that were trained to reason.
    /// </summary>
    static string MirrorClosing(string prompt, ReasoningMarks opened)
    {
        var blank = prompt[prompt.TrimEnd().Length..];
        return blank + opened.Close + blank + blank;
    }

    static int LastIndexOf(string text, string? mark) =>
        mark is null ? -1 : text.LastIndexOf(mark, StringComparison.Ordinal);

    static int CountCommon(string one, string other) => one.AsSpan().CommonPrefixLength(other);

    static string? TextAfter(string text, string mark)
    {
        var place = text.LastIndexOf(mark, StringComparison.Ordinal);
        return place < 0 ? null : text[(place + mark.Length)..];
    }

    static string? TextBetween(string text, string start, string end)
    {
        var to = text.LastIndexOf(end, StringComparison.Ordinal);
        var from = to < 0 ? -1 : text[..to].LastIndexOf(start, StringComparison.Ordinal);
        return from < 0 ? null : text[(from + start.Length)..to];
    }

    /// <summary>Null where the template refuses the conversation.</summary>
    static string? TryRender(Func<string?> render)
    {
        try
        {
            return render();
        }
        catch (ChatTemplateException)
        {
            return null;
        }
    }
}
