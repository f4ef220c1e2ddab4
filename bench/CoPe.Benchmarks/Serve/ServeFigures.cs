using System.Diagnostics;
using CoPe.Decoding;
using CoPe.Serving;

namespace CoPe.Benchmarks.Serve;

/// <summary>
/// What serving over HTTP costs beside the engine alone, and what one running batch of many users brings: 16 users with
/// an adapter each, answers by contrast, as streams.
/// </summary>
sealed class ServeFigures(ServedUsers users, int rounds)
{
    /// <summary>Users of the figures.</summary>
    public const int Users = 16;

    const int PromptTokens = 64;
    const int AnswerTokens = 32;

    readonly ServingRequest[] _requests =
    [
        .. Enumerable
            .Range(0, Users)
            .Select(user => new ServingRequest
            {
                Model = $"{user}",
                Prompt = users.CreatePrompt(PromptTokens),
                Options = new DecodingOptions { MaxNewTokens = AnswerTokens },
            }),
    ];

    /// <summary>The figures, all of one run whose parts are taken in turn.</summary>
    public async Task<IReadOnlyList<(string Name, double Value)>> MeasureAsync()
    {
        using var engine = users.Serve();
        await using var client = await StreamingClient.StartAsync(users, new ServingOptions()).ConfigureAwait(false);
        List<Throughput> overEngine = [];
        List<Throughput> overHttp = [];
        List<Throughput> ofOne = [];
        for (var round = 0; round <= rounds; round++)
        {
            var fromEngine = await MeasureAsync(_requests, request => AskEngineAsync(engine, request))
                .ConfigureAwait(false);
            var fromServer = await MeasureAsync(_requests, AskServerAsync).ConfigureAwait(false);
            var ofFirst = await MeasureAsync(_requests[..1], AskServerAsync).ConfigureAwait(false);
            if (round > 0)
            {
                overEngine.Add(fromEngine);
                overHttp.Add(fromServer);
                ofOne.Add(ofFirst);
            }
        }

        var (http, own, one) = (MedianSpeed(overHttp), MedianSpeed(overEngine), MedianSpeed(ofOne));
        return
        [
            ("engine_tokens_per_second", own),
            ("serve_tokens_per_second", http),
            ("serve_over_engine", http / own),
            ("serve_first_token_over_engine", MedianFirst(overHttp) / MedianFirst(overEngine)),
            ("users16_over_1", http / one),
        ];

        Task<ClientAnswer> AskServerAsync(ServingRequest request) =>
            client.AskAsync(request, keepsText: false, readNext: null, CancellationToken.None);
    }

    static double MedianSpeed(IEnumerable<Throughput> rounds) =>
        Measurement.Median(rounds.Select(round => round.TokensPerSecond));

    static double MedianFirst(IEnumerable<Throughput> rounds) =>
        Measurement.Median(rounds.Select(round => round.FirstToken));

    static async Task<Throughput> MeasureAsync(ServingRequest[] requests, Func<ServingRequest, Task<ClientAnswer>> ask)
    {
        var began = Stopwatch.GetTimestamp();
        var answers = await Task.WhenAll(requests.Select(request => Task.Run(() => ask(request))))
            .ConfigureAwait(false);
        var seconds = Stopwatch.GetElapsedTime(began).TotalSeconds;
        return new(
            answers.Sum(answer => answer.Tokens) / seconds,
            Measurement.Median(answers.Select(answer => answer.FirstToken.TotalSeconds))
        );
    }

    static async Task<ClientAnswer> AskEngineAsync(ServingEngine engine, ServingRequest request)
    {
        var began = Stopwatch.GetTimestamp();
        var (tokens, first) = (0, TimeSpan.Zero);
        await foreach (var _ in engine.GenerateAsync(request).ConfigureAwait(false))
        {
            first = tokens++ == 0 ? Stopwatch.GetElapsedTime(began) : first;
        }

        return new(tokens, first, Text: null);
    }

    /// <summary>Of some requests at the same time.</summary>
    /// <param name="TokensPerSecond">All of them together.</param>
    /// <param name="FirstToken">Median time until the first token, in seconds.</param>
    readonly record struct Throughput(double TokensPerSecond, double FirstToken);
}
