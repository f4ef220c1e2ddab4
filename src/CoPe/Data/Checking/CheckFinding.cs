namespace CoPe.Data.Checking;

/// <summary>One thing found at one place.</summary>
/// <param name="Rule">What was looked for.</param>
/// <param name="Place">File, user, item and field.</param>
/// <param name="Detail">What exactly was found.</param>
public sealed record CheckFinding(CheckRule Rule, DataFilePlace Place, string Detail)
{
    /// <summary>Place and detail in one line.</summary>
    public override string ToString() => $"{Place}: {Detail}";
}
