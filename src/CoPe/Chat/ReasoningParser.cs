using System.Text;
using System.Text.RegularExpressions;

namespace CoPe.Chat;

/// <summary>A generated text, taken apart into the model's reasoning and its answer.</summary>
/// <param name="Answer">The answer; empty where the reasoning never ends.</param>
/// <param name="Reasoning">What the model wrote between the marks of its reasoning; mostly empty.</param>
/// <param name="IsUnfinished">The text ends within the reasoning: there is no answer.</param>
public sealed record ParsedResponse(string Answer, string Reasoning, bool IsUnfinished);

/// <summary>Where a generated text begins: its prompt decides that.</summary>
enum ReasoningStart
{
    /// <summary>In the answer; a model may open its reasoning there by itself.</summary>
    None,

    /// <summary>In the reasoning, which the prompt has opened.</summary>
    Open,

    /// <summary>In one or the other: the prompt is a server's own.</summary>
    Unknown,
}

/// <summary>
/// Takes the answer out of generated texts: it is what follows the reasoning. Marks inside count where they are the
/// model's own; marks known by their name alone count at the start of a text, and where its prompt is not known.
/// </summary>
/// <param name="marks">The model's own marks; none where it does not reason.</param>
sealed class ReasoningParser(IReadOnlyList<ReasoningMarks> marks)
{
    /// <summary>The model's own marks.</summary>
    public IReadOnlyList<ReasoningMarks> Marks { get; } = marks;

    /// <summary>Text of every mark.</summary>
    public IEnumerable<string> MarkTexts =>
        Marks.SelectMany(pair => (string?[])[pair.Open, pair.Close]).OfType<string>();

    /// <summary>Whether the model's own template ends its prompts within the reasoning.</summary>
    public bool OpensReasoning { get; init; }

    /// <summary>Takes a text apart.</summary>
    public ParsedResponse Parse(string text, ReasoningStart start)
    {
        var places = FindPlaces(text, start);
        if (places.Count == 0)
        {
            return start == ReasoningStart.Open ? new("", text.Trim(), true) : new(text, "", false);
        }

        var reasoning = new StringBuilder();
        var (before, answer) = ("", "");
        var isInside = start == ReasoningStart.Open;
        var from = 0;
        foreach (var place in places)
        {
            var piece = text[from..place.Index];
            from = place.Index + place.Length;
            if (isInside)
            {
                reasoning.Append(piece);
            }
            else if (place.IsOpening)
            {
                answer += piece;
            }
            else
            {
                // Nothing opened this reasoning: all before its end belongs to it.
                reasoning.Append(before).Append(answer).Append(piece);
                (before, answer) = ("", "");
            }

            if (!place.IsOpening && !string.IsNullOrWhiteSpace(answer))
            {
                (before, answer) = (answer, "");
            }

            isInside = place.IsOpening;
        }

        var rest = text[from..];
        if (isInside)
        {
            return new("", reasoning.Append(rest).ToString().Trim(), true);
        }

        answer += rest;
        var last = places[^1];
        var found = string.IsNullOrWhiteSpace(answer)
            ? before
            : Unwrap(answer.Trim(), text.Substring(last.Index, last.Length));
        return new(found.Trim(), reasoning.ToString().Trim(), false);
    }

    /// <summary>
    /// An answer without marks of its own, as some models put them behind their reasoning: the mark that ends the
    /// reasoning may begin the answer, or another one does.
    /// </summary>
    static string Unwrap(string answer, string endOfReasoning)
    {
        var open = ReasoningMarkNames.FindNamedAnswer(answer);
        var content = open is null ? answer : answer[open.Length..];
        var ends = ReasoningMarkNames
            .GetClosings(open ?? endOfReasoning)
            .Select(close => content.IndexOf(close, StringComparison.Ordinal))
            .Where(end => end >= 0)
            .ToList();
        return ends.Count == 0 ? content : content[..ends.Min()];
    }

    List<Place> FindPlaces(string text, ReasoningStart start)
    {
        var openings = Marks.Select(pair => pair.Open).OfType<string>().ToHashSet(StringComparer.OrdinalIgnoreCase);
        var closings = Marks.Select(pair => pair.Close).ToHashSet(StringComparer.OrdinalIgnoreCase);
        var blank = text.Length - text.TrimStart().Length;
        var named = ReasoningMarkNames.FindNamedOpening(text[blank..]);
        if (named is not null)
        {
            openings.Add(named);
            closings.UnionWith(ReasoningMarkNames.GetClosings(named));
        }

        if (start != ReasoningStart.None)
        {
            closings.UnionWith(ReasoningMarkNames.FindNamedClosings(text));
        }

        if (openings.Count + closings.Count == 0)
        {
            return [];
        }

        var either = string.Join(
            '|',
            openings.Concat(closings).OrderByDescending(mark => mark.Length).Select(Regex.Escape)
        );
        return
        [
            .. Regex
                .Matches(text, either, RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)
                .Select(match => new Place(match.Index, match.Length, openings.Contains(match.Value))),
        ];
    }

    readonly record struct Place(int Index, int Length, bool IsOpening);
}
