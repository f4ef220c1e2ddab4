using CoPe.Chat;
using CoPe.Experiments.Tasks;

namespace CoPe.Experiments.Runs.Chat;

/// <summary>
/// Makes the prompts of a chat's line. The first line of a conversation is worded as the task words a history item;
/// those after it stand as they are, as replies do.
/// </summary>
/// <param name="workspace">Wording, tokenizer and model of the run.</param>
/// <param name="maxWords">Most words of a line.</param>
sealed class ChatPromptBuilder(RunWorkspace workspace, int maxWords)
{
    // The line is cut here, where it can be told, and the system text stands before the whole conversation.
    readonly PromptTemplate _template = workspace.Template with { MaxFieldWords = int.MaxValue - 1, System = null };

    readonly IReadOnlyList<ChatMessage> _system = workspace.Template.System is { } system
        ? [new("system", system)]
        : [];

    /// <summary>
    /// The prompts of several models, with as much of the conversation as the context holds beside the answer: the
    /// earliest turns are left out first, then the end of the line.
    /// </summary>
    /// <exception cref="RunException">Not a character of the line fits.</exception>
    public ChatPrompts Build(string line, IReadOnlyList<ChatTurn> earlier, ChatSessionOptions options, int maxNewTokens)
    {
        var room = workspace.ContextLength - maxNewTokens;
        var words = WordLimit.Count(line);
        var first = PromptTemplate.TruncateWords(line, maxWords);
        for (var leftOut = 0; leftOut <= earlier.Count; leftOut++)
        {
            if (TryBuild(first, [.. earlier.Skip(leftOut)], options, room) is { } built)
            {
                return Finish(built, first, leftOut);
            }
        }

        if (FindLongestThatFits(line, options, room) is var (shorter, fitting))
        {
            return Finish(fitting, shorter, earlier.Count);
        }

        throw new RunException(
            $"nothing of the line fits beside {maxNewTokens} new tokens into the model's context of "
                + $"{workspace.ContextLength}: allow fewer tokens of an answer"
        );

        ChatPrompts Finish(ChatPrompts built, string kept, int leftOut)
        {
            var keptWords = WordLimit.Count(kept);
            var isCutWithinWord = keptWords == words && kept.Length < line.Length;
            return built with { Cut = new(keptWords, words, isCutWithinWord, leftOut) };
        }
    }

    /// <summary>
    /// The line cut to as many words as fit; one whose first word is too long (a text without spaces), to as many
    /// characters; null where not one of them fits.
    /// </summary>
    (string Line, ChatPrompts Prompts)? FindLongestThatFits(string line, ChatSessionOptions options, int room)
    {
        var mostCharacters = Math.Min(line.Length, 16 * workspace.ContextLength);
        return Bisect(Math.Min(maxWords, WordLimit.Count(line)), words => PromptTemplate.TruncateWords(line, words))
            ?? Bisect(mostCharacters, length => line[..(char.IsHighSurrogate(line[length - 1]) ? length - 1 : length)]);

        (string, ChatPrompts)? Bisect(int most, Func<int, string> cut)
        {
            (string, ChatPrompts)? best = null;
            for (var least = 1; least <= most;)
            {
                var middle = least + (most - least) / 2;
                var shorter = cut(middle);
                if (TryBuild(shorter, [], options, room) is { } built)
                {
                    best = (shorter, built);
                    least = middle + 1;
                }
                else
                {
                    most = middle - 1;
                }
            }

            return best;
        }
    }

    ChatPrompts? TryBuild(string line, IReadOnlyList<ChatTurn> earlier, ChatSessionOptions options, int room)
    {
        var request = CreateRequest(line, isFirst: earlier.Count == 0, options);
        var ids = new Dictionary<ChatModelKind, int[]>();
        foreach (var model in options.Models)
        {
            var turns = earlier.SelectMany(turn => turn.MessagesFor(model));
            var encoded = workspace.Encoder.EncodePrompt([.. _system, .. turns, .. request]);
            if (encoded.Length > room)
            {
                return null;
            }

            ids[model] = encoded;
        }

        return new(request, ids, new(0, 0, false, 0));
    }

    IReadOnlyList<ChatMessage> CreateRequest(string line, bool isFirst, ChatSessionOptions options)
    {
        if (!isFirst)
        {
            return [new("user", line)];
        }

        if (!options.UsesTaskPrompt || workspace.Task.InputFields is not [var field])
        {
            return _template.ForQuery(new() { Id = "chat", Input = line });
        }

        var item = new HistoryItem
        {
            Id = "chat",
            Fields = new Dictionary<string, string> { [field] = line },
        };
        return _template.ForQuery(new() { Id = "chat", Input = _template.FormatHistoryItem(item) });
    }
}

/// <summary>The prompts of a line.</summary>
/// <param name="Request">The line, worded.</param>
/// <param name="Ids">Ids of each model's prompt.</param>
/// <param name="Cut">What did not fit.</param>
sealed record ChatPrompts(
    IReadOnlyList<ChatMessage> Request,
    IReadOnlyDictionary<ChatModelKind, int[]> Ids,
    ChatPromptCut Cut
);
