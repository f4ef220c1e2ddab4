using System.Globalization;
using CoPe.Cli.Display;
using CoPe.Decoding;
using CoPe.Experiments.Runs.Chat;

namespace CoPe.Cli.Sessions;

/// <summary>What a chat says about itself, each in a line.</summary>
static class ChatMessages
{
    static readonly CultureInfo Culture = CultureInfo.InvariantCulture;

    /// <summary>Which adapter answers: <c>runs/me, user ada: adapter dpo/ada of 2026-11-30 16:20</c>.</summary>
    public static string DescribeAdapter(string run, ChatSession session)
    {
        var adapter = session.Adapter;
        var folder = $"{adapter.Stage}/{Path.GetFileName(adapter.Folder)}";
        var trained = adapter.Trained.ToLocalTime().ToString("yyyy-MM-dd HH:mm", Culture);
        return $"{run}, user {session.User}: adapter {folder} ({adapter.Stage.ToUpperInvariant()}) of {trained}";
    }

    /// <summary>How lines are answered.</summary>
    public static string DescribeOptions(ChatSession session, ChatSessionOptions options)
    {
        var decoding = session.CreateDecodingOptions(options);
        List<string> parts =
        [
            DescribeContrast(decoding),
            decoding.DoSample ? string.Create(Culture, $"temperature {decoding.Temperature}") : "temperature 0",
            string.Create(Culture, $"at most {decoding.MaxNewTokens} tokens"),
            options.IncludesBase ? "base on" : "base off",
            options.UsesTaskPrompt ? "words task" : "words off",
            options.IncludesEarlierTurns ? "turns on" : "turns off",
        ];
        if (options.Seed is { } seed)
        {
            parts.Add(string.Create(Culture, $"seed {seed}"));
        }

        return string.Join(", ", parts);
    }

    static string DescribeContrast(DecodingOptions decoding)
    {
        if (decoding.Contrast == 0)
        {
            return "contrast 0 (the user's model alone)";
        }

        var where = decoding.ContrastUnlessCertain is { } limit
            ? string.Create(Culture, $" unless the task's model is surer than {limit}")
            : "";
        return string.Create(Culture, $"contrast {decoding.Contrast}{where}, plausibility {decoding.Plausibility}");
    }

    /// <summary>What a person should know of an answer: what was cut of the prompt, and that the answer was.</summary>
    /// <param name="turn">The answered line.</param>
    /// <param name="tokensOption">What raises the limit: <c>/tokens</c> or <c>--tokens</c>.</param>
    public static IEnumerable<string> DescribeLimits(ChatTurn turn, string tokensOption)
    {
        if (turn.Cut.LeftOutTurns > 0)
        {
            var turns = DisplayFormat.Plural(turn.Cut.LeftOutTurns, "earliest turn");
            yield return $"the model's context is full: {turns} left out of the prompt (/new begins a conversation)";
        }

        if (turn.Cut.IsCutWithinWord)
        {
            yield return "the line is too long for the model's context and was cut at its end";
        }
        else if (turn.Cut.IsLineCut)
        {
            var words = string.Create(Culture, $"{turn.Cut.KeptWords:#,0} of {turn.Cut.Words:#,0} words");
            yield return $"the line was cut to its first {words}, which is what the run and the model's context allow";
        }

        if (turn.Personalized.IsUnfinished)
        {
            yield return $"the model still reasons at its limit of tokens: no answer; {tokensOption} raises it";
        }
        else if (turn.Personalized.StopReason is StopReason.MaxNewTokens)
        {
            yield return $"the answer ends at its limit of tokens; {tokensOption} raises it";
        }
    }
}
