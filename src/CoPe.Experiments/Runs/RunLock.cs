namespace CoPe.Experiments.Runs;

/// <summary>Keeps a run to one process. Given up when disposed or when the process ends, however it ends.</summary>
public sealed class RunLock : IDisposable
{
    readonly FileStream _stream;

    RunLock(FileStream stream) => _stream = stream;

    /// <summary>Takes the lock, making the run's folder where it is missing.</summary>
    /// <exception cref="RunException">Another process has it, or the folder cannot be written.</exception>
    public static RunLock Acquire(RunDirectory run)
    {
        ArgumentNullException.ThrowIfNull(run);
        try
        {
            Directory.CreateDirectory(run.Root);
            return new(new FileStream(run.Lock, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None));
        }
        catch (IOException error) when (File.Exists(run.Lock))
        {
            throw new RunException(
                $"another process is at work in {run.Name}: wait for it, or name another folder with --run FOLDER",
                error
            );
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new RunException(
                $"run folder {run.Name} cannot be written ({error.Message}): name another with --run FOLDER",
                error
            );
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
            return false;
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

    /// <inheritdoc/>
    public void Dispose() => _stream.Dispose();
}
