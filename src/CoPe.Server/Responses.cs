using System.Text.Json;
using System.Text.Json.Nodes;
using CoPe.Chat;
using CoPe.Serving;
using Microsoft.AspNetCore.Http;

namespace CoPe.Server;

/// <summary>
/// <c>POST /v1/responses</c>, without state: each request brings its whole conversation. Tools that it offers are not
/// used, as a model may choose.
/// </summary>
static class Responses
{
    public static async Task HandleAsync(HttpContext context, ApiServer api)
    {
        var fields = await ApiFields.ReadAsync(context).ConfigureAwait(false);
        if (fields.Find("previous_response_id") is not null || fields.Find("conversation") is not null)
        {
            throw ApiException.Invalid(
                "No conversation is kept here; send all of it in 'input'.",
                "previous_response_id"
            );
        }

        var generation = GenerationFields.Read(fields, api.Options);
        var client = ApiServer.Authorize(context, generation.Model, fields.FindString("user"));
        var prompt = api.EncodeChat(ReadConversation(fields));
        ReadTextFormat(fields);
        foreach (var offered in (string[])["tools", "tool_choice", "include", "reasoning", "truncation"])
        {
            fields.Find(offered);
        }

        fields.RefuseUnread();
        var reply = new ResponsesReply(api, generation, prompt.Length);
        var request = generation.CreateRequest(prompt, 0, null, client);
        if (generation.Streams)
        {
            await reply.StreamAsync(context, request).ConfigureAwait(false);
        }
        else
        {
            var answers = await Choices
                .CollectAsync(api.Engine, [request], context.RequestAborted)
                .ConfigureAwait(false);
            await context.WriteJsonAsync(reply.CreateWhole(answers[0])).ConfigureAwait(false);
        }
    }

    static List<ChatMessage> ReadConversation(ApiFields fields)
    {
        var input = fields.Find("input") ?? throw fields.Wrong("input", "a text, or a list of messages");
        List<ChatMessage> conversation =
            input.ValueKind == JsonValueKind.String
                ? [new("user", input.GetString()!)]
                :
                [
                    .. fields
                        .FindList("input")!
                        .Where(item => !IsReasoning(item))
                        .Select((item, index) => ChatMessages.Read(item, $"input[{index}]")),
                ];
        if (fields.FindString("instructions") is { Length: > 0 } instructions)
        {
            conversation.Insert(0, new("system", instructions));
        }

        return conversation.Count > 0 ? conversation : throw fields.Wrong("input", "at least one message");
    }

    static bool IsReasoning(JsonElement item) =>
        item.ValueKind == JsonValueKind.Object
        && item.TryGetProperty("type", out var type)
        && type.ValueKind == JsonValueKind.String
        && type.GetString() == "reasoning";

    static void ReadTextFormat(ApiFields fields)
    {
        var text = fields.FindObject("text");
        text?.Find("verbosity");
        if (text?.FindObject("format")?.FindString("type") is not (null or "text"))
        {
            throw ApiException.Invalid("Answers are plain text; leave text.format out.", "text.format");
        }

        text?.RefuseUnread();
    }
}

/// <summary>A response, whole or event by event.</summary>
sealed class ResponsesReply(ApiServer api, GenerationFields generation, int promptTokens)
{
    readonly string _id = ApiServer.CreateId("resp");
    readonly string _messageId = ApiServer.CreateId("msg");
    readonly long _created = api.Now;
    int _events;

    public JsonObject CreateWhole(IReadOnlyList<ServedToken> answer)
    {
        var isCut = Choices.FinishReason(answer[^1]) == "length";
        var response = CreateHead(isCut ? "incomplete" : "completed");
        response["output"] = new JsonArray(CreateMessage(Choices.TextOf(answer), "completed"));
        response["incomplete_details"] = isCut ? new JsonObject { ["reason"] = "max_output_tokens" } : null;
        response["usage"] = new JsonObject
        {
            ["input_tokens"] = promptTokens,
            ["input_tokens_details"] = new JsonObject { ["cached_tokens"] = 0 },
            ["output_tokens"] = answer.Count,
            ["output_tokens_details"] = new JsonObject { ["reasoning_tokens"] = 0 },
            ["total_tokens"] = promptTokens + answer.Count,
        };
        return response;
    }

    JsonObject CreateHead(string status) =>
        new()
        {
            ["id"] = _id,
            ["object"] = "response",
            ["created_at"] = _created,
            ["status"] = status,
            ["model"] = generation.Model,
            ["output"] = new JsonArray(),
            ["error"] = null,
            ["incomplete_details"] = null,
            ["metadata"] = new JsonObject(),
            ["parallel_tool_calls"] = false,
            ["tool_choice"] = "none",
            ["tools"] = new JsonArray(),
        };

    JsonObject CreateMessage(string? text, string status) =>
        new()
        {
            ["type"] = "message",
            ["id"] = _messageId,
            ["status"] = status,
            ["role"] = "assistant",
            ["content"] = text is null ? [] : new JsonArray(CreatePart(text)),
        };

    static JsonObject CreatePart(string text) =>
        new()
        {
            ["type"] = "output_text",
            ["text"] = text,
            ["annotations"] = new JsonArray(),
        };

    public async Task StreamAsync(HttpContext context, ServingRequest request)
    {
        var stream = new EventStream(context, api.Options.PingAfter);
        var tokens = api.Engine.GenerateAsync(request, context.RequestAborted);
        var answer = new List<ServedToken>();
        try
        {
            await foreach (var token in stream.ReadAsync(tokens, context.RequestAborted).ConfigureAwait(false))
            {
                if (answer.Count == 0)
                {
                    await BeginAsync(stream).ConfigureAwait(false);
                }

                answer.Add(token);
                if (token.Text.Length > 0)
                {
                    var delta = CreateTextEvent("response.output_text.delta");
                    delta["delta"] = token.Text;
                    await SendAsync(stream, delta).ConfigureAwait(false);
                }
            }

            await EndAsync(stream, answer).ConfigureAwait(false);
        }
        catch (Exception error) when (context.Response.HasStarted && error is not OperationCanceledException)
        {
            await stream.FailAsync(api.Explain(error)).ConfigureAwait(false);
        }
    }

    async Task BeginAsync(EventStream stream)
    {
        foreach (var type in (string[])["response.created", "response.in_progress"])
        {
            await SendAsync(stream, new() { ["type"] = type, ["response"] = CreateHead("in_progress") })
                .ConfigureAwait(false);
        }

        var item = CreateMessage(null, "in_progress");
        await SendAsync(stream, CreateItemEvent("response.output_item.added", item)).ConfigureAwait(false);
        var part = CreateTextEvent("response.content_part.added");
        part["part"] = CreatePart("");
        await SendAsync(stream, part).ConfigureAwait(false);
    }

    async Task EndAsync(EventStream stream, List<ServedToken> answer)
    {
        var text = Choices.TextOf(answer);
        var done = CreateTextEvent("response.output_text.done");
        done["text"] = text;
        await SendAsync(stream, done).ConfigureAwait(false);
        var part = CreateTextEvent("response.content_part.done");
        part["part"] = CreatePart(text);
        await SendAsync(stream, part).ConfigureAwait(false);
        var item = CreateMessage(text, "completed");
        await SendAsync(stream, CreateItemEvent("response.output_item.done", item)).ConfigureAwait(false);
        var whole = CreateWhole(answer);
        await SendAsync(stream, new() { ["type"] = $"response.{whole["status"]}", ["response"] = whole })
            .ConfigureAwait(false);
    }

    static JsonObject CreateItemEvent(string type, JsonObject item) =>
        new()
        {
            ["type"] = type,
            ["output_index"] = 0,
            ["item"] = item,
        };

    JsonObject CreateTextEvent(string type) =>
        new()
        {
            ["type"] = type,
            ["item_id"] = _messageId,
            ["output_index"] = 0,
            ["content_index"] = 0,
        };

    Task SendAsync(EventStream stream, JsonObject data)
    {
        data["sequence_number"] = _events++;
        return stream.SendAsync(data, (string)data["type"]!);
    }
}
