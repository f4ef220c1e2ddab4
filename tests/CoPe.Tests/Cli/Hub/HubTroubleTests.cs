using CoPe.Cli.Hub;

namespace CoPe.Tests.Cli.Hub;

/// <summary>Networks that break, hubs that err, files that are not what they should be.</summary>
[Collection("torch")]
public sealed class HubTroubleTests : IDisposable
{
    readonly HubWorld world = new();

    public void Dispose() => world.Dispose();

    string Incomplete => world.BlobOf(HubWorld.Weights) + ".incomplete";

    IEnumerable<string?> Ranges => world.Hub.Requests.Where(request => request.IsCdn && request.IsContent(HubWorld.Weights)).Select(request => request.Range);

    void AssertWhole()
    {
        Assert.Equal(world.WeightBytes, File.ReadAllBytes(world.InSnapshot(HubWorld.Weights)));
        Assert.False(File.Exists(Incomplete));
    }

    void LeaveIncomplete(byte[] bytes)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Incomplete)!);
        File.WriteAllBytes(Incomplete, bytes);
    }

    [Fact]
    public async Task A_connection_that_breaks_half_way_is_taken_up_where_it_broke()
    {
        var broken = 0;
        world.Hub.Instead = (request, usual) => request.IsCdn && Interlocked.Increment(ref broken) <= 2 ? usual with { BreakAfter = 1000 } : null;
        await world.Pull();
        Assert.Equal([null, "bytes=1000-", "bytes=2000-"], Ranges);
        AssertWhole();
    }

    [Fact]
    public async Task A_download_that_another_process_left_goes_on()
    {
        LeaveIncomplete(world.WeightBytes[..1234]);
        await world.Pull();
        Assert.Equal(["bytes=1234-"], Ranges);
        AssertWhole();
    }

    [Fact]
    public async Task A_download_that_only_lacked_its_name_is_not_asked_for_again()
    {
        LeaveIncomplete(world.WeightBytes);
        await world.Pull();
        Assert.Empty(Ranges);
        AssertWhole();
    }

    [Theory]
    [InlineData(1234)]
    [InlineData(1_000_000)] // more than the file has
    public async Task What_was_left_and_is_damaged_is_downloaded_again(int bytes)
    {
        LeaveIncomplete([.. Enumerable.Repeat((byte)7, bytes)]);
        await world.Pull();
        AssertWhole();
    }

    [Fact]
    public async Task A_server_that_knows_no_ranges_gives_the_file_from_its_beginning()
    {
        LeaveIncomplete(world.WeightBytes[..1234]);
        world.Hub.Instead = (request, _) => request.IsCdn ? new HubReply(200, world.WeightBytes) : null;
        await world.Pull();
        Assert.Equal(["bytes=1234-"], Ranges);
        AssertWhole();
    }

    [Fact]
    public async Task A_range_that_cannot_be_had_is_given_up_for_the_whole_file()
    {
        LeaveIncomplete(world.WeightBytes[..1234]);
        world.Hub.Instead = (request, _) => request.IsCdn && request.Range is not null ? new HubReply(416, [], ("Content-Range", $"bytes */{world.WeightBytes.Length}")) : null;
        await world.Pull();
        Assert.Equal(["bytes=1234-", null], Ranges);
        AssertWhole();
    }

    [Fact]
    public async Task A_range_other_than_the_one_asked_for_is_not_taken()
    {
        LeaveIncomplete(world.WeightBytes[..1234]);
        world.Hub.Instead = (request, _) => request.IsCdn && request.Range is not null ? new HubReply(206, world.WeightBytes[1000..], ("Content-Range", $"bytes 1000-{world.WeightBytes.Length - 1}/{world.WeightBytes.Length}")) : null;
        await world.Pull();
        AssertWhole();
    }

    [Theory]
    [InlineData(HubWorld.Weights)]
    [InlineData("tokenizer.json")]
    public async Task A_file_that_is_not_what_the_hub_announced_is_refused_and_dropped(string file)
    {
        var right = world.Hub.Files[file];
        var wrong = right.Select(value => (byte)(value ^ 1)).ToArray();
        world.Hub.Instead = (request, usual) => request.IsContent(file) && usual.Status == 200 ? usual with { Body = wrong } : null;
        Assert.Contains($"{file} of acme/tiny came with the hash {SmallHub.EtagOf(file, wrong)}; the hub says {SmallHub.EtagOf(file, right)}", await world.Refusal(), StringComparison.Ordinal);
        Assert.False(File.Exists(world.InSnapshot(file)));
        Assert.False(File.Exists(world.BlobOf(file)));
        Assert.Null(world.Cache.Find(HubName.Parse(SmallHub.Repo)!));
    }

    [Fact]
    public async Task A_file_longer_than_announced_is_refused()
    {
        world.Hub.Instead = (request, usual) => request.IsCdn ? usual with { Body = [.. usual.Body, 1] } : null;
        Assert.Contains($"is longer than the {world.WeightBytes.Length} bytes", await world.Refusal(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_hub_that_is_busy_is_asked_again()
    {
        var seen = new System.Collections.Concurrent.ConcurrentDictionary<string, bool>();
        world.Hub.Instead = (request, _) => seen.TryAdd($"{request.Method} {request.Host}{request.Path}", true) ? new HubReply(503, []) : null;
        await world.Pull();
        AssertWhole();
    }

    [Theory]
    [InlineData(429, 17, "Retry-After", "17")]
    [InlineData(503, 17, "Retry-After", "17")]
    [InlineData(503, 40, "Retry-After", "Wed, 21 Oct 2026 07:28:40 GMT", "Date", "Wed, 21 Oct 2026 07:28:00 GMT")]
    [InlineData(429, 56, "RateLimit", "\"resolvers\";r=0;t=55")]
    public async Task A_server_that_says_how_long_to_wait_is_given_that_long(int status, int seconds, params string[] headers)
    {
        var time = new InstantTime();
        world.Time = time;
        var asked = 0;
        world.Hub.Instead = (request, _) => request.Path.StartsWith("/api/", StringComparison.Ordinal) && Interlocked.Increment(ref asked) == 1
            ? new HubReply(status, [], [.. headers.Chunk(2).Select(pair => (pair[0], pair[1]))]) : null;
        await world.Pull();
        AssertWhole();
        Assert.Equal(TimeSpan.FromSeconds(seconds), Assert.Single(time.Waits, wait => wait > TimeSpan.Zero));
    }

    [Fact]
    public async Task A_server_that_asks_for_an_hour_is_not_waited_for()
    {
        world.Time = new InstantTime();
        world.Hub.Instead = (request, _) => request.IsCdn ? new HubReply(429, [], ("Retry-After", "3600")) : null;
        Assert.Contains("asks to come back in 3600 s (status 429). What came is kept", await world.Refusal(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_hub_that_stays_down_is_given_up_with_its_last_word_and_what_came_is_kept()
    {
        var served = 0;
        world.Hub.Instead = (request, usual) => !request.IsCdn ? null : Interlocked.Increment(ref served) == 1 ? usual with { BreakAfter = 500 } : HubReply.Refusal(502, "", "Bad gateway today");
        var message = await world.Refusal();
        Assert.Contains("5 attempts at localhost failed, last with: status 502: Bad gateway today", message, StringComparison.Ordinal);
        Assert.Equal(500, new FileInfo(Incomplete).Length);
        Assert.Equal(1 + 4, served); // the one that brought something counts as the first of five
    }

    [Fact]
    public async Task Nobody_there_is_said_with_the_address()
    {
        world.Hub.Dispose();
        Assert.Contains("acme/tiny: 5 attempts at localhost failed", await world.Refusal(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_renamed_model_is_followed_within_the_hub()
    {
        world.Token = "hf_secret";
        world.Hub.Instead = (request, _) => request.Path.Contains("/acme/old", StringComparison.Ordinal)
            ? HubReply.Redirect(request.Path.Replace("acme/old", "acme/tiny", StringComparison.Ordinal))
            : null;
        var folder = await world.Pull("acme/old");
        Assert.Contains("models--acme--old", folder, StringComparison.Ordinal); // under the name that was asked for, as Python does
        Assert.Equal(world.WeightBytes, File.ReadAllBytes(Path.Combine(folder, HubWorld.Weights)));
    }

    [Fact]
    public async Task Redirects_without_end_are_not_followed_for_ever()
    {
        world.Hub.Instead = (request, _) => HubReply.Redirect(request.Path);
        Assert.Contains("redirects more than 10 times", await world.Refusal(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("W/\"abc\"", "abc")]
    [InlineData("\"../../escape\"", null)]
    [InlineData("", null)]
    public async Task An_ETag_is_a_name_in_the_cache_or_is_refused(string etag, string? name)
    {
        world.Hub.Instead = (request, usual) => request.Method == "HEAD" && request.Path.EndsWith("/tokenizer.json", StringComparison.Ordinal) ? usual with { Headers = [("ETag", etag), ("Content-Length", "2")] } : null;
        if (name is null) Assert.Contains("no usable ETag", await world.Refusal(), StringComparison.Ordinal);
        else
        {
            await world.Pull();
            Assert.True(File.Exists(world.Cache.Blob(SmallHub.Repo, name)));
        }
    }

    [Fact]
    public async Task Something_that_is_no_hub_is_recognised()
    {
        world.Hub.Instead = (_, _) => new HubReply(200, "<html>hello</html>"u8.ToArray());
        Assert.Contains("does not answer as a Hugging Face hub", await world.Refusal(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_cancelled_download_keeps_what_came()
    {
        using var cancel = new CancellationTokenSource();
        world.Hub.Instead = (request, usual) =>
        {
            if (!request.IsCdn) return null;
            if (request.Range is null) return usual with { BreakAfter = 700 };
            cancel.Cancel();
            return new HubReply(503, []);
        };
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => world.Pull(cancellation: cancel.Token));
        Assert.Equal(world.WeightBytes[..700], File.ReadAllBytes(Incomplete));
    }
}
