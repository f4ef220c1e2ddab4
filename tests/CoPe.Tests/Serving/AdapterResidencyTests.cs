using CoPe.Adapters;
using CoPe.Serving;

namespace CoPe.Tests.Serving;

[Collection("torch")]
public sealed class AdapterResidencyTests
{
    static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_hundred_thousand_users_are_served_with_two_hundred_in_memory()
    {
        const int Users = 100_000,
            Contents = 16,
            Requests = 600;
        using var served = new ServedModel([.. Enumerable.Range(0, Contents).Select(content => $"content-{content}")]);
        for (var user = 0; user < Users; user++)
        {
            Directory.CreateSymbolicLink(served.FolderOf($"u{user}"), $"content-{user % Contents}");
        }

        var most = 200 * served.AdapterBytes;
        await using var engine = served.Serve(new ServingOptions { AdapterBytes = most });
        var expected = Enumerable
            .Range(0, Contents)
            .Select(content => served.AnswerAlone(served.CreateRequest($"content-{content}", "Hello", tokens: 6)))
            .ToList();
        Assert.Equal(Contents, expected.Select(ids => string.Join(' ', ids)).Distinct().Count());
        var random = new Random(3);
        await Parallel.ForEachAsync(
            Enumerable.Range(0, Requests).Select(_ => random.Next(Users)).ToList(),
            new ParallelOptions { MaxDegreeOfParallelism = 64, CancellationToken = Stop },
            async (user, _) =>
            {
                var ids = await engine.AnswerIdsAsync(served.CreateRequest($"u{user}", "Hello", tokens: 6));
                Assert.Equal(expected[user % Contents], ids);
                Assert.InRange(engine.Residency.Bytes, 0, most);
            }
        );
        Assert.InRange(engine.Residency.Count, 150, 200);
        Assert.InRange(engine.Residency.Totals.Evicted, Requests - 250, Requests);
    }

    [Fact]
    public async Task An_adapter_that_is_used_stays_and_the_longest_unused_leaves()
    {
        using var served = new ServedModel("ada", "bob", "cleo");
        var options = new ServingOptions { AdapterBytes = 3 * served.AdapterBytes, MaxRows = 8 };
        await using var engine = served.Serve(options);
        var longRequest = served.CreateRequest("ada", "Hello", tokens: 60);
        await using var answer = engine.GenerateAsync(longRequest, Stop).GetAsyncEnumerator(Stop);
        Assert.True(await answer.MoveNextAsync());
        foreach (var user in (string[])["bob", "cleo", "bob"])
        {
            var request = served.CreateRequest(user, "Hello", tokens: 2);
            Assert.Equal(served.AnswerAlone(request), await engine.AnswerIdsAsync(request));
        }

        Assert.True(engine.Residency.Holds(served.FolderOf("ada")));
        Assert.True(engine.Residency.Holds(served.FolderOf("bob")));
        Assert.False(engine.Residency.Holds(served.FolderOf("cleo")));
        var ids = new List<int> { answer.Current.Id };
        while (await answer.MoveNextAsync())
        {
            ids.Add(answer.Current.Id);
        }

        Assert.Equal(served.AnswerAlone(longRequest), ids);
    }

    [Fact]
    public async Task Where_all_that_fits_is_in_use_a_request_waits_for_room()
    {
        using var served = new ServedModel("ada", "bob");
        await using var engine = served.Serve(new ServingOptions { AdapterBytes = 2 * served.AdapterBytes });
        var first = served.CreateRequest("ada", "Hello", tokens: 30);
        var second = served.CreateRequest("bob", "Hello", tokens: 30);
        var answers = await Task.WhenAll(
            ((ServingRequest[])[first, second, first, second]).Select(engine.AnswerIdsAsync)
        );
        int[][] expected = [served.AnswerAlone(first), served.AnswerAlone(second)];
        Assert.Equal([expected[0], expected[1], expected[0], expected[1]], answers);
    }

    [Fact]
    public async Task Adapters_beyond_all_memory_are_refused_by_name()
    {
        using var served = new ServedModel("ada");
        await using var engine = served.Serve(new ServingOptions { AdapterBytes = 2 * served.AdapterBytes - 1 });
        var error = await Assert.ThrowsAsync<ServingException>(() =>
            engine.AnswerAsync(served.CreateRequest("ada", "Hello"))
        );
        Assert.Equal(ServingError.AdapterTooLarge, error.Error);
        Assert.Contains("'ada'", error.Message);
    }

    [Theory]
    [InlineData("no weights")]
    [InlineData("cut weights")]
    [InlineData("broken configuration")]
    [InlineData("not finite")]
    [InlineData("no task adapter")]
    public async Task A_bad_adapter_fails_its_own_requests_by_name_and_no_others(string damage)
    {
        using var served = new ServedModel("ada", "bob");
        await using var engine = served.Serve();
        var weights = Path.Combine(served.FolderOf("bob"), AdapterFile.WeightsFileName);
        var whole = File.ReadAllBytes(weights);
        Damage();
        var good = served.CreateRequest(
            damage == "no task adapter" ? AdapterFolders.BaseName : "ada",
            "Hello",
            tokens: 20
        );
        var bad = served.CreateRequest("bob", "Hello");
        var answers = Enumerable.Range(0, 3).Select(_ => engine.AnswerIdsAsync(good)).ToList();
        var error = await Assert.ThrowsAsync<ServingException>(() => engine.AnswerAsync(bad));
        Assert.Equal(ServingError.AdapterUnavailable, error.Error);
        Assert.Contains("'bob'", error.Message);
        var expected = served.AnswerAlone(good);
        Assert.All(await Task.WhenAll(answers), ids => Assert.Equal(expected, ids));
        served.WriteUser("bob", seed: 7);
        if (damage != "no task adapter")
        {
            Assert.Equal(served.AnswerAlone(bad), await engine.AnswerIdsAsync(bad));
        }

        void Damage()
        {
            switch (damage)
            {
                case "no weights":
                    File.Delete(weights);
                    break;
                case "cut weights":
                    File.WriteAllBytes(weights, whole[..^7]);
                    break;
                case "broken configuration":
                    File.WriteAllText(Path.Combine(served.FolderOf("bob"), AdapterFile.ConfigFileName), "{");
                    break;
                case "not finite":
                    whole.AsSpan(whole.Length - 4).Fill(0xff);
                    File.WriteAllBytes(weights, whole);
                    break;
                default:
                    Directory.Delete(served.TaskAdapter, recursive: true);
                    break;
            }
        }
    }

    [Fact]
    public async Task A_request_under_way_ends_on_the_revision_that_it_began_with()
    {
        using var served = new ServedModel("ada");
        await using var engine = served.Serve();
        var request = served.CreateRequest("ada", "Hello", tokens: 40);
        var former = served.AnswerAlone(request);
        await using var answer = engine.GenerateAsync(request, Stop).GetAsyncEnumerator(Stop);
        Assert.True(await answer.MoveNextAsync());
        served.WriteUser("ada", seed: 8);
        var newer = served.AnswerAlone(request);
        Assert.NotEqual(former, newer);
        Assert.Equal(newer, await engine.AnswerIdsAsync(request));
        var ids = new List<int> { answer.Current.Id };
        while (await answer.MoveNextAsync())
        {
            ids.Add(answer.Current.Id);
        }

        Assert.Equal(former, ids);
        await ServedAnswers.WaitUntil(() => engine.Residency.Count == 2); // The former one leaves with its last user.
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1L << 24)] // Keys and values of one revision are of no use to the other.
    public async Task No_answer_mixes_two_revisions(long promptCacheBytes)
    {
        using var served = new ServedModel("ada");
        await using var engine = served.Serve(new ServingOptions { PromptCacheBytes = promptCacheBytes, MaxRows = 16 });
        var request = served.CreateRequest("ada", "Write a headline about the river", tokens: 16);
        int[] seeds = [11, 12];
        var expected = new List<string>();
        foreach (var seed in seeds)
        {
            served.WriteUser("ada", seed);
            expected.Add(string.Join(' ', served.AnswerAlone(request)));
        }

        using var ending = new CancellationTokenSource();
        var writing = Task.Run(
            () =>
            {
                for (var i = 0; !ending.IsCancellationRequested; i++)
                {
                    served.WriteUser("ada", seeds[i % 2]);
                    Thread.Sleep(3);
                }
            },
            Stop
        );
        var found = new HashSet<string>();
        for (var round = 0; round < 25; round++)
        {
            var answers = await Task.WhenAll(Enumerable.Repeat(request, 4).Select(engine.AnswerIdsAsync));
            found.UnionWith(answers.Select(ids => string.Join(' ', ids)));
        }

        await ending.CancelAsync();
        await writing;
        Assert.Subset(expected.ToHashSet(), found);
        Assert.Equal(2, found.Count);
    }
}
