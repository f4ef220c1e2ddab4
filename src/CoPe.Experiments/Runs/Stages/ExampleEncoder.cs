using CoPe.Chat;
using CoPe.Experiments.Data;
using CoPe.Experiments.Runs.Recipes;
using CoPe.Experiments.Tasks;
using CoPe.Training;

namespace CoPe.Experiments.Runs.Stages;

/// <summary>Words requests and answers of a run as token ids, in the same way for every stage.</summary>
/// <param name="workspace">Wording, tokenizer and model of the run.</param>
/// <param name="maxWords">Words kept of each text field.</param>
sealed class ExampleEncoder(RunWorkspace workspace, int maxWords)
{
    readonly PromptTemplate _template = workspace.Template with { MaxFieldWords = maxWords };

    /// <summary>Word cut of the stage's numbers.</summary>
    public ExampleEncoder(RunWorkspace workspace, TrainingSection settings)
        : this(workspace, settings.MaxWords) { }

    /// <summary>A query of another user, for the task-adaptive model.</summary>
    public SupervisedExample Encode(LampUser user, LampQuery query) =>
        new(
            $"{user.Id}/{query.Id}",
            workspace.Encoder.EncodePrompt(_template.ForQuery(query)),
            workspace.Encoder.EncodeResponse(_template.GetAnswer(query))
        );

    /// <summary>An item of a user's history.</summary>
    public SupervisedExample Encode(LampUser user, HistoryItem item) =>
        new($"{user.Id}/{item.Id}", workspace.Encoder.EncodePrompt(_template.ForHistory(item)), EncodeAnswer(item));

    /// <summary>The user's own answer to a history item.</summary>
    public IReadOnlyList<int> EncodeAnswer(HistoryItem item) =>
        workspace.Encoder.EncodeResponse(_template.GetAnswer(item));

    /// <summary>The user's own words on a history item, cut as in training.</summary>
    public string GetAnswerText(HistoryItem item) => _template.GetAnswer(item);

    /// <summary>The user's own words in answer to a query, cut as in training.</summary>
    public string GetAnswerText(LampQuery query) => _template.GetAnswer(query);

    /// <summary>A history item and a rejected answer to it.</summary>
    public PreferenceExample Encode(LampUser user, HistoryItem item, string rejected) =>
        new(
            $"{user.Id}/{item.Id}",
            workspace.Encoder.EncodePrompt(_template.ForHistory(item)),
            EncodeAnswer(item),
            workspace.Encoder.EncodeResponse(rejected)
        );

    /// <summary>The prompt of a history item, with room for an answer.</summary>
    public IReadOnlyList<int> EncodePrompt(HistoryItem item, int maxNewTokens) => BuildPrompt(item, maxNewTokens).Ids;

    /// <summary>The same prompt, before the chat template and after it.</summary>
    public (IReadOnlyList<ChatMessage> Messages, int[] Ids) BuildPrompt(HistoryItem item, int maxNewTokens) =>
        TryFit(cut => cut.ForHistory(item), maxNewTokens)
        ?? throw CreateTooLongError($"item {item.Id}", maxNewTokens, "negatives.max_new_tokens");

    /// <summary>The prompt of a query, with room for an answer.</summary>
    public IReadOnlyList<int> EncodePrompt(LampQuery query, int maxNewTokens) =>
        (
            TryFit(cut => cut.ForQuery(query), maxNewTokens)
            ?? throw CreateTooLongError(
                $"query {query.Id}",
                maxNewTokens,
                "decode.max_new_tokens (of the answers that 'evaluate' samples, negatives.max_new_tokens)"
            )
        ).Ids;

    /// <summary>
    /// The prompt with as many words of each field as the context holds beside the answer, so that what is cut off is
    /// the end of the longest text and never the template around it;
    /// where one word is too long (a text without spaces), as many characters; null where not one of them fits.
    /// </summary>
    (IReadOnlyList<ChatMessage> Messages, int[] Ids)? TryFit(
        Func<PromptTemplate, IReadOnlyList<ChatMessage>> word,
        int maxNewTokens
    )
    {
        var room = workspace.ContextLength - maxNewTokens;
        for (var words = maxWords; words >= 1; words = words * 4 / 5)
        {
            if (Fitting(_template with { MaxFieldWords = words }) is { } prompt)
            {
                return prompt;
            }
        }

        for (var length = 16 * workspace.ContextLength; length >= 1; length = length * 4 / 5)
        {
            if (Fitting(_template with { MaxFieldLength = length }) is { } prompt)
            {
                return prompt;
            }
        }

        return null;

        (IReadOnlyList<ChatMessage>, int[])? Fitting(PromptTemplate cut)
        {
            var messages = word(cut);
            var ids = workspace.Encoder.EncodePrompt(messages);
            return ids.Length <= room ? (messages, ids) : null;
        }
    }

    RunException CreateTooLongError(string what, int maxNewTokens, string key) =>
        new(
            $"{what}: no prompt fits beside {maxNewTokens} new tokens into the model's context of "
                + $"{workspace.ContextLength}: lower {key}"
        );
}
