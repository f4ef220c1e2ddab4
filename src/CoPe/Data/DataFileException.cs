namespace CoPe.Data;

/// <summary>A data or prompt file does not hold what is needed: says where, what was found, what was expected and what to do.</summary>
public sealed class DataFileException : Exception
{
    /// <summary>Makes the one-line message from its parts.</summary>
    public DataFileException(DataFilePlace place, string found, string expected, string advice, Exception? inner = null)
        : base($"{place}: found {found}, expected {expected}. {advice}", inner) =>
        (Place, Found, Expected, Advice) = (place, found, expected, advice);

    /// <summary>File, and within it line, user, item and field as far as they are known.</summary>
    public DataFilePlace Place { get; }

    /// <summary>What was found.</summary>
    public string Found { get; }

    /// <summary>What was expected.</summary>
    public string Expected { get; }

    /// <summary>What to do about it: a whole sentence.</summary>
    public string Advice { get; }
}
