namespace CoPe.Fuzz.Readers;

/// <summary>Every reader of foreign input.</summary>
static class FuzzedReaders
{
    public static IReadOnlyList<FuzzedReader> All { get; } =
    [
        .. ModelReaders.All,
        .. WeightReaders.All,
        .. TemplateReaders.All,
        .. DataReaders.All,
        .. ImportReaders.All,
        .. AnswerReaders.All,
        .. SettingsReaders.All,
        .. RunReaders.All,
        .. RunFolderReaders.All,
        .. NetworkReaders.All,
        .. CommandReaders.All,
    ];
}
