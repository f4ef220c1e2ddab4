using System.Net;
using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;
using CoPe.Testing;

namespace CoPe.Server.Tests.Page;

[Collection("torch")]
public sealed partial class PageFilesTests
{
    static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Every_file_of_the_page_is_served_under_its_policy_and_asked_for_again_only_once_it_changes()
    {
        await using var port = await ServedPort.StartAsync();
        var index = await port.Http.GetStringAsync("/", Stop);
        string[] addresses = [.. Assets().Select(AddressOf)];
        foreach (var address in addresses)
        {
            using var response = await port.GetAsync(address);
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
            var policy = response.Headers.GetValues("Content-Security-Policy").Single();
            Assert.Equal(PolicyOf(policy), PolicyOf(Policy));
            Assert.Equal("nosniff", response.Headers.GetValues("X-Content-Type-Options").Single());
            Assert.Equal("no-referrer", response.Headers.GetValues("Referrer-Policy").Single());
            Assert.True(response.Headers.CacheControl!.NoCache);

            using var again = new HttpRequestMessage(HttpMethod.Get, address);
            again.Headers.IfNoneMatch.Add(response.Headers.ETag!);
            using var unchanged = await port.Http.SendAsync(again, Stop);
            Assert.Equal(HttpStatusCode.NotModified, unchanged.StatusCode);
            using var head = await port.Http.SendAsync(new(HttpMethod.Head, address), Stop);
            Assert.Equal(response.Content.Headers.ContentLength, head.Content.Headers.ContentLength);
        }

        var named = ReferencePattern.Matches(index).Select(match => match.Groups[1].Value).ToList();
        Assert.InRange(named.Count, 5, 20);
        Assert.All(named, address => Assert.Contains(address, addresses));
    }

    const string Policy =
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; base-uri 'none'; "
        + "form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'";

    static IEnumerable<string> PolicyOf(string policy) => policy.Split("; ").Order(StringComparer.Ordinal);

    [Fact]
    public async Task The_page_is_there_for_those_without_a_key_and_nothing_else_is()
    {
        using var folder = new TemporaryFolder();
        var file = folder.At("keys.json");
        var (_, secret) = new ApiKeyStore(file, TimeProvider.System).Add(null);
        await using var port = await ServedPort.StartAsync(new ServerOptions { KeyFile = file });
        foreach (var asset in Assets())
        {
            var content = await port.Http.GetByteArrayAsync(AddressOf(asset), Stop);
            Assert.Equal(await File.ReadAllBytesAsync(asset, Stop), content);
        }

        foreach (var address in (string[])["/page/settings", "/page/none.js", "/page", "/v1/models?kind=user"])
        {
            using var response = await port.GetAsync(address);
            Assert.Equal(HttpStatusCode.Unauthorized, response.StatusCode);
        }

        using var settings = await port.GetAsync("/page/settings", secret);
        var decoding = await ServedPort.ReadAsync(settings);
        Assert.Equal(":base", decoding.GetProperty("base").GetString());
        Assert.Equal(.1, decoding.GetProperty("contrast").GetDouble());
    }

    [Fact]
    public async Task Pages_of_other_sites_do_not_get_the_page_by_another_name()
    {
        await using var port = await ServedPort.StartAsync();
        using var request = new HttpRequestMessage(HttpMethod.Get, "/") { Headers = { Host = "elsewhere.example" } };
        using var response = await port.Http.SendAsync(request, Stop);
        Assert.Equal(HttpStatusCode.Forbidden, response.StatusCode);
    }

    [Fact]
    public void No_file_of_the_page_makes_markup_or_code_of_texts_or_names_another_address()
    {
        foreach (var file in Assets())
        {
            var text = File.ReadAllText(file).Replace("http://www.w3.org/2000/svg", "", StringComparison.Ordinal);
            var found = ForbiddenPattern.Matches(text).Select(match => match.Value);
            Assert.True(!found.Any(), $"{Path.GetFileName(file)} has {string.Join(", ", found)}");
            var lines = text.Split('\n');
            Assert.InRange(lines.Length, 1, 400);
            Assert.InRange(lines.Max(line => line.Length), 1, 120);
        }
    }

    [GeneratedRegex(
        @"innerHTML|outerHTML|insertAdjacentHTML|createContextualFragment|DOMParser|document\.write|\beval\b"
            + @"|new Function|srcdoc|javascript:|\son\w+=|\sstyle=|https?://|@import|\burl\("
    )]
    static partial Regex ForbiddenPattern { get; }

    [GeneratedRegex("(?:src|href)=\"(/[^\"]*)\"")]
    static partial Regex ReferencePattern { get; }

    static string[] Assets() =>
        Directory.GetFiles(
            Path.GetFullPath(Path.Combine(Path.GetDirectoryName(ThisFile())!, "../../../src/CoPe.Server/Page/Assets"))
        );

    static string AddressOf(string file) =>
        Path.GetFileName(file) is "index.html" ? "/" : $"/page/{Path.GetFileName(file)}";

    static string ThisFile([CallerFilePath] string path = "") => path;
}
