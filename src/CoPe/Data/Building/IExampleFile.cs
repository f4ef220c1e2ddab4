namespace CoPe.Data.Building;

/// <summary>A published file, read an example at a time.</summary>
interface IExampleFile : IDisposable
{
    /// <summary>The file.</summary>
    string File { get; }

    /// <summary>How much of the file was read, in bytes, and how long it is.</summary>
    (long Read, long Length) Progress { get; }

    /// <summary>The examples in file order; one that is no text is reported and left out.</summary>
    IEnumerable<RawExample> Examples(Action<DataFileException> problem);
}
