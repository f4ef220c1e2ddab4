using System.Text.Json;
using System.Text.Json.Nodes;
using CoPe.Chat;
using CoPe.Serving;
using Microsoft.AspNetCore.Http;

namespace CoPe.Server;

/// <summary><c>POST /v1/chat/completions</c>.</summary>
static class ChatCompletions
{
    const int MostAlternatives = 20;

    public static async Task HandleAsync(HttpContext context, ApiServer api)
    {
        var fields = await ApiFields.ReadAsync(context).ConfigureAwait(false);
        var generation = GenerationFields.Read(fields, api.Options);
        var client = ApiServer.Authorize(context, generation.Model, fields.FindString("user"));
        var alternatives = ReadAlternatives(fields);
        var prompt = api.EncodeChat(ReadMessages(fields));
        fields.RefuseUnread();
        var requests = Enumerable
            .Range(0, generation.Choices)
            .Select(choice => generation.CreateRequest(prompt, choice, alternatives, client))
            .ToList();
        var reply = new ChatReply(api, generation, prompt.Length, alternatives is not null);
        if (generation.Streams)
        {
            await reply.StreamAsync(context, requests).ConfigureAwait(false);
        }
        else
        {
            var answers = await Choices
                .CollectAsync(api.Engine, requests, context.RequestAborted)
                .ConfigureAwait(false);
            await context.WriteJsonAsync(reply.CreateWhole(answers)).ConfigureAwait(false);
        }
    }

    static int? ReadAlternatives(ApiFields fields)
    {
        var wants = fields.FindFlag("logprobs");
        var count = fields.FindInteger("top_logprobs", 0, MostAlternatives);
        return wants ? (int)(count ?? 0)
            : count is null ? null
            : throw fields.Wrong("top_logprobs", "it beside \"logprobs\": true");
    }

    static List<ChatMessage> ReadMessages(ApiFields fields)
    {
        var messages = fields.FindList("messages");
        return messages is { Count: > 0 }
            ? [.. messages.Select((message, index) => ChatMessages.Read(message, $"messages[{index}]"))]
            : throw fields.Wrong("messages", "a list with at least one message");
    }
}

/// <summary>Messages of a conversation as clients send them.</summary>
static class ChatMessages
{
    public static ChatMessage Read(JsonElement message, string name)
    {
        var fields = new ApiFields(message, name);
        var role = fields.RequireString("role") switch
        {
            "developer" => "system",
            "system" or "user" or "assistant" => fields.RequireString("role"),
            _ => throw fields.Wrong("role", "system, developer, user or assistant; the models call no tools"),
        };
        fields.Find("name");
        fields.Find("type");
        fields.Find("id");
        fields.Find("status");
        var content = ReadContent(fields);
        fields.RefuseUnread();
        return new(role, content);
    }

    static string ReadContent(ApiFields fields)
    {
        var content = fields.Find("content") ?? throw fields.Wrong("content", "a text, or a list of parts of text");
        if (content.ValueKind == JsonValueKind.String)
        {
            return content.GetString()!;
        }

        return string.Concat(fields.FindList("content")!.Select(ReadPart));

        string ReadPart(JsonElement part)
        {
            var isText =
                part.ValueKind == JsonValueKind.Object
                && part.TryGetProperty("type", out var type)
                && type.ValueKind == JsonValueKind.String
                && type.GetString() is "text" or "input_text" or "output_text"
                && part.TryGetProperty("text", out var text)
                && text.ValueKind == JsonValueKind.String;
            return isText
                ? part.GetProperty("text").GetString()!
                : throw fields.Wrong("content", "parts of text alone");
        }
    }
}

/// <summary>The answers to a chat request, whole or chunk by chunk.</summary>
sealed class ChatReply(ApiServer api, GenerationFields generation, int promptTokens, bool hasLogProbs)
{
    readonly string _id = ApiServer.CreateId("chatcmpl");
    readonly long _created = api.Now;
    readonly TokenLogProbs _logProbs = new(api.Engine.Encoder.Tokenizer);

    public JsonObject CreateWhole(IReadOnlyList<List<ServedToken>> answers)
    {
        var whole = CreateHead("chat.completion");
        whole["choices"] = new JsonArray([.. answers.Select(CreateChoice)]);
        whole["usage"] = Choices.Usage(promptTokens, answers.Sum(answer => answer.Count));
        return whole;
    }

    JsonObject CreateChoice(List<ServedToken> answer, int index) =>
        new()
        {
            ["index"] = index,
            ["message"] = new JsonObject { ["role"] = "assistant", ["content"] = Choices.TextOf(answer) },
            ["logprobs"] = CreateLogProbs(answer),
            ["finish_reason"] = Choices.FinishReason(answer[^1]),
        };

    JsonObject? CreateLogProbs(IEnumerable<ServedToken> tokens) =>
        hasLogProbs ? new() { ["content"] = new JsonArray([.. tokens.Select(_logProbs.Create)]) } : null;

    public async Task StreamAsync(HttpContext context, IReadOnlyList<ServingRequest> requests)
    {
        var stream = new EventStream(context, api.Options.PingAfter);
        var tokens = Choices.GenerateAsync(api.Engine, requests, context.RequestAborted);
        var begun = new HashSet<int>();
        var count = 0;
        try
        {
            await foreach (var one in stream.ReadAsync(tokens, context.RequestAborted).ConfigureAwait(false))
            {
                count++;
                if (begun.Add(one.Choice))
                {
                    var role = new JsonObject { ["role"] = "assistant", ["content"] = "" };
                    await stream.SendAsync(CreateChunk(one.Choice, role, null, null)).ConfigureAwait(false);
                }

                if (one.Token.Text.Length > 0 || hasLogProbs)
                {
                    var delta = new JsonObject { ["content"] = one.Token.Text };
                    var logProbs = CreateLogProbs([one.Token]);
                    await stream.SendAsync(CreateChunk(one.Choice, delta, logProbs, null)).ConfigureAwait(false);
                }

                if (Choices.FinishReason(one.Token) is { } reason)
                {
                    await stream.SendAsync(CreateChunk(one.Choice, [], null, reason)).ConfigureAwait(false);
                }
            }

            if (generation.IncludesUsage)
            {
                var usage = CreateHead("chat.completion.chunk");
                usage["choices"] = new JsonArray();
                usage["usage"] = Choices.Usage(promptTokens, count);
                await stream.SendAsync(usage).ConfigureAwait(false);
            }

            await stream.EndAsync().ConfigureAwait(false);
        }
        catch (Exception error) when (context.Response.HasStarted && error is not OperationCanceledException)
        {
            await stream.FailAsync(api.Explain(error)).ConfigureAwait(false);
        }
    }

    JsonObject CreateChunk(int index, JsonObject delta, JsonObject? logProbs, string? reason)
    {
        var chunk = CreateHead("chat.completion.chunk");
        chunk["choices"] = new JsonArray(
            new JsonObject
            {
                ["index"] = index,
                ["delta"] = delta,
                ["logprobs"] = logProbs,
                ["finish_reason"] = reason,
            }
        );
        return chunk;
    }

    JsonObject CreateHead(string kind) =>
        new()
        {
            ["id"] = _id,
            ["object"] = kind,
            ["created"] = _created,
            ["model"] = generation.Model,
        };
}
