using System.Text;
using CoPe.Cli.Tests.Http;
using CoPe.Experiments.Runs;

namespace CoPe.Cli.Tests.Hub;

/// <summary>Hubs and storages that refuse, stall, send without end, or name what no folder can hold.</summary>
[Collection("torch")]
public sealed class HostileHubTests : IDisposable
{
    const string Listing = """{"sha": "cccccccccccccccccccccccccccccccccccccccc", "siblings": [""";

    readonly HubFixture _world = new();

    public void Dispose() => _world.Dispose();

    int CountAtHub(string file) => _world.Hub.Requests.Count(request => !request.IsCdn && request.IsContent(file));

    [Theory]
    [InlineData(403, "Request has expired")]
    [InlineData(400, "ExpiredToken")]
    [InlineData(401, "")]
    [InlineData(404, "NoSuchKey")]
    public async Task An_address_that_the_storage_refuses_is_asked_of_the_hub_again(int status, string reason)
    {
        var refused = 0;
        _world.Token = "hf_secret";
        _world.Hub.Override = (request, _) =>
            request.IsCdn && Interlocked.Increment(ref refused) <= 2
                ? new HubReply(status, Encoding.UTF8.GetBytes(reason))
                : null;
        await _world.Pull();
        Assert.Equal(3, CountAtHub(HubFixture.Weights));
        Assert.Equal(_world.WeightBytes, File.ReadAllBytes(_world.InSnapshot(HubFixture.Weights)));
    }

    [Fact]
    public async Task An_address_that_expires_half_way_costs_nothing_that_came()
    {
        var served = 0;
        _world.Hub.Override = (request, usual) =>
            !request.IsCdn
                ? null
                : Interlocked.Increment(ref served) switch
                {
                    1 => usual with { BreakAfter = 1000 },
                    2 => new HubReply(403, "<Error><Code>AccessDenied</Code></Error>"u8.ToArray()),
                    _ => null,
                };
        await _world.Pull();
        Assert.Equal(
            [null, "bytes=1000-", "bytes=1000-"],
            _world.Hub.Requests.Where(request => request.IsCdn).Select(request => request.Range)
        );
    }

    [Theory]
    [InlineData(403)]
    [InlineData(404)]
    public async Task A_storage_that_stays_with_its_refusal_is_named_and_neither_token_nor_hub_is_blamed(int status)
    {
        _world.Token = "hf_secret";
        _world.Hub.Override = (request, _) =>
            request.IsCdn ? new HubReply(status, "Request has expired"u8.ToArray()) : null;
        var message = await _world.PullError();
        Assert.Contains(
            "127.0.0.1, where the hub keeps the file, refuses the address that the hub gave for it "
                + "(127.0.0.1 says: Request has expired)",
            message,
            StringComparison.Ordinal
        );
        Assert.DoesNotContain("token", message, StringComparison.Ordinal);
        Assert.Equal(5, CountAtHub(HubFixture.Weights));
    }

    [Theory]
    [InlineData(403, "", "Access to this resource is disabled.", "the hub has switched acme/tiny off")]
    [InlineData(403, "DisabledRepo", "no", "the hub has switched acme/tiny off")]
    [InlineData(401, "", "Invalid credentials", "does not accept the token from HF_TOKEN")]
    [InlineData(403, "", "Forbidden", "refuses acme/tiny to the token from HF_TOKEN")]
    [InlineData(403, "", "<html><title>Blocked by policy</title>", "localhost says: a page 'Blocked by policy'")]
    [InlineData(407, "", "", "a proxy on the way to localhost wants a user and a password")]
    [InlineData(451, "", "", "for legal reasons")]
    [InlineData(511, "", "", "wants to be signed in to")]
    [InlineData(418, "", "", "the hub refuses acme/tiny (status 418)")]
    public async Task Every_status_is_told_as_what_it_is(int status, string code, string body, string expected)
    {
        _world.Token = "hf_secret";
        _world.Hub.Override = (_, _) => new HubReply(status, Encoding.UTF8.GetBytes(body), ("X-Error-Code", code));
        Assert.Contains(expected, await _world.PullError(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("HTTP/1.1 200 OK||" + Listing)]
    [InlineData("HTTP/1.1 200 OK|Content-Length: 4611686018427387904||" + Listing)]
    [InlineData("HTTP/1.1 403 Forbidden|Content-Length: 1000||{")]
    [InlineData("HTTP/1.1 404 Not Found|Content-Type: text/plain; charset=utf8|Content-Length: 1000||no")]
    [InlineData("")]
    public async Task A_reply_that_stalls_does_not_hang_the_command(string beginning)
    {
        using var server = new RawServer(
            async (_, stream) =>
            {
                var start = beginning.Replace("|", "\r\n", StringComparison.Ordinal);
                await stream.WriteAsync(Encoding.ASCII.GetBytes(start));
                await Task.Delay(Timeout.Infinite, TestContext.Current.CancellationToken);
            }
        );
        await Assert.ThrowsAsync<RunException>(() => PullFrom(server));
    }

    [Theory]
    [InlineData("HTTP/1.1 200 OK||" + Listing, "{\"rfilename\": \"x\"},")]
    [InlineData("HTTP/1.1 200 OK|Content-Length: 4611686018427387904||", " ")]
    [InlineData("HTTP/1.1 200 OK|Transfer-Encoding: chunked||", "8\r\n        \r\n")]
    [InlineData("HTTP/1.1 403 Forbidden|Content-Type: text/plain||", "no ")]
    [InlineData("HTTP/1.1 302 Found|", "Location: /x\r\n")]
    public async Task A_reply_without_end_is_cut_off(string beginning, string part)
    {
        var repeated = Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat(part, 65536 / part.Length)));
        RawServer? server = null;
        server = new RawServer(
            async (_, stream) =>
            {
                await stream.WriteAsync(
                    Encoding.ASCII.GetBytes(beginning.Replace("|", "\r\n", StringComparison.Ordinal))
                );
                await server!.WriteForEver(stream, repeated);
            }
        );
        using (server)
        {
            await Assert.ThrowsAsync<RunException>(() => PullFrom(server));
            Assert.InRange(server.SentBytes, 0, 128 << 20);
        }
    }

    [Theory]
    [InlineData("config.json", "4611686018427387904")]
    [InlineData("config.json", "9223372036854775807")]
    [InlineData("config.json", "300000000")]
    [InlineData(HubFixture.Weights, "4611686018427387904")]
    [InlineData(HubFixture.Weights, "9223372036854775807")]
    public async Task A_size_that_no_such_file_has_is_refused_before_anything_is_downloaded(string file, string size)
    {
        _world.Hub.Override = (request, usual) =>
            request.Method == "HEAD" && request.Path.EndsWith("/" + file, StringComparison.Ordinal)
                ? usual with
                {
                    Headers =
                    [
                        .. usual.Headers.Where(header => header.Name != "X-Linked-Size"),
                        ("X-Linked-Size", size),
                    ],
                }
                : null;
        Assert.Contains($"has {size} bytes by what the hub says", await _world.PullError(), StringComparison.Ordinal);
        Assert.Equal(0, _world.Hub.ContentRequests(file));
    }

    [Theory]
    [InlineData("tokenizer\0.json")]
    [InlineData("tokenizer\u001b[2J")]
    [InlineData(@"tokenizer\..\..\..\evil")]
    [InlineData("license:stream")]
    [InlineData("license.")]
    [InlineData("license ")]
    [InlineData("notice\u202Etxt")]
    [InlineData("tokenizer*")]
    [InlineData("LETTERS")]
    public async Task A_name_that_not_every_system_can_store_is_left_out(string name)
    {
        var unstorable = name == "LETTERS" ? "tokenizer" + new string('x', 300) : name;
        _world.Hub.Override = (request, usual) =>
            request.Path.StartsWith("/api/", StringComparison.Ordinal)
                ? usual with
                {
                    Body = Encoding.UTF8.GetBytes(
                        Encoding
                            .UTF8.GetString(usual.Body)
                            .Replace(
                                "[",
                                $$"""[{"rfilename": {{System.Text.Json.JsonSerializer.Serialize(unstorable)}}}, """,
                                StringComparison.Ordinal
                            )
                    ),
                }
                : null;
        var folder = await _world.Pull();
        Assert.Equal(
            _world.Hub.Files.Keys.Order(StringComparer.Ordinal),
            Directory.GetFiles(folder).Select(Path.GetFileName).Order(StringComparer.Ordinal)
        );
    }

    [Theory]
    [InlineData("../../evil.safetensors")]
    [InlineData(@"..\..\evil.safetensors")]
    [InlineData("C:evil.safetensors")]
    [InlineData("/etc/evil.safetensors")]
    [InlineData("nul.safetensors")]
    [InlineData("con")]
    [InlineData("evil\u0000.safetensors")]
    [InlineData("..")]
    [InlineData("")]
    public async Task A_shard_with_such_a_name_is_refused(string shard)
    {
        _world.Hub.Files.TryRemove(HubFixture.Weights, out _);
        var name = System.Text.Json.JsonSerializer.Serialize(shard);
        _world.Hub.Files["model.safetensors.index.json"] = Encoding.UTF8.GetBytes(
            $$$"""{"weight_map": {"a": {{{name}}}}}"""
        );
        await Assert.ThrowsAnyAsync<Exception>(() => _world.Pull());
        Assert.DoesNotContain(_world.Hub.Requests, request => request.Path.Contains("evil", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("""{"sha": null, "siblings": []}""")]
    [InlineData("""{"sha": "\ud800", "siblings": []}""")]
    [InlineData("""{"sha": "cccccccccccccccccccccccccccccccccccccccc", "siblings": null}""")]
    [InlineData("""{"sha": 7, "siblings": {}}""")]
    [InlineData("[]")]
    [InlineData("null")]
    [InlineData("")]
    [InlineData("{\"error\": \"hf_secret_token\"}")]
    public async Task What_is_no_description_of_a_revision_is_recognized(string body)
    {
        _world.Token = "hf_secret_token";
        _world.Hub.Override = (_, _) => new HubReply(200, Encoding.UTF8.GetBytes(body));
        var message = await _world.PullError();
        Assert.Contains("does not answer as a Hugging Face hub", message, StringComparison.Ordinal);
        Assert.DoesNotContain("hf_secret_token", message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"rfilename": null}, {"rfilename": 7}, {}, null, "x", {"rfilename": "\ud800"}, """)]
    [InlineData("""{"rfilename": "config.json"}, {"rfilename": "config.json"}, """)]
    public async Task Entries_of_the_list_that_are_none_or_doubled_do_not_matter(string entries)
    {
        _world.Hub.Override = (request, usual) =>
            request.Path.StartsWith("/api/", StringComparison.Ordinal)
                ? usual with
                {
                    Body = Encoding.UTF8.GetBytes(
                        Encoding.UTF8.GetString(usual.Body).Replace("[", "[" + entries, StringComparison.Ordinal)
                    ),
                }
                : null;
        Assert.Equal(_world.Hub.Files.Count, Directory.GetFiles(await _world.Pull()).Length);
    }

    [Fact]
    public async Task A_list_of_more_describing_files_than_any_model_has_is_refused()
    {
        var siblings = string.Join(',', Enumerable.Range(0, 1000).Select(i => $$"""{"rfilename": "tokenizer{{i}}"}"""));
        _world.Hub.Override = (request, _) =>
            request.Path.StartsWith("/api/", StringComparison.Ordinal)
                ? new HubReply(
                    200,
                    Encoding.UTF8.GetBytes($$"""{{Listing}}{"rfilename": "config.json"},{{siblings}}]}""")
                )
                : null;
        Assert.Contains("has 1001 files that describe it", await _world.PullError(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("http://[bad")]
    [InlineData("//")]
    [InlineData("file:///etc/passwd")]
    [InlineData("javascript:alert(1)")]
    public async Task A_redirect_to_what_is_no_address_is_refused(string location)
    {
        _world.Hub.Override = (_, _) => HubReply.Redirect(location);
        Assert.Contains("localhost redirects", await _world.PullError(), StringComparison.Ordinal);
    }

    async Task PullFrom(RawServer server)
    {
        var settings = _world.Settings with
        {
            Endpoint = new(server.Url + "/"),
            ResponseTimeout = TimeSpan.FromSeconds(0.5),
            MaxAttempts = 2,
        };
        await _world.PullWith(settings);
    }
}
