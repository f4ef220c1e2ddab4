using CoPe.Experiments.Tasks;

namespace CoPe.Experiments.Data.Checking;

/// <summary>Checks the users of one file one after the other, and hands each out as a clean copy has him.</summary>
/// <param name="file">The file, and what it holds.</param>
/// <param name="isTest">Whether these are the test users.</param>
/// <param name="shared">What is known across files.</param>
sealed class UserCheck(CheckedFile file, bool isTest, CheckContext shared)
{
    readonly HashSet<string> _users = [];
    readonly HashSet<string> _queries = [];
    readonly Dictionary<string, (int Length, int Count)> _longest = [];

    /// <summary>The user without what is wrong with him; null where nothing usable is left.</summary>
    public LampUser? Clean(LampUser user)
    {
        var place = new DataFileLocation { File = file.File, User = user.Id };
        if (!_users.Add(user.Id))
        {
            return DropUser(CheckRules.DuplicateUser, place, "a second user with this id");
        }

        if (!isTest && shared.TestUsers.Contains(user.Id))
        {
            return DropUser(CheckRules.UserInBoth, place, "also a test user");
        }

        var asked = user
            .Queries.Select(query => Clean(query, place with { Item = query.Id }))
            .OfType<LampQuery>()
            .ToList();
        var own = new ItemCheck(shared, isTest ? [.. user.Queries.Select(query => query.Id)] : [], CheckText);
        var history = user
            .History.Select(item => own.Clean(item, place with { Item = item.Id }))
            .OfType<HistoryItem>()
            .ToList();
        if (isTest && history.Count == 0)
        {
            return DropUser(CheckRules.NoHistory, place with { Field = "profile" }, "no usable history item");
        }

        if (asked.Count == 0)
        {
            return DropUser(CheckRules.NoQuery, place with { Field = "query" }, "no usable query");
        }

        var clean = user with { History = history, Queries = asked };
        Count(clean);
        return clean;
    }

    /// <summary>Says where texts end all at the same length.</summary>
    public void Finish()
    {
        foreach (var (field, (length, count)) in _longest)
        {
            if (count >= 3 && length >= 100)
            {
                shared.Findings.Add(
                    CheckRules.CutText,
                    new() { File = file.File, Field = field },
                    $"{count} texts have exactly the length of the longest, {length} characters"
                );
            }
        }
    }

    LampQuery? Clean(LampQuery query, DataFileLocation place)
    {
        if (!_queries.Add(query.Id))
        {
            return DropQuery(CheckRules.DuplicateQuery, place, "a second query with this id");
        }

        var gold = query.Gold;
        if (isTest && shared.Golds.TryGetValue(query.Id, out var label))
        {
            shared.UnusedLabels.Remove(query.Id);
            if (gold.Length > 0 && TextFingerprint.Compute(gold, 1) != TextFingerprint.Compute(label, 1))
            {
                return DropQuery(
                    CheckRules.GoldConflict,
                    place,
                    $"\"{Head(gold)}\" here, \"{Head(label)}\" in the label file"
                );
            }

            gold = label;
        }

        if (string.IsNullOrWhiteSpace(gold))
        {
            return DropQuery(CheckRules.NoGold, place, "no gold");
        }

        if (!isTest && shared.Index.FindTestText(query, gold) is { } leak)
        {
            return DropQuery(CheckRules.LeakTask, place, $"it is {leak}");
        }

        if (string.IsNullOrWhiteSpace(query.Input))
        {
            shared.Findings.Add(CheckRules.EmptyInput, place with { Field = "input" }, "an empty text");
        }

        return query with
        {
            Input = CheckText(query.Input, place with { Field = "input" }, isAnswer: false),
            Gold = CheckText(gold, place with { Field = "gold" }, isAnswer: true),
        };
    }

    /// <summary>Reports what is wrong within a text, and returns it as a clean copy has it.</summary>
    string CheckText(string text, DataFileLocation place, bool isAnswer)
    {
        if (TextFaults.DescribeOddCharacters(text) is { } odd)
        {
            shared.Findings.Add(CheckRules.ControlCharacters, place, odd);
        }

        if (isAnswer && TextFaults.DescribeCut(text, TextFaults.CountWords(text)) is { } cut)
        {
            shared.Findings.Add(CheckRules.CutText, place, cut);
        }

        var (length, count) = _longest.GetValueOrDefault(place.Field!);
        if (text.Length >= length)
        {
            _longest[place.Field!] = (text.Length, text.Length == length ? count + 1 : 1);
        }

        return TextFaults.RemoveControlCharacters(text);
    }

    void Count(LampUser user)
    {
        file.Users++;
        file.Items += user.History.Count;
        file.Queries += user.Queries.Count;
        file.Histories.Add(user.History.Count);
        shared.Statistics.Add(user, isTest);
    }

    LampQuery? DropQuery(CheckRule rule, DataFileLocation place, string detail)
    {
        shared.Findings.Add(rule, place, detail);
        return null;
    }

    LampUser? DropUser(CheckRule rule, DataFileLocation place, string detail)
    {
        shared.Findings.Add(rule, place, detail);
        return null;
    }

    static string Head(string text) => text.Length <= 30 ? text : text[..30] + "...";
}

/// <summary>Checks the items of one user's history.</summary>
/// <param name="shared">What is known across files.</param>
/// <param name="ownQueries">Ids of the user's own queries.</param>
/// <param name="fault">Reports what is wrong within a text and returns it clean.</param>
sealed class ItemCheck(
    CheckContext shared,
    HashSet<string> ownQueries,
    Func<string, DataFileLocation, bool, string> fault
)
{
    readonly HashSet<string> _ids = [];
    readonly HashSet<UInt128> _texts = [];

    /// <summary>The item as a clean copy has it; null where it is left out.</summary>
    public HistoryItem? Clean(HistoryItem item, DataFileLocation place)
    {
        var task = shared.Definition.Task;
        if (!_ids.Add(item.Id))
        {
            return Drop(CheckRules.DuplicateItem, place, "a second item with this id");
        }

        if (ownQueries.Contains(item.Id))
        {
            return Drop(CheckRules.LeakId, place, "it is the user's own query");
        }

        if (shared.Index.FindQuery(item) is { } query)
        {
            return Drop(CheckRules.LeakText, place, $"it is {query}");
        }

        if (
            TextFingerprint.Compute(task.InputFields.Append(task.OutputField).Select(field => item.Fields[field]))
                is { } key
            && !_texts.Add(key)
        )
        {
            return Drop(CheckRules.DuplicateText, place, "the same texts as an earlier item");
        }

        foreach (var field in task.InputFields.Where(field => string.IsNullOrWhiteSpace(item.Fields[field])))
        {
            shared.Findings.Add(CheckRules.EmptyInput, place with { Field = field }, "an empty text");
        }

        return item with
        {
            Fields = item.Fields.ToDictionary(
                pair => pair.Key,
                pair => fault(pair.Value, place with { Field = pair.Key }, pair.Key == task.OutputField)
            ),
        };
    }

    HistoryItem? Drop(CheckRule rule, DataFileLocation place, string detail)
    {
        shared.Findings.Add(rule, place, detail);
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
