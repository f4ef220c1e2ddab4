using System.Net;
using System.Net.Http.Headers;
using System.Text.Json.Nodes;
using CoPe.Chat;
using CoPe.Cli.Endpoint;
using CoPe.Experiments.Negatives;
using CoPe.Testing;

namespace CoPe.Cli.Tests.Endpoint;

/// <summary>An endpoint in memory: answers the n-th request by a function and keeps what it was sent.</summary>
sealed class FakeEndpoint(Func<int, JsonObject, HttpResponseMessage> answer) : HttpMessageHandler
{
    readonly Lock _sync = new();
    int _inFlight;

    public string Address { get; init; } = "http://there/v1/";

    public string? ApiKey { get; init; }

    public TimeProvider Time { get; init; } = TimeProvider.System;

    public ReasoningParser Reasoning { get; init; } = new([]);

    public RecordingLogger Log { get; } = new();

    public List<JsonObject> Bodies { get; } = [];

    public List<HttpRequestHeaders> Headers { get; } = [];

    public List<Uri> Addresses { get; } = [];

    public int MaxInFlight { get; private set; }

    public static HttpResponseMessage Json(string text, HttpStatusCode status = HttpStatusCode.OK) =>
        new(status) { Content = new StringContent(text) };

    public static HttpResponseMessage Texts(params string[] texts) =>
        Json(
            new JsonObject
            {
                ["choices"] = new JsonArray([.. texts.Select(text => new JsonObject { ["text"] = text })]),
                ["usage"] = new JsonObject { ["prompt_tokens"] = 10, ["completion_tokens"] = texts.Length },
            }.ToJsonString()
        );

    public static CandidateRequest Item(int number) =>
        new(new CandidateItem("u", $"p{number}", [1, 2, 3], "gold"), [new ChatMessage("user", "Write")], [7, 9]);

    public List<CandidateTexts> Sample(
        IReadOnlyList<CandidateRequest> items,
        EndpointApi api = EndpointApi.Completions,
        int attempts = 3,
        int parallel = 1,
        int count = 3
    ) => [.. SampleLazily(items, api, attempts, parallel, count)];

    public IEnumerable<CandidateTexts> SampleLazily(
        IReadOnlyList<CandidateRequest> items,
        EndpointApi api = EndpointApi.Completions,
        int attempts = 3,
        int parallel = 1,
        int count = 3
    )
    {
        var options = new EndpointOptions
        {
            Address = EndpointAddress.Parse(Address),
            Model = "tam",
            Api = api,
            ApiKey = ApiKey,
            Attempts = attempts,
            MaxParallel = parallel,
            InitialDelay = TimeSpan.Zero,
        };
        var dialect = new EndpointDialect(options, Log);
        var client = new EndpointClient(new HttpClient(this), options, dialect, Time, Log);
        return new EndpointSampler(client, options, Reasoning, Log).Sample(
            items,
            new NegativesOptions { Candidates = count, MaxNewTokens = 100 },
            7,
            TestContext.Current.CancellationToken
        );
    }

    protected override async Task<HttpResponseMessage> SendAsync(
        HttpRequestMessage request,
        CancellationToken cancellationToken
    )
    {
        var body = JsonNode.Parse(await request.Content!.ReadAsStringAsync(cancellationToken))!.AsObject();
        int number;
        lock (_sync)
        {
            number = Bodies.Count;
            Bodies.Add(body);
            Addresses.Add(request.RequestUri!);
            Headers.Add(request.Headers);
            MaxInFlight = Math.Max(MaxInFlight, ++_inFlight);
        }
        await Task.Yield();
        try
        {
            return answer(number, body);
        }
        finally
        {
            lock (_sync)
            {
                _inFlight--;
            }
        }
    }
}
