namespace CoPe.Evaluation;

/// <summary>The order of methods in tables: what is known first by how much it personalises, then all others by name.</summary>
public static class MethodOrder
{
    /// <summary>The methods that have a place.</summary>
    public static IReadOnlyList<string> Known { get; } = ["base", "recent", "rag", "pag", "tam", "tam-all", "sft", "sft+cd", "dpo", "cope-sft", "cope"];

    /// <summary>The names in table order.</summary>
    /// <param name="methods">Names of methods.</param>
    public static IEnumerable<string> Sort(IEnumerable<string> methods) =>
        methods.OrderBy(Place).ThenBy(method => method, StringComparer.Ordinal);

    static int Place(string method)
    {
        for (var place = 0; place < Known.Count; place++)
            if (Known[place] == method) return place;
        return Known.Count;
    }
}
