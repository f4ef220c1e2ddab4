using System.Diagnostics;
using System.Diagnostics.Metrics;
using CoPe.Decoding;
using CoPe.Serving;
using CoPe.Testing;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace CoPe.Tests.Serving;

[Collection("torch")]
public sealed class PersonalChatClientTests
{
    const string Text = "Write a headline about the river";

    static CancellationToken Stop => TestContext.Current.CancellationToken;

    /// <summary>The answer of the decoding engine to the same conversation.</summary>
    static string AnswerAlone(ServedModel served, ServingRequest request) =>
        served.Encoder.DecodeResponse(served.AnswerAlone(request));

    [Fact]
    public async Task A_client_answers_as_the_decoding_engine_does_and_counts_its_tokens()
    {
        using var served = new ServedModel("ada", "bob");
        await using var engine = served.Serve();
        using var client = engine.AsChatClient("ada");
        var response = await client.GetResponseAsync(Text, new ChatOptions { MaxOutputTokens = 9 }, Stop);
        var request = served.CreateRequest("ada", Text, tokens: 9);
        Assert.Equal(AnswerAlone(served, request), response.Text);
        Assert.Equal(("ada", ChatRole.Assistant), (response.ModelId, response.Messages.Single().Role));
        Assert.Equal(ChatFinishReason.Length, response.FinishReason);
        Assert.Equal(request.Prompt.Count, response.Usage!.InputTokenCount);
        Assert.Equal(9, response.Usage.OutputTokenCount);
        Assert.Equal(request.Prompt.Count + 9, response.Usage.TotalTokenCount);
        Assert.NotNull(response.CreatedAt);
        Assert.NotNull(response.ResponseId);
    }

    [Fact]
    public async Task Every_option_reaches_the_decoding()
    {
        using var served = new ServedModel("ada", "bob");
        await using var engine = served.Serve();
        using var client = engine.AsChatClient("ada");
        var options = new ChatOptions
        {
            ModelId = "bob",
            Instructions = "Be short",
            Temperature = .75f,
            TopP = .75f,
            TopK = 30,
            MaxOutputTokens = 20,
            Seed = 12,
            FrequencyPenalty = .5f,
            PresencePenalty = .25f,
            StopSequences = ["e"],
            ResponseFormat = ChatResponseFormat.Text,
            AdditionalProperties = new()
            {
                ["contrast"] = .5,
                ["plausibility"] = .25f,
                ["contrast_unless_certain"] = 1,
                ["repetition_penalty"] = 1.5,
            },
        };
        var request = ChatRequest.Create(engine, [new(ChatRole.User, Text)], options, "ada");
        var prompt = served.Encoder.EncodePrompt([new("system", "Be short"), new("user", Text)]);
        Assert.Equal(prompt, request.Prompt);
        Assert.Equal(("bob", 12), (request.Model, request.Seed));
        var expected = new DecodingOptions
        {
            MaxNewTokens = 20,
            DoSample = true,
            Temperature = .75,
            TopP = .75,
            TopK = 30,
            FrequencyPenalty = .5,
            PresencePenalty = .25,
            StopStrings = request.Options.StopStrings,
            Contrast = .5,
            Plausibility = .25,
            ContrastUnlessCertain = 1,
            RepetitionPenalty = 1.5,
        };
        Assert.Equal(expected, request.Options);
        Assert.Equal(["e"], request.Options.StopStrings);
        var response = await client.GetResponseAsync(Text, options, Stop);
        Assert.Equal(AnswerAlone(served, request).Split('e')[0], response.Text);
        Assert.Equal(ChatFinishReason.Stop, response.FinishReason);
    }

    [Fact]
    public void What_is_not_given_cuts_nothing_and_a_seed_is_drawn()
    {
        using var served = new ServedModel("ada");
        using var engine = served.Serve();
        ServingRequest Create(ChatOptions? options) =>
            ChatRequest.Create(engine, [new(ChatRole.User, Text)], options, "ada");

        var plain = Create(null);
        Assert.False(plain.Options.DoSample);
        Assert.Equal(served.Model.Config.MaxPositions - plain.Prompt.Count, plain.Options.MaxNewTokens);
        Assert.NotEqual(plain.Seed, Create(null).Seed);
        Assert.False(Create(new() { Temperature = 0 }).Options.DoSample);
        var drawn = Create(new() { TopP = .5f }).Options;
        Assert.Equal((true, 1, 0), (drawn.DoSample, drawn.Temperature, drawn.TopK));
        var named = new ChatOptions
        {
            ModelId = "bob",
            AdditionalProperties = new() { ["user"] = "cleo" },
        };
        Assert.Equal("cleo", Create(named).Model);
    }

    public static TheoryData<ChatOptions> Unsupported =>
        [
            new ChatOptions { Tools = [AIFunctionFactory.Create(() => 1, "one")] },
            new ChatOptions { ResponseFormat = ChatResponseFormat.Json },
            new ChatOptions { ConversationId = "1" },
        ];

    [Theory]
    [MemberData(nameof(Unsupported))]
    public async Task What_cannot_be_done_is_refused(ChatOptions options)
    {
        using var served = new ServedModel("ada");
        await using var engine = served.Serve();
        using var client = engine.AsChatClient("ada");
        await Assert.ThrowsAsync<NotSupportedException>(() => client.GetResponseAsync(Text, options, Stop));
    }

    [Fact]
    public async Task A_property_or_a_message_that_nobody_knows_is_an_error()
    {
        using var served = new ServedModel("ada");
        await using var engine = served.Serve();
        using var client = engine.AsChatClient("ada");
        var options = new ChatOptions { AdditionalProperties = new() { ["contrst"] = 1 } };
        var unknown = await Assert.ThrowsAsync<ArgumentException>(() => client.GetResponseAsync(Text, options, Stop));
        Assert.Contains("'contrst'", unknown.Message);
        var image = new Microsoft.Extensions.AI.ChatMessage(
            ChatRole.User,
            [new DataContent(new byte[] { 1 }, "image/png")]
        );
        await Assert.ThrowsAsync<NotSupportedException>(() => client.GetResponseAsync([image], null, Stop));
    }

    [Fact]
    public async Task Penalties_and_biases_change_what_is_chosen()
    {
        using var served = new ServedModel("ada");
        await using var engine = served.Serve();
        var plain = served.CreateRequest("ada", Text, tokens: 40);
        var ids = await engine.AnswerIdsAsync(plain);
        Assert.True(ids.Length > ids.Distinct().Count());
        var penalized = plain with { Options = plain.Options with { FrequencyPenalty = 2, PresencePenalty = 2 } };
        var other = await engine.AnswerIdsAsync(penalized);
        Assert.True(other.Length - other.Distinct().Count() < ids.Length - ids.Distinct().Count());
        var biased = plain with
        {
            Options = plain.Options with
            {
                LogitBias = new Dictionary<int, double> { [ids[0]] = -100, [77] = 100 },
            },
        };
        Assert.All(await engine.AnswerIdsAsync(biased), id => Assert.Equal(77, id));
    }

    [Fact]
    public async Task Services_give_the_engine_and_clients_of_users()
    {
        using var served = new ServedModel("ada", "bob");
        var services = new ServiceCollection();
        services.AddCoPe(options =>
        {
            options.ModelFolder = ServedModel.ModelFolder;
            options.Catalog = served.Catalog;
            options.Serving = new ServingOptions { MaxRows = 8 };
        });
        services.AddPersonalChatClient("ada").AddPersonalChatClient("bob", serviceKey: "b");
        await using var provider = services.BuildServiceProvider();
        var ada = provider.GetRequiredService<IChatClient>();
        var bob = provider.GetRequiredKeyedService<IChatClient>("b");
        Assert.Equal("ada", ada.GetService<ChatClientMetadata>()!.DefaultModelId);
        Assert.Same(provider.GetRequiredService<ServingEngine>(), bob.GetService<ServingEngine>());
        Assert.Null(bob.GetService(typeof(IChatClient), "key"));
        var options = new ChatOptions { MaxOutputTokens = 6 };
        var answers = await Task.WhenAll(ada.GetResponseAsync(Text, options), bob.GetResponseAsync(Text, options));
        Assert.Equal(["ada", "bob"], answers.Select(answer => answer.ModelId));
    }

    [Fact]
    public void Services_without_a_model_or_users_are_refused()
    {
        var services = new ServiceCollection();
        Assert.Throws<ArgumentException>(() => services.AddCoPe(_ => { }));
        Assert.Throws<ArgumentException>(() => services.AddCoPe(options => options.ModelFolder = "models/cope-tiny"));
    }

    [Fact]
    public async Task Logs_metrics_and_traces_count_and_hold_no_text()
    {
        using var served = new ServedModel("ada");
        var logger = new RecordingLogger();
        using var loggers = new Loggers(logger);
        var measured = new Dictionary<string, double>();
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, all) =>
            {
                if (instrument.Meter.Name == ServingTelemetry.Name)
                {
                    all.EnableMeasurementEvents(instrument);
                }
            },
        };
        listener.SetMeasurementEventCallback<int>((instrument, value, _, _) => Add(instrument.Name, value));
        listener.SetMeasurementEventCallback<long>((instrument, value, _, _) => Add(instrument.Name, value));
        listener.SetMeasurementEventCallback<double>((instrument, value, _, _) => Add(instrument.Name, value));
        listener.Start();
        var spans = new List<string>();
        using var tracing = new ActivityListener
        {
            ShouldListenTo = source => source.Name == ServingTelemetry.Name,
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllData,
            ActivityStopped = span =>
                spans.Add(string.Join(' ', span.TagObjects.Select(tag => $"{tag.Key}={tag.Value}"))),
        };
        ActivitySource.AddActivityListener(tracing);
        await using (var engine = new ServingEngine(served.Model, served.Encoder, served.Catalog, null, loggers))
        {
            var request = served.CreateRequest("ada", Text, tokens: 5);
            await engine.AnswerAsync(request);
            await Assert.ThrowsAsync<ServingException>(() => engine.AnswerAsync(request with { Model = "nobody" }));
            await ServedAnswers.WaitUntil(() => measured.GetValueOrDefault("cope.requests") == 1);
            Assert.Equal(request.Prompt.Count, measured["cope.prompt_tokens"]);
            Assert.Equal(5, measured["cope.generation_tokens"]);
            Assert.True(measured["gen_ai.server.time_to_first_token"] > 0);
            listener.RecordObservableInstruments();
            Assert.Equal(2, measured["cope.adapters_resident"]);
        }

        Assert.Contains(spans, span => span.Contains("gen_ai.usage.output_tokens=5", StringComparison.Ordinal));
        Assert.NotEmpty(logger.Texts);
        Assert.DoesNotContain(logger.Texts.Concat(spans), text => text.Contains("river", StringComparison.Ordinal));

        void Add(string name, double value)
        {
            lock (measured)
            {
                measured[name] = measured.GetValueOrDefault(name) + value;
            }
        }
    }

    sealed class Loggers(ILogger logger) : ILoggerFactory
    {
        public void AddProvider(ILoggerProvider provider) { }

        public ILogger CreateLogger(string categoryName) => logger;

        public void Dispose() { }
    }
}
