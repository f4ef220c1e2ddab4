using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using CoPe.Cli.Http;
using CoPe.Experiments.Runs;

namespace CoPe.Cli.Hub;

/// <summary>
/// Requests the hub's description of a revision and of its files, and their content. It follows redirects itself, so
/// that the token goes to the hub alone.
/// </summary>
/// <param name="http">Sends requests; it must not follow redirects.</param>
/// <param name="settings">The hub's address and the token.</param>
/// <param name="time">The clock.</param>
sealed class HubClient(HttpClient http, HubSettings settings, TimeProvider time)
{
    const int MaxRedirects = 10;
    const int MaxListingBytes = 16 << 20;
    const int MaxEtagLength = 128;

    /// <summary>A handler for the <see cref="HttpClient"/> of this client.</summary>
    public static SocketsHttpHandler CreateHandler() =>
        new()
        {
            AllowAutoRedirect = false,
            ConnectTimeout = TimeSpan.FromSeconds(15),
            UseCookies = false,
            AutomaticDecompression = DecompressionMethods.None,
        };

    /// <summary>The commit that a revision stands for, and the names of its files.</summary>
    public async Task<(string Commit, IReadOnlyCollection<string> Files)> ResolveRevision(
        HubName name,
        CancellationToken cancellation
    )
    {
        var address = HubAddress($"api/models/{name.Repo}/revision/{Uri.EscapeDataString(name.Revision)}");
        using var response = await Send(HttpMethod.Get, address, null, _ => false, cancellation).ConfigureAwait(false);
        if (!response.IsSuccessStatusCode)
        {
            throw await ExplainRefusal(response, name, cancellation).ConfigureAwait(false);
        }

        var body = await ReadListing(response, name, cancellation).ConfigureAwait(false);
        var revision =
            ReplyJson.Read(body, ReadRevision)
            ?? throw new RunException(
                $"{settings.Endpoint} does not answer as a Hugging Face hub, with sha and siblings of the revision, "
                    + $"but with {Show(ServerMessage.Read(body).Text)}: check HF_ENDPOINT"
            );
        var commit = revision.Commit;
        return HubName.IsCommit(commit)
            ? revision
            : throw new RunException(
                $"{settings.Endpoint} says that {name} is commit '{Show(commit)}'; expected 40 hexadecimal digits"
            );
    }

    async Task<ReadOnlyMemory<byte>> ReadListing(
        HttpResponseMessage response,
        HubName name,
        CancellationToken cancellation
    )
    {
        var body = await ReplyBody
            .Read(response, MaxListingBytes, settings.ResponseTimeout, cancellation)
            .ConfigureAwait(false);
        return !body.IsCut
            ? body.Bytes
            : throw new RunException(
                $"{settings.Endpoint} describes {name} in more than {MaxListingBytes >> 20} MiB, which no "
                    + "Hugging Face hub does: check HF_ENDPOINT"
            );
    }

    static (string Commit, IReadOnlyCollection<string> Files)? ReadRevision(JsonElement? json)
    {
        var listed = ReplyJson.Find(json, "siblings");
        return ReplyJson.FindText(json, "sha") is { } commit && listed is { ValueKind: JsonValueKind.Array }
            ? (commit, ReplyJson.List(listed).Select(file => ReplyJson.FindText(file, "rfilename") ?? "").ToHashSet())
            : null;
    }

    /// <summary>
    /// A file's hash and size, from the headers of the hub's own response: a redirect to elsewhere is not followed.
    /// </summary>
    public async Task<RemoteFile> DescribeFile(HubName name, string commit, string file, CancellationToken cancellation)
    {
        var address = FileAddress(name, commit, file);
        using var response = await Send(HttpMethod.Head, address, null, IsExternalRedirect, cancellation)
            .ConfigureAwait(false);
        if ((int)response.StatusCode >= 400)
        {
            throw await ExplainRefusal(response, name, cancellation).ConfigureAwait(false);
        }

        var (etag, size) = (ReadEtag(response), ReadSize(response));
        var isEtagUsable =
            etag.Length is > 0 and <= MaxEtagLength
            && etag.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '-' or '_');
        if (!isEtagUsable || size < 0)
        {
            throw new RunException(
                $"{settings.Endpoint} gives {file} of {name} no usable ETag and size ('{Show(etag)}', {size}), "
                    + "so that it could not be checked: name a hub in HF_ENDPOINT that does"
            );
        }

        if (FindHeader(response, "X-Repo-Commit") is { } found && found != commit)
        {
            throw new RunException(
                $"{settings.Endpoint} gives {file} of {name} from commit {Show(found)}; expected {commit}. Try again"
            );
        }

        return new(name, commit, file, etag, size);
    }

    /// <summary>
    /// Requests a file's bytes from an offset on; the response's headers are read, its content is not yet.
    /// </summary>
    public Task<HttpResponseMessage> OpenFile(RemoteFile file, long offset, CancellationToken cancellation)
    {
        var address = FileAddress(file.Model, file.Commit, file.Name);
        var range = offset > 0 ? new RangeHeaderValue(offset, null) : null;
        return Send(HttpMethod.Get, address, range, _ => false, cancellation);
    }

    /// <summary>A response that refuses, as an exception with the reason and what to do.</summary>
    public Task<Exception> ExplainRefusal(HttpResponseMessage response, HubName name, CancellationToken cancellation) =>
        HubRefusal.CreateException(response, name, settings, time, cancellation);

    /// <summary>The ETag of the file's content, without quotes and the mark of a weak one.</summary>
    static string ReadEtag(HttpResponseMessage response)
    {
        var etag =
            FindHeader(response, "X-Linked-Etag") ?? FindHeader(response, "ETag") ?? response.Headers.ETag?.Tag ?? "";
        var strong = etag.StartsWith("W/", StringComparison.Ordinal) ? etag[2..] : etag;
        return strong.Trim('"');
    }

    static long ReadSize(HttpResponseMessage response)
    {
        var linkedSize = FindHeader(response, "X-Linked-Size");
        return long.TryParse(linkedSize, NumberStyles.None, CultureInfo.InvariantCulture, out var size)
            ? size
            : response.Content.Headers.ContentLength ?? -1;
    }

    static string? FindHeader(HttpResponseMessage response, string name) =>
        response.Headers.TryGetValues(name, out var values) ? values.First() : null;

    Uri FileAddress(HubName name, string commit, string file) =>
        HubAddress($"{name.Repo}/resolve/{commit}/{Uri.EscapeDataString(file)}");

    Uri HubAddress(string relative) => new(settings.Endpoint, relative);

    /// <summary>Sends a request and follows redirects until <paramref name="stop"/> accepts one.</summary>
    async Task<HttpResponseMessage> Send(
        HttpMethod method,
        Uri address,
        RangeHeaderValue? range,
        Func<HttpResponseMessage, bool> stop,
        CancellationToken cancellation
    )
    {
        for (var redirects = 0; ; redirects++)
        {
            using var request = CreateRequest(method, address, range);
            var response = await SendForHeaders(request, cancellation).ConfigureAwait(false);
            var isRedirect =
                (int)response.StatusCode is >= 300 and < 400 && response.StatusCode != HttpStatusCode.NotModified;
            if (!isRedirect || stop(response))
            {
                return response;
            }

            using (response)
            {
                address = RedirectTarget(address, response, redirects);
            }
        }
    }

    HttpRequestMessage CreateRequest(HttpMethod method, Uri address, RangeHeaderValue? range)
    {
        var request = new HttpRequestMessage(method, address);
        request.Headers.UserAgent.ParseAdd("cope");
        // Uncompressed, so that sizes and ranges are those of the file.
        request.Headers.AcceptEncoding.ParseAdd("identity");
        request.Headers.Range = range;
        if (settings.Token is not null && settings.IsHub(address))
        {
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", settings.Token);
        }

        return request;
    }

    async Task<HttpResponseMessage> SendForHeaders(HttpRequestMessage request, CancellationToken cancellation)
    {
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        timeout.CancelAfter(settings.ResponseTimeout);
        try
        {
            return await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, timeout.Token)
                .ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            throw new HttpRequestException(
                $"no answer from {request.RequestUri!.Host} within {settings.ResponseTimeout.TotalSeconds:0} s"
            );
        }
        catch (HttpRequestException error)
        {
            throw NetworkFailure.Explain(error, request.RequestUri!);
        }
    }

    string Show(string text) => ServerMessage.Show(text, settings.Token);

    Uri RedirectTarget(Uri address, HttpResponseMessage response, int redirects)
    {
        if (response.Headers.Location is not { } location || !Uri.TryCreate(address, location, out var target))
        {
            throw new RunException($"{address.Host} redirects without saying where to");
        }

        if (redirects >= MaxRedirects)
        {
            throw new RunException($"{address.Host} redirects more than {MaxRedirects} times");
        }

        var isDowngrade = address.Scheme == "https" && target.Scheme == "http";
        return target.Scheme is "http" or "https" && !isDowngrade
            ? target
            : throw new RunException(
                $"{address.Host} redirects to {Show($"{target.Scheme}://{target.Host}")}, which is not safe"
            );
    }

    /// <summary>Whether a response redirects away from the hub, to the storage of large files.</summary>
    bool IsExternalRedirect(HttpResponseMessage response) =>
        response.Headers.Location is { } location
        && Uri.TryCreate(response.RequestMessage!.RequestUri!, location, out var target)
        && !settings.IsHub(target);
}
