using System.Net;
using CoPe.Runs;
using Microsoft.Extensions.Logging;

namespace CoPe.Cli.Hub;

/// <summary>Brings one file's bytes into <c>ETAG.incomplete</c>, going on where an earlier download broke off, and checks them.</summary>
sealed class BlobDownload(HubClient client, HubSettings settings, PullProgress progress, HubRetries retries, ILogger log)
{
    const int BufferBytes = 1 << 17;

    /// <summary>Downloads a file to a path whose folder exists.</summary>
    /// <exception cref="RunException">The hub refuses it, every attempt failed, or what came is not what the hub announced.</exception>
    public async Task Run(HubName name, string commit, RemoteFile file, string path, CancellationToken cancellation)
    {
        for (var round = 1; ; round++)
        {
            using var stream = new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.Read, BufferBytes);
            using var hash = new BlobHash(file.Etag, file.Size);
            await Resume(stream, hash, file, cancellation).ConfigureAwait(false);
            var resumed = stream.Position;
            await Fill(name, commit, file, stream, hash, cancellation).ConfigureAwait(false);
            if (hash.Mismatch() is not { } found) return;
            progress.Found(-stream.Length);
            stream.SetLength(0);
            if (round > 1 || resumed == 0)
                throw new RunException($"{file.Name} of {name} came with the hash {found}; the hub says {file.Etag}. It was dropped: run the same command again, and if that does not help, something between here and the hub changes files");
            log.LogInformation("the part of {File} that was here is damaged; it is downloaded again", file.Name);
        }
    }

    /// <summary>Hashes what an earlier download left, as far as it can belong to the file.</summary>
    async Task Resume(FileStream stream, BlobHash hash, RemoteFile file, CancellationToken cancellation)
    {
        if (stream.Length > file.Size) stream.SetLength(0);
        var buffer = new byte[BufferBytes];
        for (int read; (read = await stream.ReadAsync(buffer, cancellation).ConfigureAwait(false)) > 0;) hash.Add(buffer.AsSpan(0, read));
        progress.Found(stream.Position);
    }

    async Task Fill(HubName name, string commit, RemoteFile file, FileStream stream, BlobHash hash, CancellationToken cancellation)
    {
        for (var failures = 0; stream.Position < file.Size;)
        {
            var before = stream.Position;
            var trouble = new HttpRequestException("the connection ended early");
            try
            {
                using var response = await client.Open(name, commit, file.Name, before, cancellation).ConfigureAwait(false);
                await Take(response, name, file, stream, hash, cancellation).ConfigureAwait(false);
            }
            catch (HttpRequestException error)
            {
                trouble = error;
            }
            if (stream.Position >= file.Size) break;
            failures = stream.Position > before ? 1 : failures + 1;
            await retries.Wait($"{file.Name} of {name}", failures, trouble, cancellation).ConfigureAwait(false);
        }
        await stream.FlushAsync(cancellation).ConfigureAwait(false);
        stream.Flush(flushToDisk: true);
    }

    async Task Take(HttpResponseMessage response, HubName name, RemoteFile file, FileStream stream, BlobHash hash, CancellationToken cancellation)
    {
        var goesOn = response.StatusCode == HttpStatusCode.PartialContent && response.Content.Headers.ContentRange is { From: { } from } range && from == stream.Position && (range.Length ?? file.Size) == file.Size;
        if (!goesOn && stream.Position > 0 && (response.IsSuccessStatusCode || response.StatusCode == HttpStatusCode.RequestedRangeNotSatisfiable)) Restart(stream, hash);
        if (response.StatusCode is HttpStatusCode.RequestedRangeNotSatisfiable or HttpStatusCode.PartialContent && !goesOn) throw new HttpRequestException("the hub gives another part of the file than was asked for");
        if (!response.IsSuccessStatusCode) throw await HubRefusal.Of(response, name, settings, cancellation).ConfigureAwait(false);
        using var content = await response.Content.ReadAsStreamAsync(cancellation).ConfigureAwait(false);
        var buffer = new byte[BufferBytes];
        for (int read; (read = await Read(content, buffer, cancellation).ConfigureAwait(false)) > 0;)
        {
            if (stream.Position + read > file.Size) throw new RunException($"{file.Name} of {name} is longer than the {file.Size} bytes that the hub announced: try again later");
            await stream.WriteAsync(buffer.AsMemory(0, read), cancellation).ConfigureAwait(false);
            hash.Add(buffer.AsSpan(0, read));
            progress.Received(read);
        }
    }

    void Restart(FileStream stream, BlobHash hash)
    {
        progress.Found(-stream.Position);
        stream.SetLength(0);
        hash.Restart();
    }

    async Task<int> Read(Stream content, byte[] buffer, CancellationToken cancellation)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        patience.CancelAfter(settings.Patience);
        try
        {
            return await content.ReadAsync(buffer, patience.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            throw new HttpRequestException($"nothing came for {settings.Patience.TotalSeconds:0} s");
        }
        catch (IOException error)
        {
            throw new HttpRequestException(error.Message, error); // the network's trouble, told from the disk's
        }
    }
}
