using System.Text.Encodings.Web;
using System.Text.Json;
using static System.StringComparison;

namespace CoPe.Experiments.Runs;

/// <summary>A file or folder of a run that a rebuild replaces.</summary>
/// <param name="FullPath">Where it lies or will lie.</param>
/// <param name="IsCopied">
/// A copy is set aside and the file stays, for it is edited in place; otherwise it is moved aside.
/// </param>
readonly record struct ReplacedPath(string FullPath, bool IsCopied = false);

/// <summary>
/// A rebuild as one transaction: what it replaces is moved to <see cref="RunDirectory.Replaced"/>, and deleted there
/// once its successor is complete. Where the rebuild fails, is stopped or killed, what it has made goes to
/// <see cref="RunDirectory.Unfinished"/> and the replaced comes back. Files are renamed, not copied; a journal is
/// written before the first, so that whatever stops the process the next command can bring everything back.
/// </summary>
/// <remarks>
/// The journal lists every path that the rebuild may touch. One that existed is as it was until its name appears in
/// <see cref="RunDirectory.Replaced"/>, and again once it has disappeared there; so each step of bringing it back can
/// be repeated. Without a journal, what is left in that folder belongs to a rebuild that is complete.
/// </remarks>
sealed class RunReplacement
{
    readonly RunDirectory _run;

    RunReplacement(RunDirectory run) => _run = run;

    /// <summary>Whether a rebuild of a run is at work, or was killed and nothing has been brought back yet.</summary>
    public static bool IsPending(RunDirectory run) => File.Exists(ReplacementJournal.GetPath(run));

    /// <summary>Sets aside what a rebuild replaces. The run's lock must be held.</summary>
    /// <param name="run">The run.</param>
    /// <param name="paths">Every path that the rebuild may write, whether it exists or not.</param>
    /// <param name="command">The command that continues the rebuild once it was stopped.</param>
    public static RunReplacement Begin(RunDirectory run, IEnumerable<ReplacedPath> paths, string? command)
    {
        AtomicFile.Remove(run.Replaced.Root);
        var entries = paths
            .DistinctBy(path => path.FullPath)
            .Select(path => new ReplacementEntry(
                run.GetRelativePath(path.FullPath),
                Path.Exists(path.FullPath),
                path.IsCopied
            ))
            .ToList();
        new ReplacementJournal(command, entries).Write(run);
        foreach (var entry in entries.Where(entry => entry.Existed))
        {
            var (place, aside) = (entry.In(run), entry.In(run.Replaced));
            if (entry.IsCopied)
            {
                AtomicFile.Copy(place, aside);
            }
            else
            {
                AtomicFile.Move(place, aside);
            }
        }

        return new(run);
    }

    /// <summary>Deletes what was set aside: its successors are complete.</summary>
    public void Commit()
    {
        AtomicFile.Remove(ReplacementJournal.GetPath(_run));
        AtomicFile.Remove(_run.Replaced.Root);
    }

    /// <summary>
    /// Brings back what was set aside, and keeps what was made in its place as unfinished. Does nothing where no
    /// rebuild is pending. The run's lock must be held.
    /// </summary>
    /// <returns>Whether anything was brought back.</returns>
    /// <exception cref="RunException">The journal is damaged.</exception>
    public static bool RollBack(RunDirectory run)
    {
        if (ReplacementJournal.Read(run) is not { } journal)
        {
            if (Directory.Exists(run.Replaced.Root))
            {
                AtomicFile.Remove(run.Replaced.Root);
            }

            return false;
        }

        foreach (var entry in journal.Entries)
        {
            BringBack(run, entry);
        }

        // The journal goes last. It tells, beside what is unfinished, which command continues that.
        if (Directory.Exists(run.Unfinished.Root))
        {
            AtomicFile.Move(ReplacementJournal.GetPath(run), ReplacementJournal.GetUnfinishedPath(run));
        }
        else
        {
            AtomicFile.Remove(ReplacementJournal.GetPath(run));
        }

        AtomicFile.Remove(run.Replaced.Root);
        return true;
    }

    /// <summary>The command that continues the rebuild whose beginning a run keeps; null where none is known.</summary>
    public static string? ReadUnfinishedCommand(RunDirectory run)
    {
        var path = ReplacementJournal.GetUnfinishedPath(run);
        return File.Exists(path) ? ReplacementJournal.Parse(path, run)?.Command : null;
    }

    static void BringBack(RunDirectory run, ReplacementEntry entry)
    {
        var (place, aside) = (entry.In(run), entry.In(run.Replaced));
        if (entry.Existed && !Path.Exists(aside))
        {
            return; // never set aside, or back already
        }

        if (Path.Exists(place))
        {
            AtomicFile.Move(place, entry.In(run.Unfinished));
        }

        if (entry.Existed)
        {
            AtomicFile.Move(aside, place);
        }
    }
}

/// <summary>The paths that a rebuild may touch, recorded before it begins.</summary>
/// <param name="Command">The command that continues the rebuild; null where none is known.</param>
/// <param name="Entries">The paths.</param>
sealed record ReplacementJournal(string? Command, IReadOnlyList<ReplacementEntry> Entries)
{
    const string FileName = "journal.json";

    static readonly JsonSerializerOptions Options = new()
    {
        WriteIndented = true,
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    public static string GetPath(RunDirectory run) => Path.Combine(run.Replaced.Root, FileName);

    /// <summary>Where the journal lies once everything is back.</summary>
    public static string GetUnfinishedPath(RunDirectory run) => Path.Combine(run.Unfinished.Root, FileName);

    /// <summary>The journal of a rebuild that is pending; null where none is.</summary>
    /// <exception cref="RunException">It is damaged.</exception>
    public static ReplacementJournal? Read(RunDirectory run)
    {
        var path = GetPath(run);
        if (!File.Exists(path))
        {
            return null;
        }

        return Parse(path, run)
            ?? throw new RunException(
                $"{path} is damaged: it lists what an interrupted rebuild had set aside; move the files beside it back "
                    + $"to the same places in {run.Name}, and delete {run.Replaced.Name}"
            );
    }

    /// <summary>A journal; null where the file is none.</summary>
    public static ReplacementJournal? Parse(string path, RunDirectory run)
    {
        var journal = RunJson.TryRead<ReplacementJournal>(path, Options);
        return journal?.Entries.All(entry => entry.IsWithin(run)) == true ? journal : null;
    }

    public void Write(RunDirectory run) =>
        AtomicFile.WriteText(GetPath(run), JsonSerializer.Serialize(this, Options) + "\n");
}

/// <summary>A path in the journal.</summary>
/// <param name="Path">The path within the run, with forward slashes.</param>
/// <param name="Existed">Whether anything lay there before the rebuild.</param>
/// <param name="IsCopied">Whether a copy was set aside.</param>
sealed record ReplacementEntry(string Path, bool Existed, bool IsCopied)
{
    /// <summary>A journal from elsewhere must not move files that are none of the run's.</summary>
    public bool IsWithin(RunDirectory run) =>
        !string.IsNullOrEmpty(Path)
        && !Path.Contains('\0', Ordinal)
        && System.IO.Path.GetFullPath(In(run)).StartsWith(run.Root + System.IO.Path.DirectorySeparatorChar, Ordinal);

    public string In(RunDirectory run) => System.IO.Path.Combine(run.Root, Path);
}
