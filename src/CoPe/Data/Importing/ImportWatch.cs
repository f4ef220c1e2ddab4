namespace CoPe.Data.Importing;

/// <summary>Who is told while a source is read.</summary>
/// <param name="Problem">Told of everything that is left out or changed.</param>
/// <param name="Progress">Told how far reading is.</param>
sealed record ImportWatch(Action<DataFileException> Problem, DataProgress Progress)
{
    /// <summary>The stage that reads.</summary>
    public const string Stage = "read";
}
