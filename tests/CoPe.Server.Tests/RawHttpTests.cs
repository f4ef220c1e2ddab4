using System.Net;
using System.Text.Json;
using CoPe.Tests.Serving;

namespace CoPe.Server.Tests;

[Collection("torch")]
public sealed class RawHttpTests
{
    const string Text = "Write a headline about the river";

    /// <summary>What stands for MESSAGE in bodies.</summary>
    const string Message = """[{"role":"user","content":"x"}]""";

    static readonly object[] Messages = [new { role = "user", content = Text }];

    static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_stream_has_the_chunks_that_clients_expect()
    {
        await using var port = await ServedPort.StartAsync();
        var body = new
        {
            model = "ada",
            messages = Messages,
            max_tokens = 6,
            stream = true,
            stream_options = new { include_usage = true },
        };
        var chunks = await port.StreamAsync("/v1/chat/completions", body);
        Assert.Single(chunks.Select(chunk => chunk.GetProperty("id").GetString()).Distinct());
        Assert.All(chunks, chunk => Assert.Equal("chat.completion.chunk", chunk.GetProperty("object").GetString()));
        Assert.Equal("assistant", DeltaOf(chunks[0]).GetProperty("role").GetString());
        Assert.Equal("length", chunks[^2].GetProperty("choices")[0].GetProperty("finish_reason").GetString());
        Assert.Equal(0, chunks[^1].GetProperty("choices").GetArrayLength());
        Assert.Equal(6, chunks[^1].GetProperty("usage").GetProperty("completion_tokens").GetInt32());
        var text = string.Concat(chunks[1..^2].Select(chunk => DeltaOf(chunk).GetProperty("content").GetString()));
        var whole = await port.AskAsync(
            "/v1/chat/completions",
            new
            {
                model = "ada",
                messages = Messages,
                max_tokens = 6,
            }
        );
        Assert.Equal(ContentOf(whole, 0), text);

        static JsonElement DeltaOf(JsonElement chunk) => chunk.GetProperty("choices")[0].GetProperty("delta");
    }

    static string? ContentOf(JsonElement whole, int choice) =>
        whole.GetProperty("choices")[choice].GetProperty("message").GetProperty("content").GetString();

    [Fact]
    public async Task Several_choices_differ_and_the_same_seed_gives_the_same()
    {
        await using var port = await ServedPort.StartAsync();
        var body = new
        {
            model = "ada",
            messages = Messages,
            n = 3,
            seed = 5,
            temperature = 1,
            max_completion_tokens = 8,
        };
        var first = await port.AskAsync("/v1/chat/completions", body);
        var second = await port.AskAsync("/v1/chat/completions", body);
        string?[] texts = [.. Enumerable.Range(0, 3).Select(choice => ContentOf(first, choice))];
        Assert.Equal(3, texts.Distinct().Count());
        Assert.Equal(texts, Enumerable.Range(0, 3).Select(choice => ContentOf(second, choice)));
    }

    [Fact]
    public async Task Log_probabilities_name_the_implicit_reward_of_each_token()
    {
        await using var port = await ServedPort.StartAsync();
        var body = new
        {
            model = "ada",
            messages = Messages,
            max_tokens = 4,
            logprobs = true,
            top_logprobs = 2,
        };
        var whole = await port.AskAsync("/v1/chat/completions", body);
        var entries = whole.GetProperty("choices")[0].GetProperty("logprobs").GetProperty("content").EnumerateArray();
        Assert.Equal(4, entries.Count());
        Assert.All(
            entries,
            entry =>
            {
                Assert.True(entry.GetProperty("logprob").GetSingle() <= 0);
                Assert.Equal(2, entry.GetProperty("top_logprobs").GetArrayLength());
                Assert.Equal(JsonValueKind.Number, entry.GetProperty("implicit_reward").ValueKind);
            }
        );
    }

    [Fact]
    public async Task Contrast_is_the_requests_own()
    {
        await using var port = await ServedPort.StartAsync();
        var served = port.Served;
        foreach (var contrast in (double[])[0, .9])
        {
            var request = served.CreateRequest("ada", Text, tokens: 12);
            request = request with { Options = request.Options with { Contrast = contrast } };
            var body = new
            {
                model = "ada",
                messages = Messages,
                max_tokens = 12,
                contrast,
            };
            var answer = await port.AskAsync("/v1/chat/completions", body);
            Assert.Equal(served.Encoder.DecodeResponse(served.AnswerAlone(request)), ContentOf(answer, 0));
        }
    }

    [Fact]
    public async Task The_requests_of_lm_evaluation_harness_are_answered()
    {
        await using var port = await ServedPort.StartAsync();
        int[][] prompts =
        [
            [66, 79, 89, 10],
            [66, 79],
        ];
        var body = new
        {
            model = "ada",
            prompt = prompts,
            temperature = 0,
            max_tokens = 1,
            logprobs = 1,
            seed = 1234,
            echo = true,
        };
        var answer = await port.AskAsync("/v1/completions", body);
        foreach (var (index, choice) in answer.GetProperty("choices").EnumerateArray().Index())
        {
            Assert.Equal(index, choice.GetProperty("index").GetInt32());
            var logProbs = choice.GetProperty("logprobs");
            var values = logProbs.GetProperty("token_logprobs").EnumerateArray().ToList();
            Assert.Equal(prompts[index].Length + 1, values.Count);
            Assert.Equal(JsonValueKind.Null, values[0].ValueKind);
            Assert.All(values.Skip(1), value => Assert.True(value.GetSingle() <= 0));
            Assert.Equal(values.Count, logProbs.GetProperty("top_logprobs").GetArrayLength());
            Assert.Equal(values.Count, logProbs.GetProperty("tokens").GetArrayLength());
        }
    }

    [Fact]
    public async Task A_response_is_given_whole_and_event_by_event()
    {
        await using var port = await ServedPort.StartAsync();
        var whole = await port.AskAsync(
            "/v1/responses",
            new
            {
                model = "ada",
                input = Text,
                max_output_tokens = 6,
            }
        );
        var text = whole.GetProperty("output")[0].GetProperty("content")[0].GetProperty("text").GetString();
        Assert.Equal("incomplete", whole.GetProperty("status").GetString());
        var events = await port.StreamAsync(
            "/v1/responses",
            new
            {
                model = "ada",
                input = Messages,
                max_output_tokens = 6,
                stream = true,
            }
        );
        var types = events.Select(one => one.GetProperty("type").GetString()).ToList();
        Assert.Equal(("response.created", "response.incomplete"), (types[0], types[^1]));
        Assert.Equal(
            Enumerable.Range(0, events.Count),
            events.Select(one => one.GetProperty("sequence_number").GetInt32())
        );
        var deltas = events.Where(one => one.GetProperty("type").GetString() == "response.output_text.delta");
        Assert.Equal(text, string.Concat(deltas.Select(one => one.GetProperty("delta").GetString())));
    }

    [Fact]
    public async Task Models_name_every_user_with_parent_state_and_revision()
    {
        await using var port = await ServedPort.StartAsync();
        await port.AskAsync(
            "/v1/chat/completions",
            new
            {
                model = "ada",
                messages = Messages,
                max_tokens = 1,
            }
        );
        var models = (await ServedPort.ReadAsync(await port.GetAsync("/v1/models"))).GetProperty("data");
        var found = models
            .EnumerateArray()
            .Select(model => (model.GetProperty("id").GetString(), model.GetProperty("state").GetString()));
        Assert.Equal([(":base", "resident"), ("ada", "resident"), ("bob", "on_disk"), (":tam", "resident")], found);
        var ada = await ServedPort.ReadAsync(await port.GetAsync("/v1/models/ada"));
        Assert.Equal(":tam", ada.GetProperty("parent").GetString());
        Assert.Equal(16, ada.GetProperty("revision").GetString()!.Length);
        Assert.Equal(HttpStatusCode.NotFound, (await port.GetAsync("/v1/models/nobody")).StatusCode);
    }

    [Fact]
    public async Task Texts_become_tokens_and_tokens_texts()
    {
        await using var port = await ServedPort.StartAsync();
        var tokens = await port.AskAsync("/tokenize", new { prompt = "the river" });
        var text = await port.AskAsync("/detokenize", new { tokens = tokens.GetProperty("tokens") });
        Assert.Contains("the river", text.GetProperty("prompt").GetString());
        var chat = await port.AskAsync("/tokenize", new { messages = Messages });
        Assert.Equal(
            port.Served.CreateRequest("ada", Text).Prompt,
            chat.GetProperty("tokens").EnumerateArray().Select(id => id.GetInt32())
        );
    }

    public static TheoryData<string, string?> WrongBodies =>
        new()
        {
            { """{"model":"ada"}""", "messages" },
            { """{"messages":MESSAGE}""", "model" },
            { """{"model":"ada","messages":[{"role":"tool","content":"x"}]}""", "messages[0].role" },
            {
                """{"model":"ada","messages":[{"role":"user","content":[{"type":"image_url"}]}]}""",
                "messages[0].content"
            },
            { """{"model":"ada","messages":MESSAGE,"tools":[{"type":"function"}]}""", "tools" },
            { """{"model":"ada","messages":MESSAGE,"temperature":"hot"}""", "temperature" },
            { """{"model":"ada","messages":MESSAGE,"top_p":7}""", "top_p" },
            { """{"model":"ada","messages":MESSAGE,"contrast":-1}""", "contrast" },
            { """{"model":"ada","messages":MESSAGE,"n":1000}""", "n" },
            { """{"model":"ada","messages":MESSAGE,"top_logprobs":2}""", "top_logprobs" },
            { """{"model":"ada","messages":MESSAGE,"ignore_eos":true}""", "ignore_eos" },
            { """{"model":"ada","messages":MESSAGE,"response_format":{"type":"json_object"}}""", "response_format" },
            { "{", null },
            { "[]", null },
            { """{"model":"ada","model":"bob"}""", null },
        };

    [Theory]
    [MemberData(nameof(WrongBodies))]
    public async Task What_is_wrong_or_cannot_be_done_is_named(string body, string? param)
    {
        await using var port = await ServedPort.StartAsync();
        using var response = await port.PostTextAsync("/v1/chat/completions", body.Replace("MESSAGE", Message));
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        var error = (await ServedPort.ReadAsync(response)).GetProperty("error");
        Assert.Equal("invalid_request_error", error.GetProperty("type").GetString());
        Assert.Equal(param, error.GetProperty("param").GetString());
    }

    [Fact]
    public async Task Pages_of_other_sites_are_refused()
    {
        await using var port = await ServedPort.StartAsync();
        foreach (
            var (name, value) in ((string, string)[])[("Origin", "https://evil.example"), ("Host", "evil.example")]
        )
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, "/v1/models");
            request.Headers.TryAddWithoutValidation(name, value);
            using var response = await port.Http.SendAsync(request, Stop);
            Assert.Equal(HttpStatusCode.Forbidden, response.StatusCode);
        }
    }

    [Fact]
    public async Task A_key_may_ask_the_models_that_it_is_bound_to()
    {
        using var folder = new CoPe.Testing.TemporaryFolder();
        var file = folder.At("keys.json");
        var store = new ApiKeyStore(file, TimeProvider.System);
        var (key, secret) = store.Add(["ada"]);
        Assert.DoesNotContain(secret, File.ReadAllText(file));
        await using var port = await ServedPort.StartAsync(new ServerOptions { KeyFile = file });
        var body = new
        {
            model = "ada",
            messages = Messages,
            max_tokens = 1,
        };
        Assert.Equal(HttpStatusCode.Unauthorized, (await port.PostAsync("/v1/chat/completions", body)).StatusCode);
        Assert.Equal(HttpStatusCode.Unauthorized, (await port.GetAsync("/metrics", "cope-other")).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await port.GetAsync("/health/live")).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await port.PostAsync("/v1/chat/completions", body, secret)).StatusCode);
        var other = new { model = "bob", messages = Messages };
        Assert.Equal(
            HttpStatusCode.Forbidden,
            (await port.PostAsync("/v1/chat/completions", other, secret)).StatusCode
        );
        var models = (await ServedPort.ReadAsync(await port.GetAsync("/v1/models", secret))).GetProperty("data");
        Assert.Equal("ada", Assert.Single(models.EnumerateArray()).GetProperty("id").GetString());
        Assert.True(new ApiKeyStore(file, TimeProvider.System).Revoke(key.Id));
        store.Add(null);
        Assert.Equal(HttpStatusCode.Unauthorized, (await port.GetAsync("/v1/models", secret)).StatusCode);
    }

    [Fact]
    public async Task Another_address_than_a_loopback_one_demands_keys()
    {
        await Assert.ThrowsAsync<ArgumentException>(() => ServedPort.StartAsync(host: "0.0.0.0"));
    }

    [Fact]
    public async Task Metrics_count_in_prometheus_format_and_nothing_holds_a_text()
    {
        await using var port = await ServedPort.StartAsync();
        await port.AskAsync(
            "/v1/chat/completions",
            new
            {
                model = "ada",
                messages = Messages,
                max_tokens = 3,
            }
        );
        Assert.Equal("ready\n", await port.Http.GetStringAsync("/health/ready", Stop));
        var metrics = await port.Http.GetStringAsync("/metrics", Stop);
        Assert.Contains("\ncope_requests_total{outcome=\"length\"} 1\n", metrics);
        Assert.Contains("\ncope_generation_tokens_total 3\n", metrics);
        Assert.Contains("\ncope_gen_ai_server_time_to_first_token_seconds_count 1\n", metrics);
        Assert.NotEmpty(port.Log.Texts);
        Assert.DoesNotContain(port.Log.Texts, text => text.Contains("river", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_stopping_server_ends_its_answers_and_takes_no_more()
    {
        await using var port = await ServedPort.StartAsync();
        var body = new
        {
            model = "ada",
            messages = Messages,
            max_tokens = 60,
        };
        var asked = port.PostAsync("/v1/chat/completions", body);
        await ServedAnswers.WaitUntil(() => Running(port) == 1);
        var stopping = port.Server.StopAsync();
        using var answer = await asked;
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        await stopping;
        await Assert.ThrowsAsync<HttpRequestException>(() => port.PostAsync("/v1/chat/completions", body));

        static int Running(ServedPort port) => port.Server.Engine.Counts.Running;
    }

    [Fact]
    public async Task A_bad_adapter_is_told_without_the_servers_paths()
    {
        await using var port = await ServedPort.StartAsync();
        File.Delete(Path.Combine(port.Served.FolderOf("ada"), "adapter_config.json"));
        using var response = await port.PostAsync("/v1/chat/completions", new { model = "ada", messages = Messages });
        Assert.Equal(HttpStatusCode.ServiceUnavailable, response.StatusCode);
        var text = await response.Content.ReadAsStringAsync(Stop);
        Assert.Contains("adapter_unavailable", text);
        Assert.DoesNotContain(port.Served.Users, text);
    }
}
