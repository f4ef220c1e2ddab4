using System.Net;
using System.Text.Json.Nodes;
using CoPe.Cli.Endpoint;
using CoPe.Negatives;
using CoPe.Prompts;
using Microsoft.Extensions.Logging.Abstractions;

namespace CoPe.Tests.Cli.Endpoint;

/// <summary>An endpoint in memory: answers the n-th request by a function and keeps what it was sent.</summary>
sealed class FakeEndpoint(Func<int, JsonObject, HttpResponseMessage> answer) : HttpMessageHandler
{
    readonly Lock gate = new();
    int underWay;

    public List<JsonObject> Bodies { get; } = [];

    public List<Uri> Addresses { get; } = [];

    public int MostUnderWay { get; private set; }

    public static HttpResponseMessage Json(string text, HttpStatusCode status = HttpStatusCode.OK) => new(status) { Content = new StringContent(text) };

    public static HttpResponseMessage Texts(params string[] texts) => Json(new JsonObject
    {
        ["choices"] = new JsonArray([.. texts.Select(text => new JsonObject { ["text"] = text })]),
        ["usage"] = new JsonObject { ["prompt_tokens"] = 10, ["completion_tokens"] = texts.Length },
    }.ToJsonString());

    public static WordedItem Item(int number) => new(new CandidateItem("u", $"p{number}", [1, 2, 3], "gold"), [new ChatMessage("user", "Write")]);

    public List<DrawnTexts> Draw(IReadOnlyList<WordedItem> items, EndpointApi api = EndpointApi.Completions, int attempts = 3, int parallel = 1, int count = 3) => [.. Drawing(items, api, attempts, parallel, count)];

    public IEnumerable<DrawnTexts> Drawing(IReadOnlyList<WordedItem> items, EndpointApi api = EndpointApi.Completions, int attempts = 3, int parallel = 1, int count = 3)
    {
        var options = new EndpointOptions { Url = new Uri("http://there/v1/"), Model = "tam", Api = api, Attempts = attempts, Parallel = parallel, FirstDelay = TimeSpan.Zero };
        var client = new EndpointClient(new HttpClient(this), options, TimeProvider.System, NullLogger.Instance);
        return new EndpointCandidates(client, options, NullLogger.Instance).Draw(items, new CandidateOptions { Count = count }, 7, TestContext.Current.CancellationToken);
    }

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var body = JsonNode.Parse(await request.Content!.ReadAsStringAsync(cancellationToken))!.AsObject();
        int number;
        lock (gate)
        {
            number = Bodies.Count;
            Bodies.Add(body);
            Addresses.Add(request.RequestUri!);
            MostUnderWay = Math.Max(MostUnderWay, ++underWay);
        }
        await Task.Yield();
        try
        {
            return answer(number, body);
        }
        finally
        {
            lock (gate) underWay--;
        }
    }
}
