namespace CoPe.Runs.Recipes;

/// <summary>A row of the results table, as a value: which adapters the expert wears and whether an amateur is contrasted.</summary>
public sealed record PredictionMethod
{
    /// <summary>Name in recipes, on the command line and of the prediction file.</summary>
    public required string Name { get; init; }

    /// <summary>Heading in tables.</summary>
    public required string Title { get; init; }

    /// <summary>The expert wears the task adapter.</summary>
    public bool UsesTam { get; init; } = true;

    /// <summary>The user's adapter the expert wears on top.</summary>
    public UserAdapterKind UserAdapter { get; init; } = UserAdapterKind.None;

    /// <summary>An amateur is contrasted.</summary>
    public bool Contrasts { get; init; }

    /// <summary>Every method, in the order of the table.</summary>
    public static IReadOnlyList<PredictionMethod> All { get; } =
    [
        new() { Name = "base", Title = "base", UsesTam = false },
        new() { Name = "tam", Title = "TAM" },
        new() { Name = "sft", Title = "SFT", UserAdapter = UserAdapterKind.Sft },
        new() { Name = "sft+cd", Title = "SFT+CD", UserAdapter = UserAdapterKind.Sft, Contrasts = true },
        new() { Name = "dpo", Title = "DPO", UserAdapter = UserAdapterKind.Dpo },
        new() { Name = "cope", Title = "CoPe", UserAdapter = UserAdapterKind.Dpo, Contrasts = true },
    ];

    /// <summary>The method of a name.</summary>
    /// <exception cref="RecipeException">There is none.</exception>
    public static PredictionMethod Of(string name) => All.FirstOrDefault(method => method.Name == name) ?? throw new RecipeException(Unknown(name));

    /// <summary>Says that there is no method of a name, and which there are.</summary>
    internal static string Unknown(string name)
    {
        var names = All.Select(method => method.Name).ToList();
        return $"unknown method '{name}'{Nearest.Hint(name, names)} (there are {string.Join(", ", names)})";
    }
}
