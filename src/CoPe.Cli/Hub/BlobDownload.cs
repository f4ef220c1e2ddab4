using System.Net;
using System.Security.Cryptography;
using System.Text;
using CoPe.Experiments.Runs;
using Microsoft.Extensions.Logging;

namespace CoPe.Cli.Hub;

/// <summary>
/// Brings one file's bytes into <c>ETAG.incomplete</c>, going on where an earlier download broke off, and checks them.
/// </summary>
sealed class BlobDownload(
    HubClient client,
    HubSettings settings,
    PullProgress progress,
    HubRetries retries,
    ILogger log
)
{
    const int BufferBytes = 1 << 17;

    /// <summary>Downloads a file to a path whose folder exists.</summary>
    /// <exception cref="RunException">
    /// The hub refuses it, every attempt failed, or what came is not what the hub announced.
    /// </exception>
    public async Task Download(
        HubName name,
        string commit,
        RemoteFile file,
        string path,
        CancellationToken cancellation
    )
    {
        for (var round = 1; ; round++)
        {
            using var stream = new FileStream(
                path,
                FileMode.OpenOrCreate,
                FileAccess.ReadWrite,
                FileShare.Read,
                BufferBytes
            );
            using var hash = new BlobHash(file.Etag, file.Size);
            await HashExisting(stream, hash, file, cancellation).ConfigureAwait(false);
            var resumed = stream.Position;
            await DownloadRest(name, commit, file, stream, hash, cancellation).ConfigureAwait(false);
            if (hash.FindMismatch() is not { } found)
            {
                return;
            }

            progress.AddExisting(-stream.Length);
            stream.SetLength(0);
            if (round > 1 || resumed == 0)
            {
                throw new RunException(
                    $"{file.Name} of {name} came with the hash {found}; the hub says {file.Etag}. It was dropped: run the same command again, and if that does not help, something between here and the hub changes files"
                );
            }

            log.LogInformation("the part of {File} that was here is damaged; it is downloaded again", file.Name);
        }
    }

    /// <summary>Hashes what an earlier download left, as far as it can belong to the file.</summary>
    async Task HashExisting(FileStream stream, BlobHash hash, RemoteFile file, CancellationToken cancellation)
    {
        if (stream.Length > file.Size)
        {
            stream.SetLength(0);
        }

        var buffer = new byte[BufferBytes];
        for (int read; (read = await stream.ReadAsync(buffer, cancellation).ConfigureAwait(false)) > 0;)
        {
            hash.Add(buffer.AsSpan(0, read));
        }

        progress.AddExisting(stream.Position);
    }

    async Task DownloadRest(
        HubName name,
        string commit,
        RemoteFile file,
        FileStream stream,
        BlobHash hash,
        CancellationToken cancellation
    )
    {
        for (var failures = 0; stream.Position < file.Size;)
        {
            var before = stream.Position;
            var trouble = new HttpRequestException("the connection ended early");
            try
            {
                using var response = await client
                    .OpenFile(name, commit, file.Name, before, cancellation)
                    .ConfigureAwait(false);
                await Receive(response, name, file, stream, hash, cancellation).ConfigureAwait(false);
            }
            catch (HttpRequestException error)
            {
                trouble = error;
            }
            if (stream.Position >= file.Size)
            {
                break;
            }

            failures = stream.Position > before ? 1 : failures + 1;
            await retries
                .WaitBeforeRetry($"{file.Name} of {name}", failures, trouble, cancellation)
                .ConfigureAwait(false);
        }
        await stream.FlushAsync(cancellation).ConfigureAwait(false);
        stream.Flush(flushToDisk: true);
    }

    async Task Receive(
        HttpResponseMessage response,
        HubName name,
        RemoteFile file,
        FileStream stream,
        BlobHash hash,
        CancellationToken cancellation
    )
    {
        var goesOn =
            response.StatusCode == HttpStatusCode.PartialContent
            && response.Content.Headers.ContentRange is { From: { } from } range
            && from == stream.Position
            && (range.Length ?? file.Size) == file.Size;
        if (
            !goesOn
            && stream.Position > 0
            && (response.IsSuccessStatusCode || response.StatusCode == HttpStatusCode.RequestedRangeNotSatisfiable)
        )
        {
            Restart(stream, hash);
        }

        if (
            response.StatusCode is HttpStatusCode.RequestedRangeNotSatisfiable or HttpStatusCode.PartialContent
            && !goesOn
        )
        {
            throw new HttpRequestException("the hub gives another part of the file than was asked for");
        }

        if (!response.IsSuccessStatusCode)
        {
            throw await HubRefusal.CreateException(response, name, settings, cancellation).ConfigureAwait(false);
        }

        using var content = await response.Content.ReadAsStreamAsync(cancellation).ConfigureAwait(false);
        var buffer = new byte[BufferBytes];
        for (int read; (read = await ReadContent(content, buffer, cancellation).ConfigureAwait(false)) > 0;)
        {
            if (stream.Position + read > file.Size)
            {
                throw new RunException(
                    $"{file.Name} of {name} is longer than the {file.Size} bytes that the hub announced: try again later"
                );
            }

            await stream.WriteAsync(buffer.AsMemory(0, read), cancellation).ConfigureAwait(false);
            hash.Add(buffer.AsSpan(0, read));
            progress.AddReceived(read);
        }
    }

    void Restart(FileStream stream, BlobHash hash)
    {
        progress.AddExisting(-stream.Position);
        stream.SetLength(0);
        hash.Restart();
    }

    async Task<int> ReadContent(Stream content, byte[] buffer, CancellationToken cancellation)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        patience.CancelAfter(settings.ResponseTimeout);
        try
        {
            return await content.ReadAsync(buffer, patience.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            throw new HttpRequestException($"nothing came for {settings.ResponseTimeout.TotalSeconds:0} s");
        }
        catch (IOException error)
        {
            throw new HttpRequestException(error.Message, error); // the network's trouble, told from the disk's
        }
    }
}

/// <summary>
/// The hash that an ETag names, taken while bytes come in: SHA-256 of a large file, git's SHA-1 of a small one
/// (<c>"blob SIZE\0"</c> before the bytes). Other ETags name none.
/// </summary>
sealed class BlobHash : IDisposable
{
    readonly IncrementalHash? _hash;
    readonly string _etag;
    readonly byte[] _prefix = [];

    public BlobHash(string etag, long size)
    {
        _etag = etag;
        if (!etag.All(char.IsAsciiHexDigitLower))
        {
            return;
        }

        if (etag.Length == 64)
        {
            _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        }

        if (etag.Length != 40)
        {
            return;
        }

        _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA1);
        _prefix = Encoding.ASCII.GetBytes($"blob {size}\0");
        _hash.AppendData(_prefix);
    }

    /// <summary>Forgets the bytes so far.</summary>
    public void Restart()
    {
        _hash?.GetHashAndReset();
        _hash?.AppendData(_prefix);
    }

    public void Add(ReadOnlySpan<byte> bytes) => _hash?.AppendData(bytes);

    /// <summary>
    /// What the bytes hash to where that is not what the ETag says; null where it is, or where the ETag names no hash.
    /// </summary>
    public string? FindMismatch() =>
        _hash is not null && Convert.ToHexStringLower(_hash.GetHashAndReset()) is var found && found != _etag
            ? found
            : null;

    public void Dispose() => _hash?.Dispose();
}
