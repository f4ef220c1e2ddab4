using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text.Json;

namespace CoPe.Cli.Tests.Verbs;

[Collection("torch")]
public sealed class ServeVerbTests(TinyRunFixture fixture) : IClassFixture<TinyRunFixture>
{
    const string Text = "A new bridge";

    static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_runs_users_are_served_as_cope_write_answers_until_the_server_is_stopped()
    {
        Assert.Equal(0, fixture.RunCommand(Stop, "write", "undisturbed", Text, "--user", "1", "--words", "off"));
        var expected = fixture.Output.Trim();
        var port = FindFreePort();
        using var stopping = new CancellationTokenSource();
        string[] command = ["serve", "--run", "undisturbed", "--port", $"{port}", "--keys", "keys.json"];
        var serving = Task.Run(() => fixture.RunCommand(stopping.Token, command), Stop);
        using var http = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{port}") };
        while (!await IsReady(http))
        {
            Assert.False(serving.IsCompleted, fixture.Error);
            await Task.Delay(20, Stop);
        }

        foreach (var model in (string[])["1", "undisturbed:1"])
        {
            Assert.Equal(expected, (await AskAsync(http, model)).Trim());
        }

        var models = await http.GetStringAsync("/v1/models", Stop);
        var names = JsonDocument
            .Parse(models)
            .RootElement.GetProperty("data")
            .EnumerateArray()
            .Select(model => (model.GetProperty("id").GetString(), model.GetProperty("parent").GetString()));
        Assert.Equal(
            [("base", null), ("undisturbed:tam", "base"), ("1", "undisturbed:tam"), ("2", "undisturbed:tam")],
            names
        );
        foreach (var name in (string[])["3", "../undisturbed", "undisturbed:", "other:1", "undisturbed:../dpo/1"])
        {
            using var refused = await PostAsync(http, name);
            Assert.Equal(HttpStatusCode.NotFound, refused.StatusCode);
        }

        await stopping.CancelAsync();
        Assert.Equal(0, await serving);
    }

    [Fact]
    public void Keys_are_shown_once_and_listed_without_their_secret()
    {
        string[] key = ["serve", "key"];
        Assert.Equal(0, fixture.RunCommand(Stop, [.. key, "add", "--user", "ada", "--keys", "own.json"]));
        var secret = fixture.Output.Trim();
        Assert.StartsWith("cope-", secret);
        Assert.Equal(0, fixture.RunCommand(Stop, [.. key, "ls", "--keys", "own.json"]));
        Assert.Contains("ada", fixture.Output);
        Assert.DoesNotContain(secret, fixture.Output);
        var id = fixture.Output.Split(' ')[0];
        Assert.Equal(0, fixture.RunCommand(Stop, [.. key, "revoke", id, "--keys", "own.json"]));
        Assert.Equal(2, fixture.RunCommand(Stop, [.. key, "revoke", id, "--keys", "own.json"]));
        Assert.Equal(2, fixture.RunCommand(Stop, [.. key, "add", "--keys", "own.json"]));
    }

    [Fact]
    public void A_server_needs_a_run_and_beyond_this_machine_a_key()
    {
        Assert.Equal(2, fixture.RunCommand(Stop, "serve"));
        string[] open = ["serve", "--run", "undisturbed", "--host", "0.0.0.0", "--keys", "none.json"];
        Assert.Equal(1, fixture.RunCommand(Stop, open));
        Assert.Contains("cope serve key add", fixture.Error);
    }

    static async Task<bool> IsReady(HttpClient http)
    {
        try
        {
            return (await http.GetAsync("/health/ready", Stop)).IsSuccessStatusCode;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }

    static Task<HttpResponseMessage> PostAsync(HttpClient http, string model) =>
        http.PostAsJsonAsync(
            "/v1/chat/completions",
            new
            {
                model,
                messages = new[] { new { role = "user", content = Text } },
                max_tokens = 5,
            },
            Stop
        );

    static async Task<string> AskAsync(HttpClient http, string model)
    {
        using var response = await PostAsync(http, model);
        var text = await response.Content.ReadAsStringAsync(Stop);
        Assert.True(response.IsSuccessStatusCode, text);
        return JsonDocument
            .Parse(text)
            .RootElement.GetProperty("choices")[0]
            .GetProperty("message")
            .GetProperty("content")
            .GetString()!;
    }

    static int FindFreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
