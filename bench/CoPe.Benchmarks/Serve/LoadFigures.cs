using System.Diagnostics;
using CoPe.Decoding;
using CoPe.Serving;

namespace CoPe.Benchmarks.Serve;

/// <summary>
/// A thousand clients who ask ten times each, one after the other: every tenth request hangs up after its second token,
/// every tenth reads slowly. Each answer must be the one that the engine gives to its request alone.
/// </summary>
sealed class LoadFigures(ServedUsers users, int clients, int requestsOfClient)
{
    const int Users = 16;
    const int Prompts = 8;
    const int PromptTokens = 24;
    const int AnswerTokens = 12;

    static readonly TimeSpan SlowRead = TimeSpan.FromMilliseconds(20);

    readonly List<double> _firstTokens = [];
    readonly Lock _gate = new();
    int _answered;
    int _cancelled;
    int _wrong;
    int _failed;

    /// <summary>The figures.</summary>
    public async Task<IReadOnlyList<(string Name, double Value)>> MeasureAsync()
    {
        int[][] prompts = [.. Enumerable.Range(0, Prompts).Select(_ => users.CreatePrompt(PromptTokens))];
        var expected = await AnswerAloneAsync(prompts).ConfigureAwait(false);
        var limits = new ServingOptions { MaxWaiting = 2 * clients, MaxWaitingOfClient = 2 * clients };
        await using var client = await StreamingClient.StartAsync(users, limits).ConfigureAwait(false);
        await RunAsync(client, prompts, expected, requests: 1).ConfigureAwait(false);
        var before = Measurement.GetResidentMegabytes();
        (_answered, _cancelled) = (0, 0);
        _firstTokens.Clear();
        var began = Stopwatch.GetTimestamp();
        await RunAsync(client, prompts, expected, requestsOfClient).ConfigureAwait(false);
        var seconds = Stopwatch.GetElapsedTime(began).TotalSeconds;
        _firstTokens.Sort();
        return
        [
            ("requests", (double)clients * requestsOfClient),
            ("answered", _answered),
            ("cancelled", _cancelled),
            ("wrong", _wrong),
            ("failed", _failed),
            ("requests_per_second", clients * requestsOfClient / seconds),
            ("first_token_p50_ms", Percentile(.5)),
            ("first_token_p95_ms", Percentile(.95)),
            ("first_token_p99_ms", Percentile(.99)),
            ("resident_mb_after_first_round", before),
            ("resident_mb_at_end", Measurement.GetResidentMegabytes()),
        ];
    }

    double Percentile(double share) => 1000 * _firstTokens[(int)(share * (_firstTokens.Count - 1))];

    static ServingRequest CreateRequest(int user, int[] prompt) =>
        new()
        {
            Model = $"{user}",
            Prompt = prompt,
            Options = new DecodingOptions { MaxNewTokens = AnswerTokens },
        };

    async Task<string[,]> AnswerAloneAsync(int[][] prompts)
    {
        using var engine = users.Serve();
        var answers = new string[Users, prompts.Length];
        for (var user = 0; user < Users; user++)
        {
            for (var prompt = 0; prompt < prompts.Length; prompt++)
            {
                var text = "";
                await foreach (
                    var token in engine.GenerateAsync(CreateRequest(user, prompts[prompt])).ConfigureAwait(false)
                )
                {
                    text += token.Text;
                }

                answers[user, prompt] = text;
            }
        }

        return answers;
    }

    Task RunAsync(StreamingClient client, int[][] prompts, string[,] expected, int requests) =>
        Task.WhenAll(
            Enumerable
                .Range(0, clients)
                .Select(async number =>
                {
                    await Task.Yield();
                    for (var request = 0; request < requests; request++)
                    {
                        var user = (number + request) % Users;
                        var prompt = (number / Users + request) % prompts.Length;
                        await AskAsync(
                                client,
                                CreateRequest(user, prompts[prompt]),
                                expected[user, prompt],
                                (number + request) % 10
                            )
                            .ConfigureAwait(false);
                    }
                })
        );

    async Task AskAsync(StreamingClient client, ServingRequest request, string expected, int manner)
    {
        using var hangUp = new CancellationTokenSource();
        try
        {
            var answer = await client
                .AskAsync(
                    request,
                    keepsText: true,
                    manner switch
                    {
                        0 => tokens => tokens == 2 ? hangUp.CancelAsync() : Task.CompletedTask,
                        1 => _ => Task.Delay(SlowRead),
                        _ => null,
                    },
                    hangUp.Token
                )
                .ConfigureAwait(false);
            Interlocked.Increment(ref _answered);
            lock (_gate)
            {
                _firstTokens.Add(answer.FirstToken.TotalSeconds);
            }

            if (answer.Text != expected)
            {
                Interlocked.Increment(ref _wrong);
            }
        }
        catch (OperationCanceledException)
        {
            Interlocked.Increment(ref _cancelled);
        }
        catch (Exception error) when (error is HttpRequestException or IOException)
        {
            Interlocked.Increment(ref _failed);
        }
    }
}
