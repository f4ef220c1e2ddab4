using CoPe.Cli.Hub;

namespace CoPe.Cli.Tests.Hub;

/// <summary>Networks that break, hubs that err, files that are not what they should be.</summary>
[Collection("torch")]
public sealed class HubFailureTests : IDisposable
{
    readonly HubFixture _world = new();

    public void Dispose() => _world.Dispose();

    string Incomplete => _world.BlobOf(HubFixture.Weights) + ".incomplete";

    IEnumerable<string?> Ranges =>
        _world
            .Hub.Requests.Where(request => request.IsCdn && request.IsContent(HubFixture.Weights))
            .Select(request => request.Range);

    void AssertComplete()
    {
        Assert.Equal(_world.WeightBytes, File.ReadAllBytes(_world.InSnapshot(HubFixture.Weights)));
        Assert.False(File.Exists(Incomplete));
    }

    void LeaveIncomplete(byte[] bytes)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Incomplete)!);
        File.WriteAllBytes(Incomplete, bytes);
    }

    [Fact]
    public async Task A_connection_that_breaks_half_way_is_resumed()
    {
        var broken = 0;
        _world.Hub.Override = (request, usual) =>
            request.IsCdn && Interlocked.Increment(ref broken) <= 2 ? usual with { BreakAfter = 1000 } : null;
        await _world.Pull();
        Assert.Equal([null, "bytes=1000-", "bytes=2000-"], Ranges);
        AssertComplete();
    }

    [Fact]
    public async Task A_download_that_another_process_left_is_resumed()
    {
        LeaveIncomplete(_world.WeightBytes[..1234]);
        await _world.Pull();
        Assert.Equal(["bytes=1234-"], Ranges);
        AssertComplete();
    }

    [Fact]
    public async Task A_download_that_only_lacked_its_name_is_not_requested_again()
    {
        LeaveIncomplete(_world.WeightBytes);
        await _world.Pull();
        Assert.Empty(Ranges);
        AssertComplete();
    }

    [Theory]
    [InlineData(1234)]
    [InlineData(1_000_000)] // more than the file has
    public async Task What_was_left_and_is_damaged_is_downloaded_again(int bytes)
    {
        LeaveIncomplete([.. Enumerable.Repeat((byte)7, bytes)]);
        await _world.Pull();
        AssertComplete();
    }

    [Fact]
    public async Task A_server_that_knows_no_ranges_gives_the_file_from_its_beginning()
    {
        LeaveIncomplete(_world.WeightBytes[..1234]);
        _world.Hub.Override = (request, _) => request.IsCdn ? new HubReply(200, _world.WeightBytes) : null;
        await _world.Pull();
        Assert.Equal(["bytes=1234-"], Ranges);
        AssertComplete();
    }

    [Fact]
    public async Task A_range_that_cannot_be_had_is_given_up_for_the_whole_file()
    {
        LeaveIncomplete(_world.WeightBytes[..1234]);
        _world.Hub.Override = (request, _) =>
            request.IsCdn && request.Range is not null
                ? new HubReply(416, [], ("Content-Range", $"bytes */{_world.WeightBytes.Length}"))
                : null;
        await _world.Pull();
        Assert.Equal(["bytes=1234-", null], Ranges);
        AssertComplete();
    }

    [Fact]
    public async Task A_range_other_than_the_requested_one_is_rejected()
    {
        LeaveIncomplete(_world.WeightBytes[..1234]);
        _world.Hub.Override = (request, _) =>
            request.IsCdn && request.Range is not null
                ? new HubReply(
                    206,
                    _world.WeightBytes[1000..],
                    ("Content-Range", $"bytes 1000-{_world.WeightBytes.Length - 1}/{_world.WeightBytes.Length}")
                )
                : null;
        await _world.Pull();
        AssertComplete();
    }

    [Theory]
    [InlineData(HubFixture.Weights)]
    [InlineData("tokenizer.json")]
    public async Task A_file_that_is_not_what_the_hub_announced_is_refused_and_dropped(string file)
    {
        var right = _world.Hub.Files[file];
        var wrong = right.Select(value => (byte)(value ^ 1)).ToArray();
        _world.Hub.Override = (request, usual) =>
            request.IsContent(file) && usual.Status == 200 ? usual with { Body = wrong } : null;
        Assert.Contains(
            $"{file} of acme/tiny came with the hash {FakeHub.ComputeEtag(file, wrong)}; "
                + $"the hub says {FakeHub.ComputeEtag(file, right)}",
            await _world.PullError(),
            StringComparison.Ordinal
        );
        Assert.False(File.Exists(_world.InSnapshot(file)));
        Assert.False(File.Exists(_world.BlobOf(file)));
        Assert.Null(_world.Cache.Find(HubName.Parse(FakeHub.Repo)!));
    }

    [Fact]
    public async Task A_file_longer_than_announced_is_refused()
    {
        _world.Hub.Override = (request, usual) => request.IsCdn ? usual with { Body = [.. usual.Body, 1] } : null;
        Assert.Contains(
            $"is longer than the {_world.WeightBytes.Length} bytes",
            await _world.PullError(),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task A_busy_hub_is_retried()
    {
        var seen = new System.Collections.Concurrent.ConcurrentDictionary<string, bool>();
        _world.Hub.Override = (request, _) =>
            seen.TryAdd($"{request.Method} {request.Host}{request.Path}", true) ? new HubReply(503, []) : null;
        await _world.Pull();
        AssertComplete();
    }

    [Theory]
    [InlineData(429, 17, "Retry-After", "17")]
    [InlineData(503, 17, "Retry-After", "17")]
    [InlineData(503, 40, "Retry-After", "Wed, 21 Oct 2026 07:28:40 GMT", "Date", "Wed, 21 Oct 2026 07:28:00 GMT")]
    [InlineData(429, 56, "RateLimit", "\"resolvers\";r=0;t=55")]
    public async Task A_server_that_says_how_long_to_wait_is_given_that_long(
        int status,
        int seconds,
        params string[] headers
    )
    {
        var time = new InstantTimeProvider();
        _world.Time = time;
        var requests = 0;
        _world.Hub.Override = (request, _) =>
            request.Path.StartsWith("/api/", StringComparison.Ordinal) && Interlocked.Increment(ref requests) == 1
                ? new HubReply(status, [], [.. headers.Chunk(2).Select(pair => (pair[0], pair[1]))])
                : null;
        await _world.Pull();
        AssertComplete();
        Assert.Equal(TimeSpan.FromSeconds(seconds), Assert.Single(time.Waits, wait => wait > TimeSpan.Zero));
    }

    [Fact]
    public async Task A_server_that_asks_for_an_hour_is_not_waited_for()
    {
        _world.Time = new InstantTimeProvider();
        _world.Hub.Override = (request, _) => request.IsCdn ? new HubReply(429, [], ("Retry-After", "3600")) : null;
        Assert.Contains(
            "asks to come back in 3600 s (status 429). What came is kept",
            await _world.PullError(),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task A_hub_that_stays_down_is_given_up_with_its_last_word_and_what_came_is_kept()
    {
        var served = 0;
        _world.Hub.Override = (request, usual) =>
            !request.IsCdn ? null
            : Interlocked.Increment(ref served) == 1 ? usual with { BreakAfter = 500 }
            : HubReply.Refusal(502, "", "Bad gateway today");
        var message = await _world.PullError();
        Assert.Contains(
            "5 attempts at localhost failed, last with: status 502: Bad gateway today",
            message,
            StringComparison.Ordinal
        );
        Assert.Equal(500, new FileInfo(Incomplete).Length);
        Assert.Equal(1 + 4, served); // the one that brought something counts as the first of five
    }

    [Fact]
    public async Task Nobody_there_is_said_with_the_address()
    {
        _world.Hub.Dispose();
        Assert.Contains(
            "acme/tiny: 5 attempts at localhost failed",
            await _world.PullError(),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task A_renamed_model_is_followed_within_the_hub()
    {
        _world.Token = "hf_secret";
        _world.Hub.Override = (request, _) =>
            request.Path.Contains("/acme/old", StringComparison.Ordinal)
                ? HubReply.Redirect(request.Path.Replace("acme/old", "acme/tiny", StringComparison.Ordinal))
                : null;
        var folder = await _world.Pull("acme/old");
        // Under the requested name, as Python does.
        Assert.Contains("models--acme--old", folder, StringComparison.Ordinal);
        Assert.Equal(_world.WeightBytes, File.ReadAllBytes(Path.Combine(folder, HubFixture.Weights)));
    }

    [Fact]
    public async Task Redirects_without_end_are_not_followed_for_ever()
    {
        _world.Hub.Override = (request, _) => HubReply.Redirect(request.Path);
        Assert.Contains("redirects more than 10 times", await _world.PullError(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("W/\"abc\"", "abc")]
    [InlineData("\"../../escape\"", null)]
    [InlineData("", null)]
    public async Task An_ETag_is_a_name_in_the_cache_or_is_refused(string etag, string? name)
    {
        _world.Hub.Override = (request, usual) =>
            request.Method == "HEAD" && request.Path.EndsWith("/tokenizer.json", StringComparison.Ordinal)
                ? usual with
                {
                    Headers = [("ETag", etag), ("Content-Length", "2")],
                }
                : null;
        if (name is null)
        {
            Assert.Contains("no usable ETag", await _world.PullError(), StringComparison.Ordinal);
        }
        else
        {
            await _world.Pull();
            Assert.True(File.Exists(_world.Cache.BlobPath(FakeHub.Repo, name)));
        }
    }

    [Fact]
    public async Task Something_that_is_no_hub_is_recognized()
    {
        _world.Hub.Override = (_, _) => new HubReply(200, "<html>hello</html>"u8.ToArray());
        Assert.Contains("does not answer as a Hugging Face hub", await _world.PullError(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_cancelled_download_keeps_what_came()
    {
        using var cancel = new CancellationTokenSource();
        _world.Hub.Override = (request, usual) =>
        {
            if (!request.IsCdn)
            {
                return null;
            }

            if (request.Range is null)
            {
                return usual with { BreakAfter = 700 };
            }

            cancel.Cancel();
            return new HubReply(503, []);
        };
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => _world.Pull(cancellation: cancel.Token));
        Assert.Equal(_world.WeightBytes[..700], File.ReadAllBytes(Incomplete));
    }
}

[Collection("torch")]
public sealed class HubRefusalTests : IDisposable
{
    const string Secret = "hf_verysecret";

    readonly HubFixture _world = new();

    public void Dispose() => _world.Dispose();

    [Theory]
    [InlineData(
        401,
        "GatedRepo",
        "Access to model acme/tiny is restricted.",
        false,
        "acme/tiny is gated (localhost says: Access to model acme/tiny is restricted): ask for access at "
    )]
    [InlineData(
        403,
        "GatedRepo",
        "You are not in the authorized list.",
        true,
        "the account of the token from HF_TOKEN has no access (localhost says: You are not in the authorized list)"
    )]
    [InlineData(401, "RepoNotFound", "Repository not found", false, "the hub has no model acme/tiny, or it is private")]
    [InlineData(404, "RepoNotFound", "Repository not found", true, "or the token from HF_TOKEN may not see it")]
    [InlineData(
        401,
        "",
        "Invalid credentials in Authorization header",
        true,
        "token from HF_TOKEN (localhost says: Invalid credentials in Authorization header): make a new one"
    )]
    [InlineData(
        401,
        "",
        "Invalid username or password.",
        false,
        "the hub refuses acme/tiny without a token (localhost says: Invalid username or password)"
    )]
    [InlineData(404, "RevisionNotFound", "Invalid rev id: main", false, "acme/tiny has no revision 'main'")]
    [InlineData(403, "", "Access to this resource is disabled.", false, "Access to this resource is disabled")]
    [InlineData(404, "", "", false, "the hub has no model acme/tiny or no revision 'main' of it (status 404)")]
    public async Task The_hubs_reason_is_told_with_what_to_do(
        int status,
        string code,
        string reason,
        bool hasToken,
        string expected
    )
    {
        _world.Token = hasToken ? Secret : null;
        _world.Hub.Override = (_, _) => HubReply.Refusal(status, code, reason);
        Assert.Contains(expected, await _world.PullError(), StringComparison.Ordinal);
        Assert.Single(_world.Hub.Requests); // a refusal is final: asking again would not help
    }

    [Theory]
    [InlineData("config.json")]
    [InlineData(HubFixture.Weights)]
    public async Task A_gated_model_whose_list_is_public_refuses_at_its_files(string file)
    {
        _world.Hub.Override = (request, _) =>
            request.Path.EndsWith("/" + file, StringComparison.Ordinal)
                ? HubReply.Refusal(403, "GatedRepo", "Ask for access")
                : null;
        var message = await _world.PullError();
        Assert.Contains("acme/tiny is gated", message, StringComparison.Ordinal);
        if (file == "config.json")
        {
            Assert.DoesNotContain(_world.Hub.Requests, request => request.IsCdn);
        }
    }

    [Fact]
    public async Task No_message_shows_the_token()
    {
        _world.Token = Secret;
        foreach (var status in (int[])[401, 403, 404, 500])
        {
            _world.Hub.Override = (_, _) => HubReply.Refusal(status, "", $"Your token {Secret} is not welcome");
            Assert.DoesNotContain(Secret, await _world.PullError(), StringComparison.Ordinal);
        }
    }
}
