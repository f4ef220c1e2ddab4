using System.IO.Compression;
using System.Text;
using CoPe.Cli.Endpoint;
using CoPe.Cli.Tests.Http;
using CoPe.Experiments.Negatives;
using CoPe.Experiments.Runs;
using CoPe.Testing;

namespace CoPe.Cli.Tests.Endpoint;

/// <summary>Servers that lie about what they send, send without end, or stop in the middle.</summary>
public class EndpointNetworkTests
{
    const string Ok = "HTTP/1.1 200 OK|Content-Type: application/json";
    const long MaxSentBytes = 128 << 20;

    static readonly byte[] Completion = """{"choices":[{"text":"a"},{"text":"b"},{"text":"c"}]}"""u8.ToArray();

    [Theory]
    [InlineData("HTTP/1.1 200 OK|Content-Type: application/json; charset=utf8")]
    [InlineData("HTTP/1.1 200 OK|Content-Type: application/json; charset=klingon")]
    [InlineData("HTTP/1.1 200 OK|Content-Type: application/json; charset=\"\"")]
    [InlineData("HTTP/1.1 200 OK|Content-Type: application/json; charset=utf-16")]
    [InlineData("HTTP/1.1 200 OK|Content-Type: text/html;;;")]
    [InlineData("HTTP/1.1 200 OK|Content-Type: ÄÖÜ 😀|X-Other: ß 日本")]
    [InlineData("HTTP/1.1 200 |X-Empty:")]
    [InlineData("HTTP/1.1 201 Erstellt für dich")]
    [InlineData("HTTP/1.1 100 Continue||HTTP/1.1 102 Wait||HTTP/1.1 200 OK")]
    public void Headers_that_nobody_understands_do_not_matter(string head)
    {
        using var server = RawServer.Always($"{head}|Content-Length: {Completion.Length}", Completion);
        Assert.Equal(["a", "b", "c"], Sample(server));
    }

    [Fact]
    public void A_reply_of_HTTP_1_0_ends_with_its_connection()
    {
        using var server = new RawServer(
            async (_, stream) =>
            {
                await RawServer.Write(stream, "HTTP/1.0 200 OK", Completion);
                stream.Close();
            }
        );
        Assert.Equal(["a", "b", "c"], Sample(server));
    }

    [Fact]
    public void A_compressed_reply_is_read()
    {
        var packed = Compress(Completion);
        using var server = RawServer.Always($"{Ok}|Content-Encoding: gzip|Content-Length: {packed.Length}", packed);
        Assert.Equal(["a", "b", "c"], Sample(server));
    }

    [Theory]
    [InlineData("the whole is longer than it says", Ok + "|Content-Length: 20")]
    [InlineData("the whole is shorter than it says", Ok + "|Content-Length: 2000")]
    [InlineData("chunks that are none", Ok + "|Transfer-Encoding: chunked")]
    [InlineData("not compressed as it says", Ok + "|Content-Encoding: gzip|Content-Length: 52")]
    [InlineData("no protocol", "SSH-2.0-OpenSSH_9.6")]
    [InlineData("a status that is none", "HTTP/1.1 abc")]
    [InlineData("nothing", "")]
    [InlineData("busy", "HTTP/1.1 503 Busy|Retry-After-Ms: 1|Content-Length: 0")]
    [InlineData("timed out there", "HTTP/1.1 408 Late|Content-Length: 0")]
    [InlineData("in conflict", "HTTP/1.1 409 Conflict|Content-Length: 0")]
    [InlineData("a page in the place of a reply", Ok + "|Content-Length: 0")]
    public void What_breaks_once_is_sent_again(string what, string head)
    {
        using var server = new RawServer(
            async (number, stream) =>
            {
                if (number > 0)
                {
                    await RawServer.Write(stream, $"{Ok}|Content-Length: {Completion.Length}", Completion);
                    return;
                }

                await RawServer.Write(stream, head, Completion);
                stream.Close();
            }
        );
        Assert.True(Sample(server).SequenceEqual(["a", "b", "c"]), what);
        Assert.InRange(server.Heads.Count, 2, 3);
    }

    [Fact]
    public void A_connection_that_gave_an_error_serves_the_next_request_too()
    {
        var busy = "come back later"u8.ToArray();
        using var server = new RawServer(
            async (number, stream) =>
                await (
                    number == 0
                        ? RawServer.Write(stream, $"HTTP/1.1 500 No|Content-Length: {busy.Length}", busy)
                        : RawServer.Write(stream, $"{Ok}|Content-Length: {Completion.Length}", Completion)
                )
        );
        Assert.Equal(["a", "b", "c"], Sample(server));
        Assert.Equal(1, server.Connections);
    }

    [Theory]
    [InlineData(Ok, "x")]
    [InlineData(Ok + "|Content-Length: 4611686018427387904", "x")]
    [InlineData(Ok + "|Transfer-Encoding: chunked", "10\r\nxxxxxxxxxxxxxxxx\r\n")]
    [InlineData(Ok, """{"choices":[{"text":"a"}], """)]
    [InlineData("HTTP/1.1 404 Not Found", "<html>")]
    [InlineData("HTTP/1.1 500 Error|Content-Length: 4611686018427387904", "x")]
    [InlineData("HTTP/1.1 200 OK|X-Flood: 1|", "X-Flood: 0123456789\r\n")]
    [InlineData("HTTP/1.1 200 OK|", "xxxxxxxxxxxxxxxx")]
    [InlineData("HTTP/1.1 100 Continue", "HTTP/1.1 102 Wait\r\nX: 1\r\n\r\n")]
    [InlineData(Ok + "|Transfer-Encoding: chunked", "1;x=0123456789")]
    [InlineData(Ok + "|Transfer-Encoding: chunked||0", "X-Trailer: 0123456789\r\n")]
    public void What_never_ends_is_cut_off_before_it_fills_the_memory(string head, string part)
    {
        var repeated = Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat(part, 65536 / part.Length)));
        RawServer? server = null;
        server = new RawServer(
            async (_, stream) =>
            {
                var start = head.Replace("|", "\r\n", StringComparison.Ordinal);
                var isHeadOpen = head.EndsWith('|') || head.EndsWith("||0", StringComparison.Ordinal);
                await stream.WriteAsync(Encoding.ASCII.GetBytes(start + (isHeadOpen ? "" : "\r\n\r\n")));
                await server!.WriteForEver(stream, repeated);
            }
        );
        using (server)
        {
            Assert.Throws<RunException>(() => Sample(server, timeout: TimeSpan.FromSeconds(5)));
            Assert.InRange(server.SentBytes, 0, MaxSentBytes);
        }
    }

    [Fact]
    public void A_small_reply_that_unpacks_to_a_huge_one_is_cut_off()
    {
        using var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.SmallestSize, leaveOpen: true))
        {
            for (var i = 0; i < 64; i++)
            {
                gzip.Write(new byte[1 << 20]);
            }
        }

        var before = GC.GetTotalAllocatedBytes();
        using var server = RawServer.Always(
            $"{Ok}|Content-Encoding: gzip|Content-Length: {packed.Length}",
            packed.ToArray()
        );
        var error = Assert.Throws<RunException>(() => Sample(server));
        Assert.Contains("replies with more than 8 MiB", error.Message, StringComparison.Ordinal);
        Assert.InRange(GC.GetTotalAllocatedBytes() - before, 0, 256 << 20);
    }

    [Theory]
    [InlineData("")] // no answer
    [InlineData("HTTP/1.1 200 OK|Content-Le")] // in the headers
    [InlineData(Ok + "|Content-Length: 100||{\"choi")] // in the body
    [InlineData(Ok + "|Transfer-Encoding: chunked||5\r\n{\"ch")]
    public void A_reply_that_stops_without_a_word_is_given_up_in_time(string beginning)
    {
        using var server = new RawServer(
            async (_, stream) =>
            {
                var start = beginning.Replace("|", "\r\n", StringComparison.Ordinal);
                await stream.WriteAsync(Encoding.ASCII.GetBytes(start));
                await Task.Delay(Timeout.Infinite, TestContext.Current.CancellationToken);
            }
        );
        var error = Assert.Throws<RunException>(() => Sample(server, timeout: TimeSpan.FromSeconds(0.5)));
        Assert.Contains("failed 3 times, last with: no", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(401, "Incorrect API key provided: sk-Secret+123456789.", "check the key in OPENAI_API_KEY")]
    [InlineData(403, "key=sk-Secret%2B123456789", "firewall")]
    [InlineData(404, "sk-Secret+123", "--endpoint-model")]
    [InlineData(400, """{"error": {"message": "sk-Secret\u002b123456789"}}""", "status 400")]
    [InlineData(407, "<title>sk-Secret&#43;123456789</title>", "HTTP_PROXY")]
    [InlineData(413, "", "sft.max_words")]
    [InlineData(400, """{"error": {"message": "2048 tokens", "code": "context_length_exceeded"}}""", "sft.max_words")]
    [InlineData(
        429,
        """{"error": {"message": "sk-Secret+123456789", "code": "insufficient_quota"}}""",
        "quota is used up"
    )]
    [InlineData(500, "sk-Secret+123456789", "failed 3 times")]
    [InlineData(429, "sk-Secret+123456789", "asks to come back in 3600 s", "Retry-After: 3600")]
    [InlineData(200, "sk-Secret+123456789", "a reply that is no completion: (secret)")]
    [InlineData(200, """{"error": {"message": "too busy, sk-Secret+123456789"}}""", "too busy, (secret)")]
    public void A_refusal_is_told_with_what_to_do_and_without_the_key(
        int status,
        string body,
        string expected,
        string header = "X: 1"
    )
    {
        var bytes = Encoding.UTF8.GetBytes(body);
        using var server = RawServer.Always($"HTTP/1.1 {status} X|Content-Length: {bytes.Length}|{header}", bytes);
        var error = Assert.Throws<RunException>(() => Sample(server));
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("sk-Secret", error.ToString(), StringComparison.Ordinal);
    }

    static IReadOnlyList<string> Sample(RawServer server, TimeSpan? timeout = null)
    {
        var options = new EndpointOptions
        {
            Address = EndpointAddress.Parse(server.Url + "/v1"),
            Model = "tam",
            ApiKey = "sk-Secret+123456789",
            Attempts = 3,
            MaxParallel = 1,
            InitialDelay = TimeSpan.Zero,
            Timeout = timeout ?? TimeSpan.FromSeconds(60),
        };
        var log = new RecordingLogger();
        using var http = new HttpClient(EndpointClient.CreateHandler()) { Timeout = Timeout.InfiniteTimeSpan };
        var client = new EndpointClient(http, options, new(options, log), TimeProvider.System, log);
        return new EndpointSampler(client, options, new([]), log)
            .Sample(
                [FakeEndpoint.Item(1)],
                new NegativesOptions { MaxNewTokens = 100 },
                7,
                TestContext.Current.CancellationToken
            )
            .Single()
            .Texts;
    }

    static byte[] Compress(byte[] bytes)
    {
        using var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.Fastest))
        {
            gzip.Write(bytes);
        }

        return packed.ToArray();
    }
}
