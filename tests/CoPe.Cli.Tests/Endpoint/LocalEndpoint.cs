using System.Net;
using System.Net.Sockets;

namespace CoPe.Cli.Tests.Endpoint;

/// <summary>An endpoint on this machine.</summary>
sealed class LocalEndpoint : IDisposable
{
    readonly HttpListener _listener = new();
    readonly Func<int, bool> _failing;
    int _requests;

    /// <summary>Starts one.</summary>
    /// <param name="failing">Whether the n-th request, counted from 0, is refused with 404; null refuses none.</param>
    public LocalEndpoint(Func<int, bool>? failing = null)
    {
        _failing = failing ?? (_ => false);
        using (var probe = new TcpListener(IPAddress.Loopback, 0))
        {
            probe.Start();
            Url = $"http://localhost:{((IPEndPoint)probe.LocalEndpoint).Port}/v1";
        }
        _listener.Prefixes.Add(Url + "/");
        _listener.Start();
        _ = Task.Run(ServeAsync);
    }

    /// <summary>The answer to the n-th request, by number and body: completions, unless it is replaced.</summary>
    public Func<int, string, string> Answer { get; init; } =
        (number, _) => $$"""{"choices":[{"text":"sampled there {{number}}"},{"text":"sampled there too"}]}""";

    public string Url { get; }

    public int Requests => _requests;

    public string? LastPath { get; private set; }

    public string? LastBody { get; private set; }

    public void Dispose() => _listener.Close();

    async Task ServeAsync()
    {
        while (_listener.IsListening)
        {
            try
            {
                var context = await _listener.GetContextAsync();
                var number = _requests++;
                LastPath = context.Request.RawUrl;
                using var body = new StreamReader(context.Request.InputStream);
                LastBody = await body.ReadToEndAsync();
                context.Response.StatusCode = _failing(number) ? 404 : 200;
                await using var writer = new StreamWriter(context.Response.OutputStream);
                await writer.WriteAsync(Answer(number, LastBody));
            }
            catch (Exception error) when (error is HttpListenerException or ObjectDisposedException)
            {
                return;
            }
        }
    }
}
