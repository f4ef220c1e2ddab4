using System.Text.Json;
using System.Text.Json.Nodes;
using CoPe.Scoring;
using CoPe.Serving;
using Microsoft.AspNetCore.Http;

namespace CoPe.Server;

/// <summary><c>POST /v1/completions</c>: prompts as texts or as token ids, continued as they are.</summary>
static class Completions
{
    const int MostAlternatives = 20;
    const int DefaultTokens = 16;

    public static async Task HandleAsync(HttpContext context, ApiServer api)
    {
        var fields = await ApiFields.ReadAsync(context).ConfigureAwait(false);
        var generation = GenerationFields.Read(fields, api.Options);
        var client = ApiServer.Authorize(context, generation.Model, fields.FindString("user"));
        var prompts = ReadPrompts(fields, api);
        var alternatives = (int?)fields.FindInteger("logprobs", 0, MostAlternatives);
        var isEchoed = fields.FindFlag("echo");
        var generates = fields.FindInteger("max_tokens", 0, int.MaxValue) is not 0;
        fields.RefuseUnread();
        if (generation.Streams && (isEchoed || prompts.Count > 1 || generation.Choices > 1 || !generates))
        {
            throw ApiException.Invalid("A stream is one answer to one prompt, without echo.", "stream");
        }

        if (!generation.LimitsTokens)
        {
            var most = Math.Min(DefaultTokens, api.Options.MaxAnswerTokens);
            generation = generation with { Options = generation.Options with { MaxNewTokens = most } };
        }

        var requests = prompts
            .SelectMany(prompt =>
                Enumerable
                    .Range(0, generation.Choices)
                    .Select(choice => generation.CreateRequest(prompt, choice, alternatives, client))
            )
            .ToList();
        var reply = new CompletionReply(api, generation, isEchoed, alternatives);
        if (generation.Streams)
        {
            await reply.StreamAsync(context, requests[0]).ConfigureAwait(false);
            return;
        }

        var answers = generates
            ? await Choices.CollectAsync(api.Engine, requests, context.RequestAborted).ConfigureAwait(false)
            : [.. requests.Select(_ => new List<ServedToken>())];
        await context
            .WriteJsonAsync(
                await reply.CreateWholeAsync(requests, answers, context.RequestAborted).ConfigureAwait(false)
            )
            .ConfigureAwait(false);
    }

    static List<int[]> ReadPrompts(ApiFields fields, ApiServer api)
    {
        var expected = $"a text, a list of token ids, or a list of up to {api.Options.MaxPrompts} of either";
        var prompt = fields.Find("prompt") ?? throw fields.Wrong("prompt", expected);
        var isList = prompt.ValueKind == JsonValueKind.Array;
        var isOneOfIds = isList && prompt.GetArrayLength() > 0 && prompt[0].ValueKind == JsonValueKind.Number;
        JsonElement[] all = isList && !isOneOfIds ? [.. prompt.EnumerateArray()] : [prompt];
        return all.Length >= 1 && all.Length <= api.Options.MaxPrompts
            ? [.. all.Select(ReadPrompt)]
            : throw fields.Wrong("prompt", expected);

        int[] ReadPrompt(JsonElement one) =>
            one.ValueKind switch
            {
                JsonValueKind.String => api.Engine.Encoder.Tokenizer.Encode(one.GetString()!),
                JsonValueKind.Array when one.EnumerateArray().All(IsId) =>
                [
                    .. one.EnumerateArray().Select(id => id.GetInt32()),
                ],
                _ => throw fields.Wrong("prompt", expected),
            };

        static bool IsId(JsonElement id) => id.ValueKind == JsonValueKind.Number && id.TryGetInt32(out _);
    }
}

/// <summary>The answers to a completions request.</summary>
sealed class CompletionReply(ApiServer api, GenerationFields generation, bool isEchoed, int? alternatives)
{
    readonly string _id = ApiServer.CreateId("cmpl");
    readonly long _created = api.Now;
    readonly TokenLogProbs _texts = new(api.Engine.Encoder.Tokenizer);

    public async Task<JsonObject> CreateWholeAsync(
        IReadOnlyList<ServingRequest> requests,
        IReadOnlyList<List<ServedToken>> answers,
        CancellationToken cancellation
    )
    {
        var choices = new JsonArray();
        foreach (var (index, (request, answer)) in requests.Zip(answers).Index())
        {
            var tokens = new List<ScoredToken>();
            if (isEchoed && alternatives is not null)
            {
                tokens.AddRange(await ScorePromptAsync(request, cancellation).ConfigureAwait(false));
            }

            tokens.AddRange(answer.Select(token => new ScoredToken(token.Id, token.LogProb, token.Alternatives)));
            var text = Choices.TextOf(answer);
            var echo = isEchoed ? api.Engine.Encoder.Tokenizer.Decode(request.Prompt, skipSpecialTokens: false) : "";
            choices.Add(CreateChoice(index, echo + text, tokens, answer.Count == 0 ? "length" : FinishOf(answer)));
        }

        var whole = CreateHead();
        whole["choices"] = choices;
        whole["usage"] = Choices.Usage(
            requests.Chunk(generation.Choices).Sum(ofPrompt => ofPrompt[0].Prompt.Count),
            answers.Sum(answer => answer.Count)
        );
        return whole;
    }

    static string? FinishOf(List<ServedToken> answer) => Choices.FinishReason(answer[^1]);

    JsonObject CreateChoice(int index, string text, IReadOnlyList<ScoredToken> tokens, string? reason) =>
        new()
        {
            ["index"] = index,
            ["text"] = text,
            ["logprobs"] = alternatives is null ? null : CreateLogProbs(tokens),
            ["finish_reason"] = reason,
        };

    /// <summary>Prompt and answer as OpenAI's older API writes them: lists side by side.</summary>
    JsonObject CreateLogProbs(IReadOnlyList<ScoredToken> tokens)
    {
        var (texts, offsets) = (new JsonArray(), new JsonArray());
        var (logProbs, top) = (new JsonArray(), new JsonArray());
        var offset = 0;
        foreach (var token in tokens)
        {
            var text = _texts.TextOf(token.Id);
            texts.Add(text);
            offsets.Add(offset);
            offset += text.Length;
            logProbs.Add(token.LogProb is { } logProb ? TokenLogProbs.Bound(logProb) : null);
            top.Add(token.LogProb is null ? null : CreateAlternatives(token));
        }

        return new()
        {
            ["tokens"] = texts,
            ["token_logprobs"] = logProbs,
            ["top_logprobs"] = top,
            ["text_offset"] = offsets,
        };
    }

    JsonObject CreateAlternatives(ScoredToken token)
    {
        var top = new JsonObject();
        foreach (var one in token.Alternatives)
        {
            top[_texts.TextOf(one.Id)] = TokenLogProbs.Bound(one.LogProb);
        }

        return top;
    }

    /// <summary>The prompt's tokens, each given those before it; nothing is known of the first.</summary>
    async Task<IEnumerable<ScoredToken>> ScorePromptAsync(ServingRequest request, CancellationToken cancellation)
    {
        var first = new ScoredToken(request.Prompt[0], null, []);
        if (request.Prompt.Count == 1)
        {
            return [first];
        }

        int[] rest = [.. request.Prompt.Skip(1)];
        var scores = await api
            .Engine.ScoreAsync(request.Model, [request.Prompt[0]], rest, alternatives!.Value, cancellation)
            .ConfigureAwait(false);
        return rest.Select((id, place) => new ScoredToken(id, scores.LogProbs[place], AlternativesAt(scores, place)))
            .Prepend(first);
    }

    static IReadOnlyList<TokenLogProb> AlternativesAt(ScoredResponse scores, int place) =>
        scores.Alternatives.Count == 0 ? [] : scores.Alternatives[place];

    public async Task StreamAsync(HttpContext context, ServingRequest request)
    {
        var stream = new EventStream(context, api.Options.PingAfter);
        var tokens = api.Engine.GenerateAsync(request, context.RequestAborted);
        var count = 0;
        try
        {
            await foreach (var token in stream.ReadAsync(tokens, context.RequestAborted).ConfigureAwait(false))
            {
                count++;
                var scored = new ScoredToken(token.Id, token.LogProb, token.Alternatives);
                var chunk = CreateHead();
                chunk["choices"] = new JsonArray(CreateChoice(0, token.Text, [scored], Choices.FinishReason(token)));
                await stream.SendAsync(chunk).ConfigureAwait(false);
            }

            if (generation.IncludesUsage)
            {
                var usage = CreateHead();
                usage["choices"] = new JsonArray();
                usage["usage"] = Choices.Usage(request.Prompt.Count, count);
                await stream.SendAsync(usage).ConfigureAwait(false);
            }

            await stream.EndAsync().ConfigureAwait(false);
        }
        catch (Exception error) when (context.Response.HasStarted && error is not OperationCanceledException)
        {
            await stream.FailAsync(api.Explain(error)).ConfigureAwait(false);
        }
    }

    JsonObject CreateHead() =>
        new()
        {
            ["id"] = _id,
            ["object"] = "text_completion",
            ["created"] = _created,
            ["model"] = generation.Model,
        };

    /// <summary>A token of prompt or answer.</summary>
    readonly record struct ScoredToken(int Id, float? LogProb, IReadOnlyList<TokenLogProb> Alternatives);
}
