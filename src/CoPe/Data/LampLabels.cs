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
        var label = golds?.GetValueOrDefault(query.Id);
        if (string.IsNullOrWhiteSpace(label)) return Own(query, place, label);
        if (query.Gold.Length > 0 && !SameWords(query.Gold, label))
            throw new DataFileException(place, "another gold than the query carries", $"the gold in {usersFile}", "Correct one of the two.");
        return label;
    }

    string Own(LampQuery query, DataFilePlace place, string? label) =>
        !string.IsNullOrWhiteSpace(query.Gold) || !required ? query.Gold
        : throw new DataFileException(place, $"{(golds is null ? "no such file" : label is null ? "no label for the query" : "an empty label")}, and no gold in the query",
            "the text the user wrote", "Add the label; to predict without golds, turn RequireGolds off.");

    static bool SameWords(string a, string b) => a.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)
        .SequenceEqual(b.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
}
