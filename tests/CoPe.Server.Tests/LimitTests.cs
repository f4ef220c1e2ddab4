using System.Net;
using System.Net.Http.Json;

namespace CoPe.Server.Tests;

/// <summary>What the server does not take, or not at once.</summary>
[Collection("torch")]
public sealed class LimitTests
{
    static readonly object[] Messages = [new { role = "user", content = "Write a headline about the river" }];

    static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Limits_are_told_by_status()
    {
        await using var port = await ServedPort.StartAsync(new ServerOptions { MaxBodyBytes = 1000 });
        using var large = await port.PostTextAsync("/v1/chat/completions", new string(' ', 2000));
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, large.StatusCode);
        using var nowhere = await port.GetAsync("/etc/passwd");
        Assert.Equal(HttpStatusCode.NotFound, nowhere.StatusCode);
    }

    [Theory]
    [InlineData(
        "/v1/chat/completions",
        """{"model": "ada", "messages": [{"role": "user", "content": "A"}], "max_tokens": 5}"""
    )]
    [InlineData("/v1/completions", """{"model": "ada", "prompt": "A", "max_tokens": 5}""")]
    [InlineData("/v1/responses", """{"model": "ada", "input": "A", "max_output_tokens": 5}""")]
    public async Task More_tokens_than_the_server_gives_are_refused(string path, string body)
    {
        await using var port = await ServedPort.StartAsync(new ServerOptions { MaxAnswerTokens = 4 });
        using var refused = await port.PostTextAsync(path, body);
        Assert.Equal(HttpStatusCode.BadRequest, refused.StatusCode);
        var error = (await ServedPort.ReadAsync(refused)).GetProperty("error");
        Assert.Contains("tokens", error.GetProperty("param").GetString());
        using var given = await port.PostTextAsync(path, body.Replace(": 5}", ": 4}", StringComparison.Ordinal));
        Assert.Equal(HttpStatusCode.OK, given.StatusCode);
    }

    [Fact]
    public async Task An_answer_without_a_limit_has_that_of_the_server_and_a_longer_prompt_is_refused()
    {
        await using var port = await ServedPort.StartAsync(
            new ServerOptions { MaxPromptTokens = 6, MaxAnswerTokens = 3 }
        );
        int[] prompt = [5, 6, 7, 8, 9, 10];
        var answer = await port.AskAsync("/v1/completions", new { model = "ada", prompt });
        Assert.Equal(3, answer.GetProperty("usage").GetProperty("completion_tokens").GetInt32());
        int[] longer = [.. prompt, 11];
        using var refused = await port.PostAsync("/v1/completions", new { model = "ada", prompt = longer });
        Assert.Equal(HttpStatusCode.BadRequest, refused.StatusCode);
    }

    [Fact]
    public async Task Too_many_requests_of_one_client_are_told_to_wait()
    {
        await using var port = await ServedPort.StartAsync(new ServerOptions { MaxRequestsOfKey = 1 });
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/chat/completions")
        {
            Content = JsonContent.Create(
                new
                {
                    model = "ada",
                    messages = Messages,
                    stream = true,
                }
            ),
        };
        using var running = await port.Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Stop);
        using var refused = await port.GetAsync("/v1/models");
        Assert.Equal(HttpStatusCode.TooManyRequests, refused.StatusCode);
        Assert.True(refused.Headers.RetryAfter!.Delta > TimeSpan.Zero);
    }
}
