using CoPe.Chat;
using CoPe.Experiments.Data;
using CoPe.Experiments.Runs.Recipes;
using CoPe.Experiments.Tasks;
using Microsoft.Extensions.Logging;

namespace CoPe.Experiments.Runs.Stages;

/// <summary>
/// Words the prompts of methods that put a user's history before the query. What does not fit goes from the history,
/// the least useful first, and never from the query.
/// </summary>
/// <param name="context">The stage at work.</param>
/// <param name="workspace">Data, wording, tokenizer.</param>
/// <param name="kind">What of the history is shown.</param>
sealed class InContextPrompts(StageContext context, RunWorkspace workspace, ContextKind kind)
{
    readonly InContextOptions _settings = context.Recipe.Context;
    readonly ExampleEncoder _encoder = new(workspace, context.Recipe.Sft);
    readonly PromptTemplate _template = workspace.Template with { MaxFieldWords = context.Recipe.Sft.MaxWords };
    readonly Dictionary<string, HistoryRetrieval> _retrievals = [];
    readonly Lazy<Dictionary<string, UserProfile>> _profiles = new(() =>
        JsonLines.Read(context.Run.Profiles, (UserProfile line) => line.User)
    );
    int _promptCount;
    int _shortenedCount;

    /// <summary>The prompt of a query, with room for an answer.</summary>
    public IReadOnlyList<int> BuildPrompt(LampUser user, LampQuery query, int maxNewTokens)
    {
        if (kind == ContextKind.None)
        {
            return _encoder.EncodePrompt(query, maxNewTokens);
        }

        _promptCount++;
        return (
                kind == ContextKind.Profile
                    ? BuildWithProfile(user, query, maxNewTokens)
                    : BuildWithItems(user, query, maxNewTokens)
            ) ?? _encoder.EncodePrompt(query, maxNewTokens);
    }

    /// <summary>
    /// The request for a description of the user from as many of their latest items as fit; null where none fits.
    /// </summary>
    public IReadOnlyList<int>? BuildSummaryPrompt(LampUser user)
    {
        RequireWording(_template.InContext.Example, "example");
        RequireWording(_template.InContext.Summary, "summary");
        _promptCount++;
        return FitItems(
            GetRetrieval(user).TakeRecent(_settings.ProfileItems),
            items => _template.ForSummary([.. items.Reverse()], _settings.ItemWords),
            _settings.ProfileTokens
        );
    }

    /// <summary>Says how many prompts hold less than was asked for.</summary>
    public void WarnIfShortened(string stage)
    {
        if (_shortenedCount > 0)
        {
            context.Log.LogWarning(
                "{Stage}: {Shortened} of {Prompts} prompts hold less of the history than asked for, since prompt and "
                    + "answer must fit into the model's context of {Context} tokens (lower context.item_words, or "
                    + "the number of items)",
                stage,
                _shortenedCount,
                _promptCount,
                workspace.ContextLength
            );
        }
    }

    int[]? BuildWithItems(LampUser user, LampQuery query, int maxNewTokens)
    {
        RequireWording(_template.InContext.Example, "example");
        RequireWording(_template.InContext.Examples, "examples");
        var best =
            kind == ContextKind.Recent
                ? GetRetrieval(user).TakeRecent(_settings.Items)
                : GetRetrieval(user).FindSimilar(query.Input, _settings.Items);
        return FitItems(
            best,
            items => _template.ForQuery(query, [.. items.Reverse()], _settings.ItemWords),
            maxNewTokens
        ); // the best next to the request
    }

    int[]? BuildWithProfile(LampUser user, LampQuery query, int maxNewTokens)
    {
        RequireWording(_template.InContext.Profile, "profile");
        var profile = _profiles.Value.GetValueOrDefault(user.Id)?.Profile ?? "";
        var words = WordLimit.Count(profile);
        for (var kept = words; kept > 0; kept = kept * 4 / 5)
        {
            if (
                TryEncode(_template.ForQuery(query, PromptTemplate.TruncateWords(profile, kept)), maxNewTokens)
                is not { } ids
            )
            {
                continue;
            }

            if (kept < words)
            {
                _shortenedCount++;
            }

            return ids;
        }

        if (words > 0)
        {
            _shortenedCount++;
        }

        return null;
    }

    /// <summary>
    /// The prompt over as many of the items, from the first, as the model's context holds; null where it holds none.
    /// </summary>
    int[]? FitItems(
        IReadOnlyList<HistoryItem> items,
        Func<IEnumerable<HistoryItem>, IReadOnlyList<ChatMessage>> word,
        int maxNewTokens
    )
    {
        for (var count = items.Count; count > 0; count--)
        {
            if (TryEncode(word(items.Take(count)), maxNewTokens) is not { } ids)
            {
                continue;
            }

            if (count < items.Count)
            {
                _shortenedCount++;
            }

            return ids;
        }

        if (items.Count > 0)
        {
            _shortenedCount++;
        }

        return null;
    }

    int[]? TryEncode(IReadOnlyList<ChatMessage> messages, int maxNewTokens)
    {
        var ids = workspace.Encoder.EncodePrompt(messages);
        return ids.Length <= workspace.ContextLength - maxNewTokens ? ids : null;
    }

    HistoryRetrieval GetRetrieval(LampUser user)
    {
        if (!_retrievals.TryGetValue(user.Id, out var retrieval))
        {
            _retrievals[user.Id] = retrieval = new(workspace.Task, user);
        }

        return retrieval;
    }

    void RequireWording(string? wording, string key)
    {
        if (wording is null)
        {
            throw new RunException(
                $"{context.Inputs.Prompt ?? context.Inputs.TaskPath} has no key '{key}', which words prompts that hold "
                    + "the user's history: add it, as in the shipped tasks ('cope data tasks news_headline' shows one)"
            );
        }
    }
}
