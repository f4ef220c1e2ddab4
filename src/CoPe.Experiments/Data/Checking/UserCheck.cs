using CoPe.Experiments.Tasks;

namespace CoPe.Experiments.Data.Checking;

/// <summary>Checks the users of one file one after the other, and returns each as a clean copy has them.</summary>
/// <param name="file">The file, and what it holds.</param>
/// <param name="isTest">Whether these are the test users.</param>
/// <param name="context">What is known across files.</param>
sealed class UserCheck(CheckedFile file, bool isTest, CheckContext context)
{
    readonly HashSet<string> _users = [];
    readonly HashSet<string> _queries = [];
    readonly Dictionary<string, (int Length, int Count)> _longest = [];

    /// <summary>The user without faulty items and queries; null where nothing usable is left.</summary>
    public LampUser? Clean(LampUser user)
    {
        var location = new DataFileLocation { File = file.File, User = user.Id };
        if (!_users.Add(user.Id))
        {
            return DropUser(CheckRules.DuplicateUser, location, "a second user with this id");
        }

        if (!isTest && context.TestUsers.Contains(user.Id))
        {
            return DropUser(CheckRules.UserInBoth, location, "also a test user");
        }

        var queries = user
            .Queries.Select(query => Clean(query, location with { Item = query.Id }))
            .OfType<LampQuery>()
            .ToList();
        // Other users' histories train nothing, so that they may hold their own queries.
        HashSet<string> ownQueries = isTest ? [.. user.Queries.Select(query => query.Id)] : [];
        var itemCheck = new ItemCheck(context, ownQueries, CheckText);
        var history = user
            .History.Select(item => itemCheck.Clean(item, location with { Item = item.Id }))
            .OfType<HistoryItem>()
            .ToList();
        if (isTest && history.Count == 0)
        {
            return DropUser(CheckRules.NoHistory, location with { Field = "profile" }, "no usable history item");
        }

        if (queries.Count == 0)
        {
            return DropUser(CheckRules.NoQuery, location with { Field = "query" }, "no usable query");
        }

        var clean = user with { History = history, Queries = queries };
        Count(clean);
        return clean;
    }

    /// <summary>Reports fields whose texts all end at the same length.</summary>
    public void Finish()
    {
        foreach (var (field, (length, count)) in _longest)
        {
            if (count >= 3 && length >= 100)
            {
                context.Findings.Add(
                    CheckRules.CutText,
                    new() { File = file.File, Field = field },
                    $"{count} texts have exactly the length of the longest, {length} characters"
                );
            }
        }
    }

    LampQuery? Clean(LampQuery query, DataFileLocation location)
    {
        if (!_queries.Add(query.Id))
        {
            return DropQuery(CheckRules.DuplicateQuery, location, "a second query with this id");
        }

        var gold = query.Gold;
        if (isTest && context.Golds.TryGetValue(query.Id, out var label))
        {
            context.UnusedLabels.Remove(query.Id);
            if (gold.Length > 0 && TextFingerprint.Compute(gold, 1) != TextFingerprint.Compute(label, 1))
            {
                return DropQuery(
                    CheckRules.GoldConflict,
                    location,
                    $"\"{Head(gold)}\" here, \"{Head(label)}\" in the label file"
                );
            }

            gold = label;
        }

        if (string.IsNullOrWhiteSpace(gold))
        {
            return DropQuery(CheckRules.NoGold, location, "no gold");
        }

        var leak = isTest ? null : context.Index.FindTestText(query, gold);
        if (leak is not null)
        {
            return DropQuery(CheckRules.LeakTask, location, $"it is {leak}");
        }

        if (string.IsNullOrWhiteSpace(query.Input))
        {
            context.Findings.Add(CheckRules.EmptyInput, location with { Field = "input" }, "an empty text");
        }

        return query with
        {
            Input = CheckText(query.Input, location with { Field = "input" }, isAnswer: false),
            Gold = CheckText(gold, location with { Field = "gold" }, isAnswer: true),
        };
    }

    /// <summary>Reports what is wrong within a text, and returns it as a clean copy has it.</summary>
    string CheckText(string text, DataFileLocation location, bool isAnswer)
    {
        var oddCharacters = TextFaults.DescribeOddCharacters(text);
        if (oddCharacters is not null)
        {
            context.Findings.Add(CheckRules.ControlCharacters, location, oddCharacters);
        }

        var cut = isAnswer ? TextFaults.DescribeCut(text) : null;
        if (cut is not null)
        {
            context.Findings.Add(CheckRules.CutText, location, cut);
        }

        if (isAnswer && TextScripts.IsMostlyBeyondAscii(text))
        {
            context.Findings.Add(CheckRules.UncountedScript, location, LanguageDetector.Detect(text));
        }

        if (TextFaults.DescribeLongWord(text) is { } length)
        {
            context.Findings.Add(CheckRules.LongWord, location, length);
        }

        CountLongest(location.Field!, text.Length);
        return TextFaults.RemoveControlCharacters(text);
    }

    void CountLongest(string field, int length)
    {
        var (longest, count) = _longest.GetValueOrDefault(field);
        if (length > longest)
        {
            _longest[field] = (length, 1);
        }
        else if (length == longest)
        {
            _longest[field] = (length, count + 1);
        }
    }

    void Count(LampUser user)
    {
        file.Users++;
        file.Items += user.History.Count;
        file.Queries += user.Queries.Count;
        file.Histories.Add(user.History.Count);
        context.Statistics.Add(user, isTest);
    }

    LampQuery? DropQuery(CheckRule rule, DataFileLocation location, string detail)
    {
        context.Findings.Add(rule, location, detail);
        return null;
    }

    LampUser? DropUser(CheckRule rule, DataFileLocation location, string detail)
    {
        context.Findings.Add(rule, location, detail);
        return null;
    }

    static string Head(string text) => text.Length <= 30 ? text : text[..30] + "...";
}

/// <summary>Checks the items of one user's history.</summary>
/// <param name="context">What is known across files.</param>
/// <param name="ownQueries">Ids of the user's own queries.</param>
/// <param name="checkText">Reports what is wrong within a text and returns it clean.</param>
sealed class ItemCheck(
    CheckContext context,
    HashSet<string> ownQueries,
    Func<string, DataFileLocation, bool, string> checkText
)
{
    readonly HashSet<string> _ids = [];
    readonly HashSet<UInt128> _texts = [];

    /// <summary>The item as a clean copy has it; null where it is left out.</summary>
    public HistoryItem? Clean(HistoryItem item, DataFileLocation location)
    {
        var task = context.Definition.Task;
        if (!_ids.Add(item.Id))
        {
            return Drop(CheckRules.DuplicateItem, location, "a second item with this id");
        }

        if (ownQueries.Contains(item.Id))
        {
            return Drop(CheckRules.LeakId, location, "it is the user's own query");
        }

        var query = context.Index.FindQuery(item);
        if (query is not null)
        {
            return Drop(CheckRules.LeakText, location, $"it is {query}");
        }

        var texts = task.InputFields.Append(task.OutputField).Select(field => item.Fields[field]);
        var fingerprint = TextFingerprint.Compute(texts);
        if (fingerprint is not null && !_texts.Add(fingerprint.Value))
        {
            return Drop(CheckRules.DuplicateText, location, "the same texts as an earlier item");
        }

        foreach (var field in task.InputFields.Where(field => string.IsNullOrWhiteSpace(item.Fields[field])))
        {
            context.Findings.Add(CheckRules.EmptyInput, location with { Field = field }, "an empty text");
        }

        return item with
        {
            Fields = item.Fields.ToDictionary(
                pair => pair.Key,
                pair => checkText(pair.Value, location with { Field = pair.Key }, pair.Key == task.OutputField)
            ),
        };
    }

    HistoryItem? Drop(CheckRule rule, DataFileLocation location, string detail)
    {
        context.Findings.Add(rule, location, detail);
        return null;
    }
}

/// <summary>What a check knows across files.</summary>
sealed record CheckContext
{
    public required TaskDefinition Definition { get; init; }

    public required CheckFindings Findings { get; init; }

    public required CheckStatistics Statistics { get; init; }

    public required LeakIndex Index { get; init; }

    /// <summary>Ids of the test users.</summary>
    public HashSet<string> TestUsers { get; } = [];

    /// <summary>The label file.</summary>
    public required IReadOnlyDictionary<string, string> Golds { get; init; }

    /// <summary>Labels for which no query was seen yet.</summary>
    public required HashSet<string> UnusedLabels { get; init; }
}
