namespace CoPe.Data.Checking;

/// <summary>What a file of users holds.</summary>
public sealed record CheckedFile
{
    /// <summary>The file.</summary>
    public required string File { get; init; }

    /// <summary>Users that can be used.</summary>
    public int Users { get; set; }

    /// <summary>Their history items.</summary>
    public int Items { get; set; }

    /// <summary>Their queries.</summary>
    public int Queries { get; set; }

    /// <summary>Sizes of their histories.</summary>
    public TextLengths Histories { get; } = new();
}
