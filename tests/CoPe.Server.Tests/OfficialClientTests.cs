using System.ClientModel;
using CoPe.Serving;
using Microsoft.Extensions.AI;
using OpenAI;

namespace CoPe.Server.Tests;

/// <summary>OpenAI's own client for .NET, unchanged.</summary>
[Collection("torch")]
public sealed class OfficialClientTests
{
    const string Text = "Write a headline about the river";

    static CancellationToken Stop => TestContext.Current.CancellationToken;

    static IChatClient CreateClient(ServedPort port, string model) =>
        new OpenAIClient(
            new ApiKeyCredential("none"),
            new OpenAIClientOptions { Endpoint = new Uri(port.Server.Address, "v1") }
        )
            .GetChatClient(model)
            .AsIChatClient();

    static string Expected(ServedPort port, string user, int tokens) =>
        port.Served.Encoder.DecodeResponse(port.Served.AnswerAlone(port.Served.CreateRequest(user, Text, tokens)));

    [Fact]
    public async Task It_gets_whole_answers_with_usage_and_finish_reason()
    {
        await using var port = await ServedPort.StartAsync();
        using var client = CreateClient(port, "ada");
        var response = await client.GetResponseAsync(Text, new ChatOptions { MaxOutputTokens = 9 }, Stop);
        Assert.Equal(Expected(port, "ada", 9), response.Text);
        Assert.Equal(ChatFinishReason.Length, response.FinishReason);
        Assert.Equal(9, response.Usage!.OutputTokenCount);
    }

    [Fact]
    public async Task It_streams_the_answers_of_two_users_at_the_same_time()
    {
        await using var port = await ServedPort.StartAsync();
        var answers = await Task.WhenAll(
            ((string[])["ada", "bob"]).Select(async user =>
            {
                using var client = CreateClient(port, user);
                var options = new ChatOptions { MaxOutputTokens = 12 };
                var updates = await client.GetStreamingResponseAsync(Text, options, Stop).ToListAsync(Stop);
                return updates.ToChatResponse();
            })
        );
        Assert.Equal([Expected(port, "ada", 12), Expected(port, "bob", 12)], answers.Select(answer => answer.Text));
        Assert.All(answers, answer => Assert.Equal(12, answer.Usage!.OutputTokenCount));
        Assert.All(answers, answer => Assert.Equal(ChatFinishReason.Length, answer.FinishReason));
    }

    [Fact]
    public async Task It_shows_what_is_wrong_with_a_request()
    {
        await using var port = await ServedPort.StartAsync();
        using var client = CreateClient(port, "nobody");
        var error = await Assert.ThrowsAsync<ClientResultException>(() => client.GetResponseAsync(Text, null, Stop));
        Assert.Equal(404, error.Status);
        Assert.Contains("nobody", error.Message);
    }

    [Fact]
    public async Task Breaking_off_a_stream_frees_its_rows()
    {
        await using var port = await ServedPort.StartAsync(serving: new ServingOptions { MaxRows = 2 });
        using var client = CreateClient(port, "ada");
        await foreach (var update in client.GetStreamingResponseAsync(Text, null, Stop))
        {
            break;
        }

        // There is room for one answer alone.
        using var other = CreateClient(port, "bob");
        var response = await other.GetResponseAsync(Text, new ChatOptions { MaxOutputTokens = 3 }, Stop);
        Assert.Equal(Expected(port, "bob", 3), response.Text);
    }
}
