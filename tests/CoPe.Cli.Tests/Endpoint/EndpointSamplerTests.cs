using System.Net;
using System.Text.Json.Nodes;
using CoPe.Chat;
using CoPe.Cli.Endpoint;
using CoPe.Experiments.Negatives;
using CoPe.Experiments.Runs;
using Microsoft.Extensions.Logging.Abstractions;

namespace CoPe.Cli.Tests.Endpoint;

public class EndpointSamplerTests
{
    [Fact]
    public void Completions_send_the_ids_of_the_prompt_and_the_sampling_options()
    {
        using var endpoint = new FakeEndpoint((_, _) => FakeEndpoint.Texts(" a ", "b", "c"));
        Assert.Equal(["a", "b", "c"], endpoint.Sample([FakeEndpoint.Item(1)])[0].Texts);
        Assert.Equal("http://there/v1/completions", endpoint.Addresses[0].AbsoluteUri);
        var sent = endpoint.Bodies[0];
        Assert.Equal("[1,2,3]", sent["prompt"]!.ToJsonString());
        Assert.Equal(
            ("tam", 3, 1.0, .95, 100),
            (
                (string)sent["model"]!,
                (int)sent["n"]!,
                (double)sent["temperature"]!,
                (double)sent["top_p"]!,
                (int)sent["max_tokens"]!
            )
        );
    }

    [Fact]
    public void Chat_sends_the_messages()
    {
        using var endpoint = new FakeEndpoint(
            (_, _) =>
                FakeEndpoint.Json(
                    """
                    {"choices": [
                      {"message": {"content": "a"}}, {"message": {"content": "b"}}, {"message": {"content": "c"}}
                    ]}
                    """
                )
        );
        Assert.Equal(["a", "b", "c"], endpoint.Sample([FakeEndpoint.Item(1)], EndpointApi.Chat)[0].Texts);
        Assert.Equal("http://there/v1/chat/completions", endpoint.Addresses[0].AbsoluteUri);
        Assert.Equal("""[{"role":"user","content":"Write"}]""", endpoint.Bodies[0]["messages"]!.ToJsonString());
    }

    [Fact]
    public void Fewer_choices_empty_texts_and_the_users_own_text_are_requested_again_with_another_seed()
    {
        using var endpoint = new FakeEndpoint(
            (number, _) =>
                number switch
                {
                    0 => FakeEndpoint.Texts("a"),
                    1 => FakeEndpoint.Texts(" gold", ""),
                    _ => FakeEndpoint.Texts("b", "c"),
                }
        );
        Assert.Equal(["a", "b", "c"], endpoint.Sample([FakeEndpoint.Item(1)])[0].Texts);
        Assert.Equal([3, 2, 2], endpoint.Bodies.Select(body => (int)body["n"]!));
        Assert.Equal(3, endpoint.Bodies.Select(body => (int)body["seed"]!).Distinct().Count());
    }

    [Fact]
    public void An_endpoint_that_gives_one_choice_a_request_gets_as_many_requests_as_choices_are_wanted()
    {
        using var endpoint = new FakeEndpoint((number, _) => FakeEndpoint.Texts($"text {number}"));
        Assert.Equal(8, endpoint.Sample([FakeEndpoint.Item(1)], count: 8)[0].Texts.Count);
        Assert.Equal(8, endpoint.Bodies.Count);
    }

    [Fact]
    public void Repeated_requests_are_bounded()
    {
        using var endpoint = new FakeEndpoint((_, _) => FakeEndpoint.Texts());
        Assert.Empty(endpoint.Sample([FakeEndpoint.Item(1)])[0].Texts);
        Assert.Equal(new NegativesOptions().Redraws + 1, endpoint.Bodies.Count);
    }

    [Fact]
    public void Transient_errors_are_retried()
    {
        using var endpoint = new FakeEndpoint(
            (number, _) =>
                number switch
                {
                    0 => throw new HttpRequestException("connection refused"),
                    1 => FakeEndpoint.Json("busy", HttpStatusCode.TooManyRequests),
                    2 => FakeEndpoint.Json("<html>", HttpStatusCode.BadGateway),
                    3 => FakeEndpoint.Json("""{"choices":7}"""),
                    4 => FakeEndpoint.Json("garbage"),
                    5 => FakeEndpoint.Json("""{"choices":[{"text":5},{"message":null},3,{"text":"a"}]}"""),
                    _ => FakeEndpoint.Texts("b", "c"),
                }
        );
        Assert.Equal(["a", "b", "c"], endpoint.Sample([FakeEndpoint.Item(1)], attempts: 6)[0].Texts);
    }

    [Fact]
    public void An_endpoint_that_stays_down_loses_no_sampled_text()
    {
        using var endpoint = new FakeEndpoint(
            (number, _) => number < 2 ? FakeEndpoint.Texts("a", "b", "c") : throw new HttpRequestException("gone")
        );
        var sampled = new List<string>();
        var error = Assert.Throws<RunException>(() =>
        {
            foreach (var texts in endpoint.SampleLazily([.. Enumerable.Range(0, 5).Select(FakeEndpoint.Item)]))
            {
                sampled.Add(texts.ItemId);
            }
        });
        Assert.Equal(["p0", "p1"], sampled);
        Assert.Contains("failed 3 times, last with: gone", error.Message, StringComparison.Ordinal);
        Assert.Equal(5, endpoint.Bodies.Count);
    }

    [Fact]
    public void A_request_that_is_refused_is_not_repeated()
    {
        using var endpoint = new FakeEndpoint((_, _) => FakeEndpoint.Json("no such model", HttpStatusCode.NotFound));
        var error = Assert.Throws<RunException>(() => endpoint.Sample([FakeEndpoint.Item(1)]));
        Assert.Contains("model 'tam' with status 404: no such model", error.Message, StringComparison.Ordinal);
        Assert.Single(endpoint.Bodies);
    }

    [Fact]
    public void No_more_requests_are_in_flight_than_allowed_and_every_item_is_sampled_once()
    {
        using var endpoint = new FakeEndpoint((_, _) => FakeEndpoint.Texts("a", "b", "c"));
        var items = Enumerable.Range(0, 40).Select(FakeEndpoint.Item).ToList();
        var sampled = endpoint.Sample(items, parallel: 4);
        Assert.Equal(
            items.Select(item => item.Item.ItemId).Order(StringComparer.Ordinal),
            sampled.Select(texts => texts.ItemId).Order(StringComparer.Ordinal)
        );
        Assert.InRange(endpoint.MaxInFlight, 1, 4);
        Assert.Equal(40, endpoint.Bodies.Select(body => (int)body["seed"]!).Distinct().Count());
    }

    [Fact]
    public void A_reader_that_leaves_early_ends_the_work()
    {
        using var endpoint = new FakeEndpoint((_, _) => FakeEndpoint.Texts("a", "b", "c"));
        Assert.Single(endpoint.SampleLazily([.. Enumerable.Range(0, 500).Select(FakeEndpoint.Item)]).Take(1));
    }
}

/// <summary>An endpoint in memory: answers the n-th request by a function and keeps what it was sent.</summary>
sealed class FakeEndpoint(Func<int, JsonObject, HttpResponseMessage> answer) : HttpMessageHandler
{
    readonly Lock _sync = new();
    int _inFlight;

    public List<JsonObject> Bodies { get; } = [];

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
        new(new CandidateItem("u", $"p{number}", [1, 2, 3], "gold"), [new ChatMessage("user", "Write")]);

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
            Url = new Uri("http://there/v1/"),
            Model = "tam",
            Api = api,
            Attempts = attempts,
            MaxParallel = parallel,
            InitialDelay = TimeSpan.Zero,
        };
        var client = new EndpointClient(new HttpClient(this), options, TimeProvider.System, NullLogger.Instance);
        return new EndpointSampler(client, options, NullLogger.Instance).Sample(
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
