using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;

namespace CoPe.Experiments.Runs;

/// <summary>
/// A run's lock where the file system has none: a file that only one process can create, with the name of the machine
/// and the number of the process. One that was killed leaves it; the next on the same machine sees that it is gone.
/// </summary>
sealed class LockOwner : IDisposable
{
    readonly string _file;

    LockOwner(string file) => _file = file;

    /// <summary>Creates the file.</summary>
    /// <exception cref="RunException">
    /// Another process has it, or may have: on another machine that is not known.
    /// </exception>
    public static LockOwner Take(RunDirectory run)
    {
        while (!TryCreate(run.LockOwner))
        {
            ThrowIfAtWork(run);
            File.Delete(run.LockOwner);
        }

        return new(run.LockOwner);
    }

    /// <summary>Throws where a process has the file of a run and may be at work.</summary>
    /// <exception cref="RunException">One has.</exception>
    public static void ThrowIfAtWork(RunDirectory run)
    {
        if (Read(run.LockOwner) is { } owner && IsAtWork(owner))
        {
            throw new RunException(
                $"another process is at work in {run.Name} ({owner}): wait for it, or name another folder with --run "
                    + "FOLDER. Its file system had no locks; where that process has been killed, delete "
                    + run.LockOwner
            );
        }
    }

    /// <summary>Whether a process has the file of a run and may be at work.</summary>
    public static bool IsAtWork(RunDirectory run) => Read(run.LockOwner) is { } owner && IsAtWork(owner);

    static bool TryCreate(string file)
    {
        try
        {
            using var stream = new FileStream(file, FileMode.CreateNew, FileAccess.Write, FileShare.Read);
            using var writer = new StreamWriter(stream);
            writer.Write(string.Create(CultureInfo.InvariantCulture, $"{Prefix}{Environment.ProcessId}"));
            return true;
        }
        catch (IOException) when (File.Exists(file))
        {
            return false;
        }
    }

    static string Prefix => $"{Environment.MachineName} process ";

    static string? Read(string file)
    {
        try
        {
            return File.ReadAllText(file);
        }
        catch (IOException) when (!File.Exists(file))
        {
            return null;
        }
    }

    /// <summary>False for a process of this machine that is gone; one of another machine may be there.</summary>
    static bool IsAtWork(string owner)
    {
        var isHere = owner.StartsWith(Prefix, StringComparison.Ordinal);
        if (!isHere || !int.TryParse(owner[Prefix.Length..], CultureInfo.InvariantCulture, out var number))
        {
            return true;
        }

        try
        {
            using var process = Process.GetProcessById(number);
            return !process.HasExited;
        }
        catch (ArgumentException)
        {
            return false;
        }
        catch (Win32Exception)
        {
            return true; // Another person's, of which nothing more is known.
        }
    }

    /// <inheritdoc/>
    public void Dispose() => File.Delete(_file);
}
