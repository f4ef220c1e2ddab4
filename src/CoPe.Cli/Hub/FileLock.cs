using Microsoft.Extensions.Logging;

namespace CoPe.Cli.Hub;

/// <summary>A file that one process at a time may hold open, Python's tools among them: on Unix both take it by flock.</summary>
sealed class FileLock : IDisposable
{
    static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);

    readonly FileStream stream;

    FileLock(FileStream stream) => this.stream = stream;

    /// <summary>Waits until the lock is free and takes it.</summary>
    public static async Task<FileLock> Take(string path, TimeProvider time, ILogger log, CancellationToken cancellation)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        for (var tries = 0; ; tries++)
        {
            try
            {
                return new(new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None));
            }
            catch (IOException) when (File.Exists(path))
            {
                if (tries == 20) log.LogInformation("another process is downloading the same file; waiting for it");
                await Task.Delay(Pause, time, cancellation).ConfigureAwait(false);
            }
        }
    }

    public void Dispose() => stream.Dispose();
}
