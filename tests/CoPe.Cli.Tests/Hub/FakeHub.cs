using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using CoPe.Cli.Hub;
using CoPe.Testing;

namespace CoPe.Cli.Tests.Hub;

/// <summary>
/// A hub of one model on this machine that speaks the real one's protocol: the revision's description, files with their
/// hashes as ETags, large ones behind a redirect to another address with X-Linked-Etag and X-Linked-Size, ranges. A
/// test changes single answers.
/// </summary>
sealed class FakeHub : IDisposable
{
    public const string Repo = "acme/tiny";
    public static readonly string Commit = new('c', 40);

    readonly TcpListener _hub = new(IPAddress.Loopback, 0);
    readonly TcpListener _cdn = new(IPAddress.Loopback, 0);

    public FakeHub()
    {
        foreach (var listener in (TcpListener[])[_hub, _cdn])
        {
            listener.Start();
            _ = Task.Run(() => Accept(listener));
        }
    }

    public string Url => $"http://localhost:{((IPEndPoint)_hub.LocalEndpoint).Port}";

    public string CdnUrl => $"http://127.0.0.1:{((IPEndPoint)_cdn.LocalEndpoint).Port}";

    /// <summary>The repository's files; safetensors are large ones.</summary>
    public ConcurrentDictionary<string, byte[]> Files { get; } = new();

    /// <summary>Every request, in the order they came.</summary>
    public ConcurrentQueue<HubRequest> Requests { get; } = new();

    /// <summary>
    /// Answers in the hub's place; null leaves it to the hub. The hub's own answer is the second argument.
    /// </summary>
    public Func<HubRequest, HubReply, HubReply?> Override { get; set; } = (_, _) => null;

    public static bool IsLarge(string file) => file.EndsWith(".safetensors", StringComparison.Ordinal);

    public static string ComputeEtag(string file, byte[] content)
    {
        using var hash = IncrementalHash.CreateHash(IsLarge(file) ? HashAlgorithmName.SHA256 : HashAlgorithmName.SHA1);
        if (!IsLarge(file))
        {
            hash.AppendData(Encoding.ASCII.GetBytes($"blob {content.Length}\0"));
        }

        hash.AppendData(content);
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    public HubSettings Settings(TemporaryFolder folder, string? token = null) =>
        new()
        {
            Endpoint = new(Url + "/"),
            CacheFolder = folder.At("hub"),
            Token = token,
            TokenSource = "HF_TOKEN",
            InitialDelay = TimeSpan.Zero,
            ResponseTimeout = TimeSpan.FromSeconds(20),
        };

    public int ContentRequests(string file) =>
        Requests.Count(request => request.IsContent(file) && (request.IsCdn || !IsLarge(file)));

    public void Dispose()
    {
        _hub.Dispose();
        _cdn.Dispose();
    }

    async Task Accept(TcpListener listener)
    {
        try
        {
            while (true)
            {
                var client = await listener.AcceptTcpClientAsync();
                _ = Task.Run(() => Serve(client));
            }
        }
        catch (Exception error) when (error is SocketException or ObjectDisposedException)
        {
            return;
        }
    }

    async Task Serve(TcpClient client)
    {
        using (client)
        {
            try
            {
                await using var stream = client.GetStream();
                using var reader = new StreamReader(stream, Encoding.ASCII, leaveOpen: true);
                if ((await reader.ReadLineAsync())?.Split(' ') is not [var method, var path, _])
                {
                    return;
                }

                var headers = new Dictionary<string, string>();
                while (await reader.ReadLineAsync() is { Length: > 0 } line)
                {
                    headers[line.Split(':', 2)[0].ToLowerInvariant()] = line.Split(':', 2)[1].Trim();
                }

                var request = new HubRequest(method, headers["host"], path, headers);
                Requests.Enqueue(request);
                var usual = request.IsCdn ? Content(Path.GetFileName(path), request.Range) : Hub(request);
                var reply = Override(request, usual) ?? usual;
                var head = new StringBuilder($"HTTP/1.1 {reply.Status} X\r\nConnection: close\r\n");
                if (reply.Headers.All(header => header.Name != "Content-Length"))
                {
                    head.Append(CultureInfo.InvariantCulture, $"Content-Length: {reply.Body.Length}\r\n");
                }

                foreach (var (name, value) in reply.Headers)
                {
                    head.Append(CultureInfo.InvariantCulture, $"{name}: {value}\r\n");
                }

                await stream.WriteAsync(Encoding.UTF8.GetBytes(head.Append("\r\n").ToString()));
                if (method != "HEAD")
                {
                    await stream.WriteAsync(reply.Body.AsMemory(0, reply.BreakAfter ?? reply.Body.Length));
                }
            }
            catch (IOException)
            {
                // The other side went away.
            }
        }
    }

    HubReply Hub(HubRequest request)
    {
        if (request.Path.StartsWith($"/api/models/{Repo}/revision/", StringComparison.Ordinal))
        {
            var siblings = string.Join(", ", Files.Keys.Order().Select(file => $$"""{"rfilename": "{{file}}"}"""));
            return new(
                200,
                Encoding.UTF8.GetBytes(
                    $$"""{"id": "{{Repo}}", "sha": "{{Commit}}", "gated": false, "siblings": [{{siblings}}]}"""
                ),
                ("Content-Type", "application/json")
            );
        }

        if (!request.Path.StartsWith($"/{Repo}/resolve/{Commit}/", StringComparison.Ordinal))
        {
            return HubReply.Refusal(404, "RepoNotFound", "Repository not found");
        }

        var file = Uri.UnescapeDataString(Path.GetFileName(request.Path));
        if (!Files.TryGetValue(file, out var content))
        {
            return HubReply.Refusal(404, "EntryNotFound", "Entry not found");
        }

        var etag = $"\"{ComputeEtag(file, content)}\"";
        (string, string)[] linked =
        [
            ("X-Repo-Commit", Commit),
            ("X-Linked-Etag", etag),
            ("X-Linked-Size", $"{content.Length}"),
        ];
        if (IsLarge(file))
        {
            return HubReply.Redirect($"{CdnUrl}/signed/{file}", linked);
        }

        return request.Method == "HEAD"
            ? new(200, [], ("X-Repo-Commit", Commit), ("ETag", etag), ("Content-Length", $"{content.Length}"))
            : Content(file, request.Range);
    }

    HubReply Content(string file, string? range)
    {
        if (!Files.TryGetValue(file, out var content))
        {
            return new(404, []);
        }

        if (range is null)
        {
            return new(200, content, ("Accept-Ranges", "bytes"));
        }

        var from = int.Parse(range["bytes=".Length..^1], CultureInfo.InvariantCulture);
        return from >= content.Length
            ? new(416, [], ("Content-Range", $"bytes */{content.Length}"))
            : new(206, content[from..], ("Content-Range", $"bytes {from}-{content.Length - 1}/{content.Length}"));
    }
}

/// <summary>A request as the small hub received it.</summary>
sealed record HubRequest(string Method, string Host, string Path, IReadOnlyDictionary<string, string> Headers)
{
    public string? Authorization => Headers.GetValueOrDefault("authorization");

    public string? Range => Headers.GetValueOrDefault("range");

    public bool IsCdn => Host.StartsWith("127.0.0.1", StringComparison.Ordinal);

    /// <summary>Asks for the bytes of a file, wherever they lie.</summary>
    public bool IsContent(string file) =>
        Method == "GET"
        && Path.EndsWith("/" + file, StringComparison.Ordinal)
        && (IsCdn || Path.Contains("/resolve/", StringComparison.Ordinal));
}

/// <summary>What the small hub answers: a status, headers, a body, and where the connection breaks.</summary>
sealed record HubReply(int Status, byte[] Body, params (string Name, string Value)[] Headers)
{
    /// <summary>Bytes of the body after which the connection is cut; null sends all.</summary>
    public int? BreakAfter { get; init; }

    public static HubReply Refusal(int status, string code, string message) =>
        new(
            status,
            Encoding.UTF8.GetBytes($$"""{"error": "{{message}}"}"""),
            ("X-Error-Code", code),
            ("X-Error-Message", message),
            ("Content-Type", "application/json")
        );

    public static HubReply Redirect(string location, params (string Name, string Value)[] headers) =>
        new(302, [], [("Location", location), .. headers]);
}
