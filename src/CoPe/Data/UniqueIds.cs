namespace CoPe.Data;

/// <summary>Makes ids that stand twice different: the second "7" becomes "7#2".</summary>
sealed class UniqueIds
{
    readonly HashSet<string> taken = [];
    readonly Dictionary<string, int> repeats = [];

    /// <summary>The id itself where it is new, otherwise with a number.</summary>
    public string Of(string id)
    {
        if (taken.Add(id)) return id;
        // From where the last one stopped: a hundred thousand of the same id are no hundred thousand searches.
        for (var number = repeats.GetValueOrDefault(id, 1) + 1; ; number++)
        {
            if (!taken.Add($"{id}#{number}")) continue;
            repeats[id] = number;
            return $"{id}#{number}";
        }
    }
}
