using CoPe.Data;
using CoPe.Prompts;
using CoPe.Runs.Recipes;
using CoPe.Tokens;

namespace CoPe.Runs.Stages;

/// <summary>Words requests and answers of a run as token ids, in the same way for every stage.</summary>
/// <param name="workspace">Wording, tokenizer and model of the run.</param>
/// <param name="maxWords">Words kept of each text field.</param>
sealed class ExampleSource(RunWorkspace workspace, int maxWords)
{
    readonly PromptTemplate template = workspace.Template with { MaxFieldWords = maxWords };

    /// <summary>Word cut of the stage's numbers.</summary>
    public ExampleSource(RunWorkspace workspace, OptimizationSettings settings)
        : this(workspace, settings.MaxWords)
    {
    }

    /// <summary>A query of another user, for the task-adaptive model.</summary>
    public SupervisedExample Example(LampUser user, LampQuery query) =>
        new($"{user.Id}/{query.Id}", workspace.Encoder.EncodePrompt(template.ForQuery(query)), workspace.Encoder.EncodeResponse(template.AnswerOf(query)));

    /// <summary>An item of a user's history.</summary>
    public SupervisedExample Example(LampUser user, HistoryItem item) =>
        new($"{user.Id}/{item.Id}", workspace.Encoder.EncodePrompt(template.ForHistory(item)), Answer(item));

    /// <summary>The user's own answer to a history item.</summary>
    public IReadOnlyList<int> Answer(HistoryItem item) => workspace.Encoder.EncodeResponse(template.AnswerOf(item));

    /// <summary>The user's own words on a history item, cut as in training.</summary>
    public string AnswerText(HistoryItem item) => template.AnswerOf(item);

    /// <summary>The user's own words in answer to a query, cut as in training.</summary>
    public string AnswerText(LampQuery query) => template.AnswerOf(query);

    /// <summary>A history item and a rejected answer to it.</summary>
    public PreferenceExample Example(LampUser user, HistoryItem item, string rejected) =>
        new($"{user.Id}/{item.Id}", workspace.Encoder.EncodePrompt(template.ForHistory(item)), Answer(item), workspace.Encoder.EncodeResponse(rejected));

    /// <summary>The prompt of a history item, with room for an answer.</summary>
    public IReadOnlyList<int> Prompt(HistoryItem item, int maxNewTokens) => WordedPrompt(item, maxNewTokens).Ids;

    /// <summary>The same prompt, before the chat template and after it.</summary>
    public (IReadOnlyList<ChatMessage> Messages, int[] Ids) WordedPrompt(HistoryItem item, int maxNewTokens) =>
        Fit(cut => cut.ForHistory(item), maxNewTokens) ?? throw TooLong($"item {item.Id}", maxNewTokens, "negatives.max_new_tokens");

    /// <summary>The prompt of a query, with room for an answer.</summary>
    public IReadOnlyList<int> Prompt(LampQuery query, int maxNewTokens) =>
        (Fit(cut => cut.ForQuery(query), maxNewTokens) ?? throw TooLong($"query {query.Id}", maxNewTokens, "decode.max_new_tokens (of the answers that 'evaluate' samples, negatives.max_new_tokens)")).Ids;

    /// <summary>
    /// The prompt with as many words of each field as the context holds beside the answer, so that what is cut off is the end of the longest text and never the template around it;
    /// where one word is too long (a text without spaces), as many characters; null where not one of them fits.
    /// </summary>
    (IReadOnlyList<ChatMessage> Messages, int[] Ids)? Fit(Func<PromptTemplate, IReadOnlyList<ChatMessage>> word, int maxNewTokens)
    {
        var room = workspace.ContextLength - maxNewTokens;
        for (var words = maxWords; words >= 1; words = words * 4 / 5)
            if (Fitting(template with { MaxFieldWords = words }) is { } prompt) return prompt;
        for (var length = 16 * workspace.ContextLength; length >= 1; length = length * 4 / 5)
            if (Fitting(template with { MaxFieldLength = length }) is { } prompt) return prompt;
        return null;

        (IReadOnlyList<ChatMessage>, int[])? Fitting(PromptTemplate cut)
        {
            var messages = word(cut);
            var ids = workspace.Encoder.EncodePrompt(messages);
            return ids.Length <= room ? (messages, ids) : null;
        }
    }

    RunException TooLong(string asked, int maxNewTokens, string key) => new($"{asked}: no prompt fits beside {maxNewTokens} new tokens into the model's context of {workspace.ContextLength}: lower {key}");
}
