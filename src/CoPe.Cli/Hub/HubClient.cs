using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using CoPe.Experiments.Runs;

namespace CoPe.Cli.Hub;

/// <summary>
/// Asks the hub: what a revision is, what its files are, and for their bytes. Follows redirects itself, so that the
/// token stays with the hub.
/// </summary>
/// <param name="http">Sends requests; it must not follow redirects.</param>
/// <param name="settings">Where the hub is and who asks.</param>
sealed class HubClient(HttpClient http, HubSettings settings)
{
    const int MaxRedirects = 10;
    const int MaxReplyBytes = 32 << 20;

    /// <summary>A handler for <see cref="HttpClient"/> as this client needs it.</summary>
    public static SocketsHttpHandler CreateHandler() =>
        new()
        {
            AllowAutoRedirect = false,
            ConnectTimeout = TimeSpan.FromSeconds(15),
            UseCookies = false,
            AutomaticDecompression = DecompressionMethods.None,
        };

    /// <summary>The commit that a revision stands for, and the names of its files.</summary>
    public async Task<(string Commit, IReadOnlyList<string> Files)> ResolveRevision(
        HubName name,
        CancellationToken cancellation
    )
    {
        using var response = await Send(
                HttpMethod.Get,
                HubAddress($"api/models/{name.Repo}/revision/{Uri.EscapeDataString(name.Revision)}"),
                null,
                _ => false,
                cancellation
            )
            .ConfigureAwait(false);
        if (!response.IsSuccessStatusCode)
        {
            throw await HubRefusal.CreateException(response, name, settings, cancellation).ConfigureAwait(false);
        }

        try
        {
            var body = await response.Content.ReadAsByteArrayAsync(cancellation).ConfigureAwait(false);
            if (body.Length > MaxReplyBytes)
            {
                throw new RunException(
                    $"{settings.Endpoint} describes {name} in {body.Length} bytes; expected at most {MaxReplyBytes}"
                );
            }

            using var json = JsonDocument.Parse(body);
            var commit = json.RootElement.GetProperty("sha").GetString() ?? "";
            if (!HubName.IsCommit(commit))
            {
                throw new RunException(
                    $"{settings.Endpoint} says that {name} is commit '{commit}'; expected 40 hexadecimal digits"
                );
            }

            return (
                commit,
                [
                    .. json
                        .RootElement.GetProperty("siblings")
                        .EnumerateArray()
                        .Select(file => file.GetProperty("rfilename").GetString() ?? ""),
                ]
            );
        }
        catch (Exception error) when (error is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            throw new RunException(
                $"{settings.Endpoint} does not answer as a Hugging Face hub ({error.Message}): check HF_ENDPOINT",
                error
            );
        }
    }

    /// <summary>
    /// A file's hash and size, from the headers of the hub's own answer: a redirect elsewhere is not followed.
    /// </summary>
    public async Task<RemoteFile> DescribeFile(HubName name, string commit, string file, CancellationToken cancellation)
    {
        using var response = await Send(
                HttpMethod.Head,
                FileAddress(name, commit, file),
                null,
                IsExternalRedirect,
                cancellation
            )
            .ConfigureAwait(false);
        if ((int)response.StatusCode >= 400)
        {
            throw await HubRefusal.CreateException(response, name, settings, cancellation).ConfigureAwait(false);
        }

        string? Header(string key) => response.Headers.TryGetValues(key, out var values) ? values.First() : null;
        var etag = Header("X-Linked-Etag") ?? Header("ETag") ?? response.Headers.ETag?.Tag ?? "";
        if (etag.StartsWith("W/", StringComparison.Ordinal))
        {
            etag = etag[2..];
        }

        etag = etag.Trim('"');
        var size = long.TryParse(
            Header("X-Linked-Size"),
            NumberStyles.None,
            CultureInfo.InvariantCulture,
            out var linked
        )
            ? linked
            : response.Content.Headers.ContentLength ?? -1;
        if (
            etag.Length is 0 or > 128
            || !etag.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '-' or '_')
            || size < 0
        )
        {
            throw new RunException(
                $"{settings.Endpoint} gives {file} of {name} no usable ETag and size ('{etag}', {size}), so that it could not be checked: name a hub in HF_ENDPOINT that does"
            );
        }

        if (Header("X-Repo-Commit") is { } found && found != commit)
        {
            throw new RunException(
                $"{settings.Endpoint} gives {file} of {name} from commit {found}; expected {commit}. Try again"
            );
        }

        return new(file, etag, size);
    }

    /// <summary>A file's bytes from an offset on, the headers read and the content not yet.</summary>
    public Task<HttpResponseMessage> OpenFile(
        HubName name,
        string commit,
        string file,
        long offset,
        CancellationToken cancellation
    ) =>
        Send(
            HttpMethod.Get,
            FileAddress(name, commit, file),
            offset > 0 ? new RangeHeaderValue(offset, null) : null,
            _ => false,
            cancellation
        );

    Uri FileAddress(HubName name, string commit, string file) =>
        HubAddress($"{name.Repo}/resolve/{commit}/{Uri.EscapeDataString(file)}");

    Uri HubAddress(string relative) => new(settings.Endpoint, relative);

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
            using var request = new HttpRequestMessage(method, address);
            request.Headers.UserAgent.ParseAdd("cope");
            request.Headers.AcceptEncoding.ParseAdd("identity"); // sizes and ranges are those of the file
            request.Headers.Range = range;
            if (settings.Token is not null && IsHub(address))
            {
                request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", settings.Token);
            }

            var response = await SendForHeaders(request, cancellation).ConfigureAwait(false);
            if (
                (int)response.StatusCode is < 300 or >= 400
                || response.StatusCode == HttpStatusCode.NotModified
                || stop(response)
            )
            {
                return response;
            }

            using (response)
            {
                address = RedirectTarget(address, response, redirects);
            }
        }
    }

    async Task<HttpResponseMessage> SendForHeaders(HttpRequestMessage request, CancellationToken cancellation)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        patience.CancelAfter(settings.ResponseTimeout);
        try
        {
            return await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, patience.Token)
                .ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            throw new HttpRequestException(
                $"no answer from {request.RequestUri!.Host} within {settings.ResponseTimeout.TotalSeconds:0} s"
            );
        }
    }

    static Uri RedirectTarget(Uri address, HttpResponseMessage response, int redirects)
    {
        var next = response.Headers.Location is { } location
            ? new Uri(address, location)
            : throw new RunException($"{address.Host} redirects without saying where to");
        if (redirects >= MaxRedirects)
        {
            throw new RunException($"{address.Host} redirects more than {MaxRedirects} times");
        }

        if (next.Scheme is not ("http" or "https") || (address.Scheme == "https" && next.Scheme == "http"))
        {
            throw new RunException($"{address.Host} redirects to {next.Scheme}://{next.Host}, which is not safe");
        }

        return next;
    }

    /// <summary>Whether an answer leads away from the hub, to where large files are kept.</summary>
    bool IsExternalRedirect(HttpResponseMessage response) =>
        response.Headers.Location is { } location && !IsHub(new Uri(response.RequestMessage!.RequestUri!, location));

    bool IsHub(Uri address) =>
        Uri.Compare(
            address,
            settings.Endpoint,
            UriComponents.SchemeAndServer,
            UriFormat.Unescaped,
            StringComparison.OrdinalIgnoreCase
        ) == 0;
}
