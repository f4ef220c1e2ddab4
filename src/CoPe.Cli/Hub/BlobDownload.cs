using System.Net;
using System.Security.Cryptography;
using System.Text;
using CoPe.Cli.Http;
using CoPe.Experiments.Runs;
using Microsoft.Extensions.Logging;

namespace CoPe.Cli.Hub;

/// <summary>
/// Downloads one file into <c>ETAG.incomplete</c>, resuming where an earlier download broke off, and checks its hash.
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
    /// The hub refuses it, every attempt failed, or the content is not what the hub announced.
    /// </exception>
    public async Task Download(RemoteFile file, string path, CancellationToken cancellation)
    {
        for (var round = 1; ; round++)
        {
            using var partial = new PartialFile(path, file, progress);
            await partial.HashExisting(cancellation).ConfigureAwait(false);
            var resumedAt = partial.Length;
            await DownloadRest(file, partial, cancellation).ConfigureAwait(false);
            if (partial.FindHashMismatch() is not { } found)
            {
                return;
            }

            partial.Clear();
            var isFreshDownload = round > 1 || resumedAt == 0;
            if (isFreshDownload)
            {
                throw new RunException(
                    $"{file} came with the hash {found}; the hub says {file.Etag}. It was dropped: run the same "
                        + "command again, and if that does not help, something between here and the hub changes files"
                );
            }

            log.LogInformation("the part of {File} that was here is damaged; it is downloaded again", file.Name);
        }
    }

    async Task DownloadRest(RemoteFile file, PartialFile partial, CancellationToken cancellation)
    {
        var failures = 0;
        while (partial.Length < file.Size)
        {
            var before = partial.Length;
            var failure = new HttpRequestException("the connection ended early");
            try
            {
                using var response = await client.OpenFile(file, before, cancellation).ConfigureAwait(false);
                await Receive(response, file, partial, cancellation).ConfigureAwait(false);
            }
            catch (HttpRequestException error)
            {
                failure = error;
            }

            if (partial.Length >= file.Size)
            {
                break;
            }

            // An attempt that brought bytes counts as the first of a new series.
            failures = partial.Length > before ? 1 : failures + 1;
            await retries.WaitBeforeRetry($"{file}", failures, failure, cancellation).ConfigureAwait(false);
        }

        await partial.Flush(cancellation).ConfigureAwait(false);
    }

    async Task Receive(
        HttpResponseMessage response,
        RemoteFile file,
        PartialFile partial,
        CancellationToken cancellation
    )
    {
        var status = response.StatusCode;
        var isRangeError = status == HttpStatusCode.RequestedRangeNotSatisfiable;
        var resumes = IsRequestedRange(response, file, partial.Length);
        if (!resumes && (response.IsSuccessStatusCode || isRangeError))
        {
            partial.Restart();
        }

        if (isRangeError || (status == HttpStatusCode.PartialContent && !resumes))
        {
            throw new HttpRequestException("the hub gives another part of the file than the requested one");
        }

        if (!response.IsSuccessStatusCode)
        {
            throw await client.ExplainRefusal(response, file.Model, cancellation).ConfigureAwait(false);
        }

        using var content = await response.Content.ReadAsStreamAsync(cancellation).ConfigureAwait(false);
        var buffer = new byte[BufferBytes];
        while (true)
        {
            var read = await ReplyBody
                .ReadPart(content, buffer, settings.ResponseTimeout, cancellation)
                .ConfigureAwait(false);
            if (read == 0)
            {
                return;
            }

            if (partial.Length + read > file.Size)
            {
                throw new RunException(
                    $"{file} is longer than the {file.Size} bytes that the hub announced: try again later"
                );
            }

            await partial.Append(buffer.AsMemory(0, read), cancellation).ConfigureAwait(false);
            progress.AddReceived(read);
        }
    }

    static bool IsRequestedRange(HttpResponseMessage response, RemoteFile file, long offset)
    {
        var range = response.Content.Headers.ContentRange;
        return response.StatusCode == HttpStatusCode.PartialContent
            && range?.From == offset
            && (range.Length ?? file.Size) == file.Size;
    }

    /// <summary>The incomplete file on disk and the hash of its bytes.</summary>
    sealed class PartialFile(string path, RemoteFile file, PullProgress progress) : IDisposable
    {
        readonly FileStream _stream = new(
            path,
            FileMode.OpenOrCreate,
            FileAccess.ReadWrite,
            FileShare.Read,
            BufferBytes
        );

        readonly BlobHash _hash = new(file.Etag, file.Size);

        /// <summary>Bytes so far, all of them hashed.</summary>
        public long Length => _stream.Position;

        /// <summary>Hashes the bytes of an earlier download; more than the file has are dropped.</summary>
        public async Task HashExisting(CancellationToken cancellation)
        {
            if (_stream.Length > file.Size)
            {
                _stream.SetLength(0);
            }

            var buffer = new byte[BufferBytes];
            for (int read; (read = await _stream.ReadAsync(buffer, cancellation).ConfigureAwait(false)) > 0;)
            {
                _hash.Add(buffer.AsSpan(0, read));
            }

            progress.AddExisting(Length);
        }

        public async Task Append(ReadOnlyMemory<byte> bytes, CancellationToken cancellation)
        {
            await _stream.WriteAsync(bytes, cancellation).ConfigureAwait(false);
            _hash.Add(bytes.Span);
        }

        /// <summary>Writes everything to the disk.</summary>
        public async Task Flush(CancellationToken cancellation)
        {
            await _stream.FlushAsync(cancellation).ConfigureAwait(false);
            DiskSync.Flush(_stream);
        }

        /// <summary>Drops the bytes so far and starts from the beginning.</summary>
        public void Restart()
        {
            Clear();
            _hash.Restart();
        }

        /// <summary>Drops the bytes so far.</summary>
        public void Clear()
        {
            progress.AddExisting(-Length);
            _stream.SetLength(0);
        }

        public string? FindHashMismatch() => _hash.FindMismatch();

        public void Dispose()
        {
            _stream.Dispose();
            _hash.Dispose();
        }
    }
}

/// <summary>
/// The hash in an ETag, computed while bytes arrive: SHA-256 of a large file, git's SHA-1 of a small one
/// (<c>"blob SIZE\0"</c> before the bytes). Other ETags are no hashes and match any content.
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

    /// <summary>The bytes' hash where it differs from the ETag's; else null.</summary>
    public string? FindMismatch()
    {
        if (_hash is null)
        {
            return null;
        }

        var found = Convert.ToHexStringLower(_hash.GetHashAndReset());
        return found == _etag ? null : found;
    }

    public void Dispose() => _hash?.Dispose();
}
