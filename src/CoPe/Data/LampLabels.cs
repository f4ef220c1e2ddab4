namespace CoPe.Data;

/// <summary>The golds of the label file, joined with those that queries carry themselves.</summary>
sealed class LampLabels
{
    readonly string file;
    readonly bool required;
    readonly Dictionary<string, string>? golds;

    public LampLabels(string file, LampTask task, bool required)
    {
        (this.file, this.required) = (file, required);
        if (!File.Exists(file)) return;
        using var tokens = new JsonTokenStream(file);
        golds = new LampFileReader(tokens, task).Golds();
    }

    /// <summary>The user with a gold for every query that has one.</summary>
    public LampUser Fill(LampUser user, string usersFile) =>
        user with { Queries = user.Queries.Select(query => query with { Gold = GoldOf(user, query, usersFile) }).ToList() };

    string GoldOf(LampUser user, LampQuery query, string usersFile)
    {
        var place = new DataFilePlace { File = file, User = user.Id, Item = query.Id };
        if (golds is null || !golds.TryGetValue(query.Id, out var label)) return Own(query, place);
        if (query.Gold.Length > 0 && !SameWords(query.Gold, label))
            throw new DataFileException(place, "another gold than the query carries", $"the gold in {usersFile}", "Correct one of the two.");
        return label;
    }

    string Own(LampQuery query, DataFilePlace place) =>
        query.Gold.Length > 0 || !required ? query.Gold
        : throw new DataFileException(place, golds is null ? "no such file, and no gold in the query" : "no label for the query, and no gold in the query",
            "the text the user wrote", "Add the label; to predict without golds, turn RequireGolds off.");

    static bool SameWords(string a, string b) => a.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)
        .SequenceEqual(b.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
}
