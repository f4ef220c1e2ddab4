using CoPe.Data;
using CoPe.Prompts;
using CoPe.Runs.Recipes;
using Microsoft.Extensions.Logging;

namespace CoPe.Runs.Stages;

/// <summary>Words the prompts of methods that put a user's history before the query. What does not fit goes from the history, the least useful first, and never from the query.</summary>
/// <param name="context">The stage at work.</param>
/// <param name="workspace">Data, wording, tokenizer.</param>
/// <param name="kind">What of the history is shown.</param>
sealed class ContextPrompts(StageContext context, RunWorkspace workspace, ContextKind kind)
{
    readonly ContextSettings settings = context.Recipe.Context;
    readonly ExampleSource source = new(workspace, context.Recipe.Sft);
    readonly PromptTemplate template = workspace.Template with { MaxFieldWords = context.Recipe.Sft.MaxWords };
    readonly Dictionary<string, HistoryRetrieval> retrievals = [];
    readonly Lazy<Dictionary<string, string>> profiles = new(() => JsonLines.Read<UserProfile>(context.Run.Profiles).ToDictionary(line => line.User, line => line.Profile));
    int asked;
    int shortened;

    /// <summary>The prompt of a query, with room for an answer.</summary>
    public IReadOnlyList<int> Prompt(LampUser user, LampQuery query, int maxNewTokens)
    {
        if (kind == ContextKind.None) return source.Prompt(query, maxNewTokens);
        asked++;
        return (kind == ContextKind.Profile ? WithProfile(user, query, maxNewTokens) : WithItems(user, query, maxNewTokens)) ?? source.Prompt(query, maxNewTokens);
    }

    /// <summary>The request for a description of the user from as many of his latest items as fit; null where none fits.</summary>
    public IReadOnlyList<int>? Summary(LampUser user)
    {
        Require(template.InContext.Example, "example");
        Require(template.InContext.Summary, "summary");
        asked++;
        return Fitting(RetrievalOf(user).Recent(settings.ProfileItems), items => template.ForSummary([.. items.Reverse()], settings.ItemWords), settings.ProfileTokens);
    }

    /// <summary>Says how many prompts hold less than was asked for.</summary>
    public void Tell(string stage)
    {
        if (shortened > 0)
            context.Log.LogWarning("{Stage}: {Shortened} of {Asked} prompts hold less of the history than asked for, since prompt and answer must fit into the model's context of {Context} tokens (lower context.item_words, or the number of items)",
                stage, shortened, asked, workspace.ContextLength);
    }

    int[]? WithItems(LampUser user, LampQuery query, int maxNewTokens)
    {
        Require(template.InContext.Example, "example");
        Require(template.InContext.Examples, "examples");
        var best = kind == ContextKind.Recent ? RetrievalOf(user).Recent(settings.Items) : RetrievalOf(user).Similar(query.Input, settings.Items);
        return Fitting(best, items => template.ForQuery(query, [.. items.Reverse()], settings.ItemWords), maxNewTokens); // the best next to the request
    }

    int[]? WithProfile(LampUser user, LampQuery query, int maxNewTokens)
    {
        Require(template.InContext.Profile, "profile");
        var profile = profiles.Value.GetValueOrDefault(user.Id, "");
        var words = profile.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries).Length;
        for (var kept = words; kept > 0; kept = kept * 4 / 5)
        {
            if (Encoded(template.ForQuery(query, PromptTemplate.FirstWords(profile, kept)), maxNewTokens) is not { } ids) continue;
            if (kept < words) shortened++;
            return ids;
        }

        if (words > 0) shortened++;
        return null;
    }

    /// <summary>The prompt over as many of the items, from the first, as the model's context holds; null where it holds none.</summary>
    int[]? Fitting(IReadOnlyList<HistoryItem> items, Func<IEnumerable<HistoryItem>, IReadOnlyList<ChatMessage>> word, int maxNewTokens)
    {
        for (var count = items.Count; count > 0; count--)
        {
            if (Encoded(word(items.Take(count)), maxNewTokens) is not { } ids) continue;
            if (count < items.Count) shortened++;
            return ids;
        }

        if (items.Count > 0) shortened++;
        return null;
    }

    int[]? Encoded(IReadOnlyList<ChatMessage> messages, int maxNewTokens)
    {
        var ids = workspace.Encoder.EncodePrompt(messages);
        return ids.Length <= workspace.ContextLength - maxNewTokens ? ids : null;
    }

    HistoryRetrieval RetrievalOf(LampUser user)
    {
        if (!retrievals.TryGetValue(user.Id, out var retrieval)) retrievals[user.Id] = retrieval = new(workspace.Task, user);
        return retrieval;
    }

    void Require(string? wording, string key)
    {
        if (wording is null) throw new RunException($"{context.Inputs.Prompt ?? context.Inputs.TaskFile} has no key '{key}', which words prompts that hold the user's history: add it, as in the shipped tasks ('cope data tasks news_headline' shows one)");
    }
}
