using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace CoPe.Cli.Tests.Http;

/// <summary>
/// A server on this machine that answers the n-th request with whatever bytes a test writes, well-formed or not. A
/// connection serves requests until the test closes its stream.
/// </summary>
sealed class RawServer : IDisposable
{
    readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    readonly Func<int, Stream, Task> _answer;
    int _requests;
    int _connections;
    long _sentBytes;

    public RawServer(Func<int, Stream, Task> answer)
    {
        _answer = answer;
        _listener.Start();
        _ = Task.Run(Accept);
    }

    public string Url => $"http://localhost:{((IPEndPoint)_listener.LocalEndpoint).Port}";

    /// <summary>The requests' lines and headers, in the order they came.</summary>
    public ConcurrentQueue<string> Heads { get; } = new();

    public int Connections => _connections;

    /// <summary>Bytes that endless answers have sent.</summary>
    public long SentBytes => Interlocked.Read(ref _sentBytes);

    /// <summary>A server that gives every request the same bytes.</summary>
    public static RawServer Always(string head, byte[] body) =>
        new(async (_, stream) => await Write(stream, head, body));

    /// <summary>An answer: header lines, divided by <c>|</c>, and a body as it is.</summary>
    public static async Task Write(Stream stream, string head, byte[] body)
    {
        await stream.WriteAsync(
            Encoding.UTF8.GetBytes(head.Replace("|", "\r\n", StringComparison.Ordinal) + "\r\n\r\n")
        );
        await stream.WriteAsync(body);
    }

    /// <summary>Sends bytes again and again until the other side goes away.</summary>
    public async Task WriteForEver(Stream stream, byte[] part)
    {
        while (true)
        {
            await stream.WriteAsync(part);
            Interlocked.Add(ref _sentBytes, part.Length);
        }
    }

    public void Dispose() => _listener.Dispose();

    async Task Accept()
    {
        try
        {
            while (true)
            {
                var client = await _listener.AcceptTcpClientAsync();
                Interlocked.Increment(ref _connections);
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
                while (await ReadRequest(stream) is { } head)
                {
                    Heads.Enqueue(head);
                    await _answer(Interlocked.Increment(ref _requests) - 1, stream);
                }
            }
            catch (Exception error) when (error is IOException or ObjectDisposedException)
            {
                // The other side went away, or the test closed the connection.
            }
        }
    }

    static async Task<string?> ReadRequest(Stream stream)
    {
        var head = new StringBuilder();
        var letter = new byte[1];
        while (!head.ToString().EndsWith("\r\n\r\n", StringComparison.Ordinal))
        {
            if (await stream.ReadAsync(letter) == 0)
            {
                return null;
            }

            head.Append((char)letter[0]);
        }

        const string Length = "Content-Length:";
        var lines = head.ToString().Split("\r\n");
        var length = Array.Find(lines, line => line.StartsWith(Length, StringComparison.OrdinalIgnoreCase));
        var body = new byte[length is null ? 0 : int.Parse(length[Length.Length..], CultureInfo.InvariantCulture)];
        await stream.ReadExactlyAsync(body);
        return head.ToString();
    }
}
