namespace CoPe;

/// <summary>Names from outside that become names of files.</summary>
static class FileName
{
    /// <summary>What a name must be, for messages.</summary>
    public const string Expected =
        "a name of up to 100 characters without / \\ : * ? \" < > |, which neither begins nor ends with '.' or a blank";

    const int MaxLength = 100;
    const string Reserved = "/\\:*?\"<>|";

    /// <summary>
    /// Whether a name is one of a file on every system, and nothing else: no path, no folder above, no device.
    /// </summary>
    public static bool IsPlain(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        return name.Length is > 0 and <= MaxLength
            && !IsEdge(name[0])
            && !IsEdge(name[^1])
            && !name.Any(letter => char.IsControl(letter) || Reserved.Contains(letter))
            && !IsDevice(name);
    }

    static bool IsEdge(char letter) => letter == '.' || char.IsWhiteSpace(letter);

    /// <summary>Whether Windows takes a name for that of a device.</summary>
    static bool IsDevice(string name)
    {
        var stem = name.Split('.')[0].TrimEnd().ToLowerInvariant();
        return stem is "con" or "prn" or "aux" or "nul"
            || (stem.Length == 4 && stem[..3] is "com" or "lpt" && char.IsAsciiDigit(stem[3]));
    }
}
