using System.Text.Json;

namespace CoPe.Server.Tests;

/// <summary>What each token says beyond OpenAI's fields.</summary>
[Collection("torch")]
public sealed class TokenFieldsTests
{
    [Fact]
    public async Task An_alternative_that_is_the_token_itself_has_its_implicit_reward()
    {
        await using var port = await ServedPort.StartAsync();
        var tokens = await AskAsync(port, "ada", contrast: 0, unlessCertain: 1);
        Assert.All(
            tokens,
            token =>
            {
                // Without contrast the likeliest token is the one that is taken.
                var likeliest = token.GetProperty("top_logprobs")[0];
                Assert.Equal(token.GetProperty("token").GetString(), likeliest.GetProperty("token").GetString());
                Assert.Equal(RewardOf(token), RewardOf(likeliest), 1e-5);
                var others = token.GetProperty("top_logprobs").EnumerateArray().Select(RewardOf);
                Assert.Equal(3, others.Distinct().Count());
                Assert.False(token.GetProperty("without_contrast").GetBoolean());
            }
        );

        static double RewardOf(JsonElement entry) => entry.GetProperty("implicit_reward").GetDouble();
    }

    [Theory]
    [InlineData(0, true)]
    [InlineData(1, false)]
    public async Task A_token_says_whether_the_contrast_was_left_out(double unlessCertain, bool expected)
    {
        await using var port = await ServedPort.StartAsync();
        var tokens = await AskAsync(port, "ada", contrast: .5, unlessCertain);
        Assert.All(tokens, token => Assert.Equal(expected, token.GetProperty("without_contrast").GetBoolean()));
    }

    [Fact]
    public async Task A_model_without_a_users_adapter_has_neither()
    {
        await using var port = await ServedPort.StartAsync();
        var tokens = await AskAsync(port, ":tam", contrast: .5, unlessCertain: 0);
        Assert.All(tokens, token => Assert.False(token.TryGetProperty("implicit_reward", out _)));
        Assert.All(tokens, token => Assert.False(token.TryGetProperty("without_contrast", out _)));
    }

    static async Task<List<JsonElement>> AskAsync(ServedPort port, string model, double contrast, double unlessCertain)
    {
        var body = new
        {
            model,
            messages = new[] { new { role = "user", content = "Write a headline about the river" } },
            max_tokens = 6,
            logprobs = true,
            top_logprobs = 3,
            contrast,
            contrast_unless_certain = unlessCertain,
        };
        var whole = await port.AskAsync("/v1/chat/completions", body);
        var tokens = whole.GetProperty("choices")[0].GetProperty("logprobs").GetProperty("content");
        Assert.Equal(6, tokens.GetArrayLength());
        return [.. tokens.EnumerateArray()];
    }
}
