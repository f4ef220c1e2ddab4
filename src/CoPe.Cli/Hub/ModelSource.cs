namespace CoPe.Cli.Hub;

/// <summary>Where a model that a person names lies: a folder, from the current one or beside the program.</summary>
static class ModelSource
{
    /// <summary>What a person may name, for help texts.</summary>
    public const string Description = "Folder of a model in Hugging Face layout.";

    /// <summary>The folder of a model.</summary>
    public static string Find(CommandHost host, string name) =>
        host.Roots.Select(root => Path.GetFullPath(Path.Combine(root, name))).FirstOrDefault(Directory.Exists)
        ?? throw new UsageException($"model folder {name} does not exist (looked in {string.Join(" and ", host.Roots)}): name a model folder in Hugging Face layout");
}
