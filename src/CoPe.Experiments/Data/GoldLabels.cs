using CoPe.Experiments.Tasks;

namespace CoPe.Experiments.Data;

/// <summary>The golds of the label file, joined with those that queries carry themselves.</summary>
sealed class GoldLabels
{
    readonly string _file;
    readonly bool _required;
    readonly Dictionary<string, string>? _golds;

    public GoldLabels(string file, LampTask task, bool required)
    {
        (_file, _required) = (file, required);
        if (!File.Exists(file))
        {
            return;
        }

        using var tokens = new JsonTokenStream(file);
        _golds = new LampFileReader(tokens, task).ReadGolds();
    }

    /// <summary>The user with a gold for every query that has one.</summary>
    public LampUser FillGolds(LampUser user, string usersFile)
    {
        var queries = user.Queries.Select(query => query with { Gold = FindGold(user, query, usersFile) });
        return user with { Queries = queries.ToList() };
    }

    string FindGold(LampUser user, LampQuery query, string usersFile)
    {
        var location = new DataFileLocation
        {
            File = _file,
            User = user.Id,
            Item = query.Id,
        };
        var label = _golds?.GetValueOrDefault(query.Id);
        if (string.IsNullOrWhiteSpace(label))
        {
            return GoldOfQuery(query, location, label);
        }

        if (query.Gold.Length > 0 && !SameWords(query.Gold, label))
        {
            throw new DataFileException(
                location,
                "another gold than the query carries",
                $"the gold in {usersFile}",
                "Correct one of the two."
            );
        }

        return label;
    }

    string GoldOfQuery(LampQuery query, DataFileLocation location, string? label)
    {
        if (!_required || !string.IsNullOrWhiteSpace(query.Gold))
        {
            return query.Gold;
        }

        var foundLabel = label is null ? "no label for the query" : "an empty label";
        var found = _golds is null ? "no such file" : foundLabel;
        throw new DataFileException(
            location,
            $"{found}, and no gold in the query",
            "the text the user wrote",
            "Add the label; to predict without golds, turn RequireGolds off."
        );
    }

    static bool SameWords(string a, string b) => SplitWords(a).SequenceEqual(SplitWords(b));

    static string[] SplitWords(string text) => text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
}
