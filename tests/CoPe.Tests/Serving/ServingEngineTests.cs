using CoPe.Decoding;
using CoPe.Serving;
using CoPe.Testing;

namespace CoPe.Tests.Serving;

[Collection("torch")]
public sealed class ServingEngineTests
{
    static readonly string[] Users = ["ada", "bob", "cleo", "dan", "eve"];

    static CancellationToken Stop => TestContext.Current.CancellationToken;

    /// <summary>Requests of every kind: greedy and drawn, with contrast and without, to any model.</summary>
    static ServingRequest[] RandomRequests(ServedModel served, int count, int seed)
    {
        var random = new Random(seed);
        string[] models = [.. Users, AdapterFolders.BaseName, AdapterFolders.TaskName];
        string[] texts = ["Write a headline about rain", "Hello", string.Join(' ', Enumerable.Repeat("the river", 30))];
        return
        [
            .. Enumerable
                .Range(0, count)
                .Select(i =>
                    served.CreateRequest(models[random.Next(models.Length)], texts[random.Next(3)]) with
                    {
                        Seed = random.NextInt64(),
                        Sample = random.Next(3),
                        Options = new DecodingOptions
                        {
                            MaxNewTokens = random.Next(1, 24),
                            Contrast = random.Next(3) == 0 ? 0 : .3,
                            DoSample = random.Next(2) == 0,
                            Temperature = .9,
                            TopK = random.Next(2) == 0 ? 0 : 20,
                            RepetitionPenalty = random.Next(2) == 0 ? 1 : 1.2,
                        },
                    }
                ),
        ];
    }

    [Theory]
    [InlineData(1, 64, 1L << 30)]
    [InlineData(2, 5, 1L << 30)]
    [InlineData(3, 2, 0)] // Room for two adapters alone: each is read again and again.
    public async Task Requests_that_share_a_batch_get_what_each_gets_alone(int seed, int maxRows, long adapterBytes)
    {
        using var served = new ServedModel(Users);
        var requests = RandomRequests(served, 24, seed);
        var options = new ServingOptions
        {
            MaxRows = maxRows,
            AdapterBytes = Math.Max(adapterBytes, 2 * served.AdapterBytes),
        };
        await using var engine = served.Serve(options);
        var together = await Task.WhenAll(requests.Select(engine.AnswerIdsAsync));
        Assert.Equal(requests.Select(served.AnswerAlone), together);
        var again = await Task.WhenAll(requests.Reverse().Select(engine.AnswerIdsAsync));
        Assert.Equal(together.Reverse(), again);
    }

    [Fact]
    public async Task Log_probabilities_asked_for_change_no_token_and_name_the_reward_of_each()
    {
        using var served = new ServedModel(Users);
        await using var engine = served.Serve();
        var request = served.CreateRequest("bob", "Write a headline") with
        {
            Options = new DecodingOptions { Contrast = 0, MaxNewTokens = 8 },
        };
        var tokens = await engine.AnswerAsync(request with { Alternatives = 3 });
        Assert.Equal(served.AnswerAlone(request), tokens.Select(token => token.Id));
        Assert.All(
            tokens,
            token =>
            {
                Assert.Equal(3, token.Alternatives.Count);
                // Without contrast the best token is chosen.
                Assert.Equal(
                    (token.Id, token.LogProb!.Value),
                    (token.Alternatives[0].Id, token.Alternatives[0].LogProb)
                );
                Assert.NotNull(token.ImplicitReward);
            }
        );
        Assert.All(await engine.AnswerAsync(request), token => Assert.Null(token.LogProb));
    }

    [Fact]
    public async Task Texts_of_the_tokens_make_up_the_answer_without_the_stop_string()
    {
        using var served = new ServedModel(Users);
        await using var engine = served.Serve();
        var request = served.CreateRequest("ada", "Write a headline about the river", tokens: 30);
        var tokens = await engine.AnswerAsync(request);
        var text = string.Concat(tokens.Select(token => token.Text));
        Assert.Equal(served.Encoder.DecodeResponse(tokens.Select(token => token.Id)), text);

        var stop = text.Substring(text.Length / 2, 3);
        var stopping = request with { Options = request.Options with { StopStrings = [stop, "nowhere"] } };
        var stopped = await engine.AnswerAsync(stopping);
        Assert.Equal(text[..text.IndexOf(stop, StringComparison.Ordinal)], string.Concat(stopped.Select(t => t.Text)));
        Assert.Equal(StopReason.StopString, stopped[^1].StopReason);
        Assert.True(stopped.Count < tokens.Count);
    }

    [Fact]
    public async Task Cancelling_frees_the_rows_for_who_waits()
    {
        using var served = new ServedModel(Users);
        await using var engine = served.Serve(new ServingOptions { MaxRows = 2 });
        using var cancelling = new CancellationTokenSource();
        await using var endless = engine
            .GenerateAsync(served.CreateRequest("ada", "Hello", tokens: 900), cancelling.Token)
            .GetAsyncEnumerator(Stop);
        Assert.True(await endless.MoveNextAsync());
        var waiting = engine.AnswerIdsAsync(served.CreateRequest("bob", "Hello", tokens: 3));
        await ServedAnswers.WaitUntil(() => engine.Counts == (1, 1));
        await cancelling.CancelAsync();
        Assert.Equal(served.AnswerAlone(served.CreateRequest("bob", "Hello", tokens: 3)), await waiting);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
        {
            while (await endless.MoveNextAsync()) { }
        });
    }

    [Fact]
    public async Task A_request_that_is_cancelled_while_it_waits_never_runs()
    {
        using var served = new ServedModel(Users);
        await using var engine = served.Serve(new ServingOptions { MaxRows = 2 });
        await using var running = engine
            .GenerateAsync(served.CreateRequest("ada", "Hello", tokens: 900), Stop)
            .GetAsyncEnumerator(Stop);
        Assert.True(await running.MoveNextAsync());
        using var cancelling = new CancellationTokenSource();
        var waiting = Enumerable
            .Range(0, 5)
            .Select(async _ =>
            {
                var request = served.CreateRequest("bob", "Hello");
                await foreach (var token in engine.GenerateAsync(request, cancelling.Token)) { }
            })
            .ToList();
        await ServedAnswers.WaitUntil(() => engine.Counts == (5, 1));
        await cancelling.CancelAsync();
        await ServedAnswers.WaitUntil(() => engine.Counts == (0, 1));
        foreach (var one in waiting)
        {
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => one);
        }
    }

    [Fact]
    public async Task Reading_no_further_ends_the_request()
    {
        using var served = new ServedModel(Users);
        await using var engine = served.Serve();
        await foreach (var token in engine.GenerateAsync(served.CreateRequest("ada", "Hello", tokens: 900), Stop))
        {
            break;
        }

        await ServedAnswers.WaitUntil(() => engine.Counts == (0, 0));
    }

    [Fact]
    public async Task One_users_many_requests_do_not_hold_up_anothers_one()
    {
        using var served = new ServedModel(Users);
        await using var engine = served.Serve(new ServingOptions { MaxRows = 4 });
        var done = 0;
        var many = Enumerable
            .Range(0, 50)
            .Select(async i =>
            {
                await engine.AnswerAsync(served.CreateRequest("ada", $"Hello {i}", tokens: 20));
                Interlocked.Increment(ref done);
            })
            .ToList();
        await ServedAnswers.WaitUntil(() => engine.Counts.Running > 0);
        var before = Volatile.Read(ref done);
        await engine.AnswerAsync(served.CreateRequest("bob", "Hello", tokens: 20));
        // Those that ran already, and the one beside it.
        Assert.InRange(Volatile.Read(ref done) - before, 0, 6);
        await Task.WhenAll(many);
    }

    [Fact]
    public async Task A_full_queue_rejects_and_says_when_to_try_again()
    {
        using var served = new ServedModel(Users);
        var options = new ServingOptions
        {
            MaxRows = 2,
            MaxWaiting = 6,
            MaxWaitingOfClient = 5,
        };
        await using var engine = served.Serve(options);
        using var cancelling = new CancellationTokenSource();
        var taken = new List<Task>();
        Assert.Equal(ServingError.UserQueueFull, (await AskUntilRejected("ada")).Error);
        Assert.Equal(ServingError.QueueFull, (await AskUntilRejected("bob")).Error);
        var error = await AskUntilRejected("cleo");
        Assert.Equal(ServingError.QueueFull, error.Error);
        Assert.True(error.RetryAfter >= TimeSpan.FromSeconds(1));
        await ServedAnswers.WaitUntil(() => engine.Counts.Running == 1);
        Assert.Equal(taken.Count, engine.Counts.Waiting + 1);
        await cancelling.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Task.WhenAll(taken));

        async Task<ServingException> AskUntilRejected(string user)
        {
            while (true)
            {
                var asked = Ask(user);
                if (asked.IsFaulted)
                {
                    return await Assert.ThrowsAsync<ServingException>(() => asked);
                }

                taken.Add(asked);
            }
        }

        async Task Ask(string user)
        {
            var request = served.CreateRequest(user, "Hello", tokens: 900);
            await foreach (var token in engine.GenerateAsync(request, cancelling.Token)) { }
        }
    }

    [Fact]
    public async Task Stopping_answers_what_was_taken_and_takes_no_more()
    {
        using var served = new ServedModel(Users);
        await using var engine = served.Serve();
        var request = served.CreateRequest("ada", "Hello", tokens: 40);
        await using var answer = engine.GenerateAsync(request, Stop).GetAsyncEnumerator(Stop);
        Assert.True(await answer.MoveNextAsync());
        var stopping = engine.StopAsync(Stop);
        var refused = await Assert.ThrowsAsync<ServingException>(() => engine.AnswerAsync(request));
        Assert.Equal(ServingError.Stopping, refused.Error);
        var ids = new List<int> { answer.Current.Id };
        while (await answer.MoveNextAsync())
        {
            ids.Add(answer.Current.Id);
        }

        await stopping;
        Assert.Equal(served.AnswerAlone(request), ids);
    }

    [Theory]
    [InlineData("")]
    [InlineData("..")]
    [InlineData("../tam")]
    [InlineData("/etc")]
    [InlineData("ada/../bob")]
    [InlineData("ada\0")]
    [InlineData("nobody")]
    [InlineData(":other")]
    public async Task A_name_that_is_no_users_reaches_no_file(string name)
    {
        using var served = new ServedModel(Users);
        await using var engine = served.Serve();
        var error = await Assert.ThrowsAsync<ServingException>(() =>
            engine.AnswerAsync(served.CreateRequest(name, "Hello"))
        );
        Assert.Equal(ServingError.UnknownModel, error.Error);
    }

    [Fact]
    public async Task A_prompt_that_cannot_be_continued_is_refused_before_it_waits()
    {
        using var served = new ServedModel(Users);
        await using var engine = served.Serve();
        foreach (
            var prompt in (int[][])
                [
                    [],
                    [99_999],
                    [.. Enumerable.Repeat(5, 5000)],
                ]
        )
        {
            await Assert.ThrowsAsync<ArgumentException>(() =>
                engine.AnswerAsync(new ServingRequest { Model = "ada", Prompt = prompt })
            );
        }

        Assert.Equal((0, 0), engine.Counts);
    }

    [Fact]
    public async Task Nothing_is_left_in_memory()
    {
        using var served = new ServedModel(Users);
        var before = TensorCount.AfterGarbageCollection();
        await using (var engine = served.Serve(new ServingOptions { AdapterBytes = 2 * served.AdapterBytes }))
        {
            await Task.WhenAll(RandomRequests(served, 12, 5).Select(engine.AnswerIdsAsync));
            await foreach (var token in engine.GenerateAsync(served.CreateRequest("ada", "Hello", tokens: 900), Stop))
            {
                break;
            }
        }

        Assert.Equal(before, TensorCount.AfterGarbageCollection());
    }
}
