namespace CoPe.Data.Checking;

/// <summary>Checks the users of one file one after the other, and hands each out as a clean copy has him.</summary>
/// <param name="file">The file, and what it holds.</param>
/// <param name="isTest">Whether these are the test users.</param>
/// <param name="shared">What is known across files.</param>
sealed class UserCheck(CheckedFile file, bool isTest, CheckContext shared)
{
    readonly HashSet<string> users = [];
    readonly HashSet<string> queries = [];
    readonly Dictionary<string, (int Length, int Count)> longest = [];

    /// <summary>The user without what is wrong with him; null where nothing usable is left.</summary>
    public LampUser? Clean(LampUser user)
    {
        var place = new DataFilePlace { File = file.File, User = user.Id };
        if (!users.Add(user.Id)) return Nothing(CheckRules.DuplicateUser, place, "a second user with this id");
        if (!isTest && shared.TestUsers.Contains(user.Id)) return Nothing(CheckRules.UserInBoth, place, "also a test user");
        var asked = user.Queries.Select(query => Clean(query, place with { Item = query.Id })).OfType<LampQuery>().ToList();
        var own = new ItemCheck(shared, isTest ? [.. user.Queries.Select(query => query.Id)] : [], Fault);
        var history = user.Profile.Select(item => own.Clean(item, place with { Item = item.Id })).OfType<HistoryItem>().ToList();
        if (isTest && history.Count == 0) return Nothing(CheckRules.NoHistory, place with { Field = "profile" }, "no usable history item");
        if (asked.Count == 0) return Nothing(CheckRules.NoQuery, place with { Field = "query" }, "no usable query");
        var clean = user with { Profile = history, Queries = asked };
        Count(clean);
        return clean;
    }

    /// <summary>Says where texts end all at the same length.</summary>
    public void End()
    {
        foreach (var (field, (length, count)) in longest)
            if (count >= 3 && length >= 100)
                shared.Findings.Add(CheckRules.CutText, new() { File = file.File, Field = field }, $"{count} texts have exactly the length of the longest, {length} characters");
    }

    LampQuery? Clean(LampQuery query, DataFilePlace place)
    {
        if (!queries.Add(query.Id)) return Drop(CheckRules.DuplicateQuery, place, "a second query with this id");
        var gold = query.Gold;
        if (isTest && shared.Golds.TryGetValue(query.Id, out var label))
        {
            shared.UnusedLabels.Remove(query.Id);
            if (gold.Length > 0 && TextKey.Of(gold, 1) != TextKey.Of(label, 1)) return Drop(CheckRules.GoldConflict, place, $"\"{Head(gold)}\" here, \"{Head(label)}\" in the label file");
            gold = label;
        }

        if (string.IsNullOrWhiteSpace(gold)) return Drop(CheckRules.NoGold, place, "no gold");
        if (!isTest && shared.Index.TestTextIn(query, gold) is { } leak) return Drop(CheckRules.LeakTask, place, $"it is {leak}");
        if (string.IsNullOrWhiteSpace(query.Input)) shared.Findings.Add(CheckRules.EmptyInput, place with { Field = "input" }, "an empty text");
        return query with { Input = Fault(query.Input, place with { Field = "input" }, isAnswer: false), Gold = Fault(gold, place with { Field = "gold" }, isAnswer: true) };
    }

    /// <summary>Reports what is wrong within a text, and returns it as a clean copy has it.</summary>
    string Fault(string text, DataFilePlace place, bool isAnswer)
    {
        if (TextFaults.OddCharacters(text) is { } odd) shared.Findings.Add(CheckRules.ControlCharacters, place, odd);
        if (isAnswer && TextFaults.Cut(text, TextFaults.Words(text)) is { } cut) shared.Findings.Add(CheckRules.CutText, place, cut);
        var (length, count) = longest.GetValueOrDefault(place.Field!);
        if (text.Length >= length) longest[place.Field!] = (text.Length, text.Length == length ? count + 1 : 1);
        return TextFaults.WithoutControls(text);
    }

    void Count(LampUser user)
    {
        file.Users++;
        file.Items += user.Profile.Count;
        file.Queries += user.Queries.Count;
        file.Histories.Add(user.Profile.Count);
        shared.Statistics.Add(user, isTest);
    }

    LampQuery? Drop(CheckRule rule, DataFilePlace place, string detail)
    {
        shared.Findings.Add(rule, place, detail);
        return null;
    }

    LampUser? Nothing(CheckRule rule, DataFilePlace place, string detail)
    {
        shared.Findings.Add(rule, place, detail);
        return null;
    }

    static string Head(string text) => text.Length <= 30 ? text : text[..30] + "...";
}
