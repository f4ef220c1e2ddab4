using System.Net;
using System.Text;
using CoPe.Cli.Endpoint;
using CoPe.Cli.Hub;
using CoPe.Experiments.Negatives;
using CoPe.Fuzz.Mutations;
using Microsoft.Extensions.Logging.Abstractions;

namespace CoPe.Fuzz.Readers;

/// <summary>Replies of endpoints and of the hub.</summary>
static class NetworkReaders
{
    const string Commit = "0123456789abcdef0123456789abcdef01234567";

    const string Completions = """
        {"choices": [{"text": " It Rains", "finish_reason": "stop"}, {"text": null, "index": 1}],
         "usage": {"prompt_tokens": 3, "completion_tokens": 2}}
        """;

    const string Chat = """
        {"choices": [{"message": {"role": "assistant", "content": "<think>no</think> It Rains"}},
          {"message": {"role": "assistant", "content": [{"type": "text", "text": "More"}]}}]}
        """;

    const string Events = """
        data: {"choices": [{"index": 0, "delta": {"role": "assistant", "content": "It"}}]}

        data: {"choices": [{"index": 0, "delta": {"content": " Rains"}, "finish_reason": "stop"}],
        data:  "usage": {"prompt_tokens": 3, "completion_tokens": 2}}

        data: [DONE]


        """;

    const string Revision = $$"""
        {"id": "org/name", "sha": "{{Commit}}", "siblings": [{"rfilename": "config.json"},
         {"rfilename": "model.safetensors"}], "gated": false}
        """;

    const string Ok = "200\nContent-Type: application/json; charset=utf-8\n\n" + Completions;

    static readonly string[] Headers =
    [
        "Content-Type: application/json; charset=utf8\n",
        "Content-Type: text/plain; charset=\"x\"\n",
        "Content-Length: 5\n",
        "Retry-After: 99999999999\n",
        "Retry-After: Wed, 21 Oct 2015 07:28:00 GMT\n",
        "RateLimit: \"api\";r=0;t=999999999\n",
        "X-Error-Code: GatedRepo\n",
        "X-Error-Message: no\n",
        "ETag: W/\"\"\n",
        "X-Linked-Size: 9223372036854775807\n",
        "Location: http://[::1\n",
        "Content-Encoding: gzip\n",
        "301\n",
        "403\n",
        "429\n",
        "500\n",
    ];

    public static IEnumerable<FuzzedReader> All =>
        [
            new()
            {
                Name = "endpoint-body",
                Format = InputFormat.Json,
                Covers = ["EndpointReply.Parse"],
                Seeds = _ => Bytes.OfAll(Completions, Chat),
                Open = _ => OpenEndpoint(input => Reply.Ok(input)),
                Share = 4,
            },
            new()
            {
                Name = "endpoint-reply",
                Format = InputFormat.Text,
                Covers = ["EndpointReply.Parse", "ReplyJson.Read", "ServerMessage.Read", "ReplyBody.ReadPart"],
                Seeds = _ => Bytes.OfAll(Ok, "503\nRetry-After: 3\n\nbusy"),
                Open = _ => OpenEndpoint(Reply.Parse),
                Words = Headers,
                Share = 4,
            },
            new()
            {
                Name = "endpoint-events",
                Format = InputFormat.Text,
                Covers = ["EndpointEventStream.Read", "EndpointReply.Parse"],
                Seeds = _ => Bytes.OfAll(Events),
                Open = _ => input => EndpointReply.Parse(input),
                Words = ["data: ", "data: [DONE]\n\n", "\n\n", "{\"choices\": [", "\"index\": -1", ": comment\n"],
                Share = 4,
            },
            new()
            {
                Name = "endpoint-address",
                Format = InputFormat.Text,
                Covers = ["EndpointAddress.Parse"],
                Seeds = _ =>
                    Bytes.OfAll("http://localhost:8000/v1", "https://x.openai.azure.com/o/d?api-version=2024-10-21"),
                Open = _ => input => EndpointAddress.Parse(Encoding.UTF8.GetString(input)),
                Words = ["?", "#", "@", "://", "[::1]", "%00", "user:secret@", "api-version="],
                Share = 2,
            },
            new()
            {
                Name = "hub-revision",
                Format = InputFormat.Json,
                Covers = [],
                Seeds = _ => Bytes.OfAll(Revision),
                Open = _ => OpenHub(Reply.Ok, client => client.ResolveRevision(Name, CancellationToken.None)),
                Share = 4,
            },
            new()
            {
                Name = "hub-reply",
                Format = InputFormat.Text,
                Covers = [],
                Seeds = _ =>
                    Bytes.OfAll(
                        $"200\nETag: \"abc\"\nX-Linked-Size: 5\nX-Repo-Commit: {Commit}\n\n",
                        "404\nX-Error-Code: EntryNotFound\nContent-Type: application/json\n\n{\"error\": \"no\"}"
                    ),
                Open = _ =>
                    OpenHub(
                        Reply.Parse,
                        client => client.DescribeFile(Name, Commit, "config.json", CancellationToken.None)
                    ),
                AlsoThrows = [typeof(HubBusyException)],
                Words = Headers,
                Share = 4,
            },
        ];

    static HubName Name { get; } = new("org/name", HubName.DefaultRevision);

    static Action<byte[]> OpenEndpoint(Func<byte[], Reply> parse)
    {
        var handler = new ReplyHandler();
        var options = new EndpointOptions
        {
            Address = EndpointAddress.Parse("http://localhost:1/v1"),
            Model = "m",
            ApiKey = "sk-secret-secret",
            Attempts = 1,
        };
        var item = new CandidateRequest(new("u", "i", [1, 2], "gold"), [new("user", "Hi")], [2]);
        var request = new EndpointRequest(item, Count: 2, Seed: 1, new());
        return input =>
        {
            handler.Next = parse(input);
            var dialect = new EndpointDialect(options, NullLogger.Instance);
            var client = new EndpointClient(new(handler), options, dialect, TimeProvider.System, NullLogger.Instance);
            client.RequestCompletions(request, CancellationToken.None).GetAwaiter().GetResult();
        };
    }

    static Action<byte[]> OpenHub(Func<byte[], Reply> parse, Func<HubClient, Task> ask)
    {
        var handler = new ReplyHandler();
        var settings = new HubSettings
        {
            Endpoint = new("http://localhost:1/"),
            CacheFolder = "",
            Token = "hf_secret",
            TokenSource = "HF_TOKEN",
        };
        var client = new HubClient(new(handler), settings, TimeProvider.System);
        return input =>
        {
            handler.Next = parse(input);
            ask(client).GetAwaiter().GetResult();
        };
    }

    /// <summary>Gives every request the same reply.</summary>
    sealed class ReplyHandler : HttpMessageHandler
    {
        public Reply Next { get; set; } = Reply.Ok([]);

        protected override Task<HttpResponseMessage> SendAsync(
            HttpRequestMessage request,
            CancellationToken cancellation
        )
        {
            var response = new HttpResponseMessage((HttpStatusCode)Next.Status)
            {
                Content = new ByteArrayContent(Next.Body),
                RequestMessage = request,
            };
            foreach (var (name, value) in Next.Headers)
            {
                if (!response.Headers.TryAddWithoutValidation(name, value))
                {
                    response.Content.Headers.TryAddWithoutValidation(name, value);
                }
            }

            return Task.FromResult(response);
        }
    }

    /// <summary>A reply as an input has it: the status, headers a line each, an empty line, the body.</summary>
    sealed record Reply(int Status, IReadOnlyList<(string Name, string Value)> Headers, byte[] Body)
    {
        public static Reply Ok(byte[] body) => new(200, [("Content-Type", "application/json")], body);

        public static Reply Parse(byte[] input)
        {
            var end = input.AsSpan().IndexOf("\n\n"u8);
            var head = Encoding.Latin1.GetString(end < 0 ? input : input[..end]).Split('\n');
            var headers = head.Skip(1)
                .Select(line => line.Split(':', 2))
                .Where(parts => parts.Length == 2)
                .Select(parts => (parts[0].Trim(), parts[1].Trim()));
            var status = int.TryParse(head[0], out var number) && number is >= 200 and < 1000 ? number : 200;
            return new(status, [.. headers], end < 0 ? [] : input[(end + 2)..]);
        }
    }
}
