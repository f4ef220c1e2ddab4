using Microsoft.Win32.SafeHandles;

namespace CoPe.Experiments.Runs;

/// <summary>
/// Keeps a run to one process, and a process to its run: where the run's folder is renamed or deleted meanwhile,
/// nothing more is written at its path, where another run may be by then. Given up when disposed or when the process
/// ends, however it ends.
/// </summary>
public sealed class RunLock : IDisposable
{
    readonly RunDirectory _run;
    readonly FileStream _stream;
    readonly LockOwner? _owner;
    readonly string? _path;
    readonly IDisposable _guard;

    RunLock(RunDirectory run, FileStream stream, LockOwner? owner)
    {
        _run = run;
        _stream = stream;
        _owner = owner;
        _path = FileLock.FindPath(stream.SafeFileHandle);
        _guard = GuardedFolders.Add(run.Root, ThrowIfLost);
    }

    /// <summary>Takes the lock, making the run's folder where it is missing.</summary>
    /// <exception cref="RunException">Another process has it, or the folder cannot be written.</exception>
    public static RunLock Acquire(RunDirectory run) => Acquire(run, FileLock.IsKept);

    /// <summary>The same with another answer to whether the system keeps the lock of an open file.</summary>
    internal static RunLock Acquire(RunDirectory run, Func<SafeFileHandle, string, bool> isKept)
    {
        ArgumentNullException.ThrowIfNull(run);
        FileStream? stream = null;
        try
        {
            Directory.CreateDirectory(run.Root);
            stream = new(run.Lock, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            if (!isKept(stream.SafeFileHandle, run.Lock))
            {
                return new(run, stream, LockOwner.Take(run));
            }

            LockOwner.ThrowIfAtWork(run); // Of a machine on which the file system has no locks.
            return new(run, stream, owner: null);
        }
        catch (IOException error) when (FileLock.IsHeldByOther(error))
        {
            stream?.Dispose();
            throw new RunException(
                $"another process is at work in {run.Name}: wait for it, or name another folder with --run FOLDER",
                error
            );
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            stream?.Dispose();
            throw new RunException(
                $"run folder {run.Name} cannot be written ({error.Message}): name another with --run FOLDER",
                error
            );
        }
        catch
        {
            stream?.Dispose();
            throw;
        }
    }

    /// <summary>Whether a process is at work in a run.</summary>
    internal static bool IsHeld(RunDirectory run)
    {
        if (!File.Exists(run.Lock))
        {
            return false;
        }

        try
        {
            using var stream = new FileStream(run.Lock, FileMode.Open, FileAccess.Read, FileShare.Read);
            return LockOwner.IsAtWork(run);
        }
        catch (IOException)
        {
            return true;
        }
        catch (UnauthorizedAccessException)
        {
            return false; // Another person's run, of which nothing more is known.
        }
    }

    /// <summary>Throws where the run's folder is no longer the one that was locked.</summary>
    /// <exception cref="RunException">It was renamed or deleted.</exception>
    internal void ThrowIfLost()
    {
        var isThere = _path is null ? File.Exists(_run.Lock) : FileLock.FindPath(_stream.SafeFileHandle) == _path;
        if (!isThere)
        {
            throw new RunException(
                $"{_run.Name} was renamed or deleted while this command was at work in it, and nothing more is written "
                    + "there: where it was renamed, 'cope run --run FOLDER' resumes it at its new place"
            );
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _guard.Dispose();
        _owner?.Dispose();
        _stream.Dispose();
    }
}
