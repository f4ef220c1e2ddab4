using System.Globalization;

namespace CoPe.Experiments.Runs.Blocks;

/// <summary>
/// The blocks of a run on the disk: <c>blocks/0007</c> is complete, <c>blocks/0007.3</c> is at work or was given up,
/// claimed for the third time. Each is a run folder in small. Names change by renaming folders alone, which has one
/// winner on every file system; who has lost a folder finds nothing at its path any more.
/// </summary>
/// <param name="whole">The run of all users.</param>
sealed class BlockFolders(RunDirectory whole)
{
    /// <summary>The folder of a complete block.</summary>
    public RunDirectory GetComplete(int block) => Open(FormatNumber(block));

    /// <summary>The folder of a block that was claimed so many times.</summary>
    public RunDirectory GetClaimed(int block, int claims) =>
        Open(string.Create(CultureInfo.InvariantCulture, $"{FormatNumber(block)}.{claims}"));

    /// <summary>A folder of this process in which a block that nobody has begun is prepared.</summary>
    public RunDirectory GetNew(int block) =>
        Open($".{FormatNumber(block)}-{Environment.MachineName}-{Environment.ProcessId}");

    /// <summary>
    /// The folder of every block that has one; of several the complete one, or the one claimed most often.
    /// </summary>
    public IReadOnlyDictionary<int, BlockFolder> List()
    {
        var paths = Directory.Exists(whole.Blocks) ? Directory.EnumerateDirectories(whole.Blocks) : [];
        return paths
            .Select(path => Parse(Path.GetFileName(path)))
            .OfType<BlockFolder>()
            .GroupBy(folder => folder.Block)
            .ToDictionary(block => block.Key, block => block.MaxBy(folder => folder.Claims ?? int.MaxValue)!);
    }

    BlockFolder? Parse(string name)
    {
        var numbers = name.Split('.').Select(TryParseNumber).ToList();
        return numbers switch
        {
            [{ } block] => new(block, null, Open(name)),
            [{ } block, { } claims] => new(block, claims, Open(name)),
            _ => null,
        };
    }

    static int? TryParseNumber(string text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;

    static string FormatNumber(int block) => block.ToString("D4", CultureInfo.InvariantCulture);

    RunDirectory Open(string name) =>
        new(Path.Combine(whole.Blocks, name), Path.Combine(whole.Name, Path.GetFileName(whole.Blocks), name));
}

/// <summary>A block on the disk.</summary>
/// <param name="Block">Its number, from 0.</param>
/// <param name="Claims">How often it was claimed; null where it is complete.</param>
/// <param name="Run">Its folder.</param>
sealed record BlockFolder(int Block, int? Claims, RunDirectory Run)
{
    /// <summary>What whoever is at work in it says of themselves; null for nobody.</summary>
    public SignOfLife? ReadSign() => Claims is null ? null : SignOfLife.Read(Run);
}
