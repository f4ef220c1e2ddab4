namespace CoPe.Experiments.Data;

/// <summary>Makes duplicate ids unique: the second "7" becomes "7#2".</summary>
sealed class UniqueIds
{
    readonly HashSet<string> _taken = [];
    readonly Dictionary<string, int> _repeats = [];

    /// <summary>The id itself where it is new, otherwise the id with a number.</summary>
    public string MakeUnique(string id)
    {
        if (_taken.Add(id))
        {
            return id;
        }

        // Continues where the last one stopped: a hundred thousand of the same id are no hundred thousand searches.
        for (var number = _repeats.GetValueOrDefault(id, 1) + 1; ; number++)
        {
            var numbered = $"{id}#{number}";
            if (_taken.Add(numbered))
            {
                _repeats[id] = number;
                return numbered;
            }
        }
    }
}

/// <summary>What an id must be: it names folders and lines, so it must be visible.</summary>
static class IdValidation
{
    /// <summary>What errors say is expected.</summary>
    public const string Expected = "an id of visible characters";

    /// <summary>What is wrong with an id, as errors say it; null where nothing is.</summary>
    public static string? FindFault(string id)
    {
        if (id.Any(char.IsControl))
        {
            return "an id with control characters";
        }

        return string.IsNullOrWhiteSpace(id) ? "an empty id" : null;
    }
}
