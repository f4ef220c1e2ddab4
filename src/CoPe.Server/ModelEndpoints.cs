using System.Text.Json.Nodes;
using CoPe.Serving;
using Microsoft.AspNetCore.Http;

namespace CoPe.Server;

/// <summary><c>GET /v1/models</c>, <c>GET /v1/models/{id}</c>, <c>POST /tokenize</c> and <c>/detokenize</c>.</summary>
static class ModelEndpoints
{
    public static async Task ListAsync(HttpContext context, ApiServer api)
    {
        var query = ModelQuery.Read(context.Request.Query);
        var allowed = api.Catalog.ListNames().Where(name => ApiServer.Allows(context, name));
        var found = query.Select(allowed, api.Catalog.Find).Take(query.TakeOneMore).ToList();
        var models = new JsonArray([.. found.Take(query.Limit).Select(model => Describe(api, model))]);
        await context
            .WriteJsonAsync(
                new JsonObject
                {
                    ["object"] = "list",
                    ["data"] = models,
                    ["has_more"] = found.Count > query.Limit,
                }
            )
            .ConfigureAwait(false);
    }

    public static async Task ShowAsync(HttpContext context, ApiServer api)
    {
        var name = (string)context.Request.RouteValues["id"]!;
        ApiServer.Authorize(context, name, null);
        if (api.Catalog.Find(name) is not { } model)
        {
            throw ApiException.From(new ServingException(ServingError.UnknownModel, "There is no such model."))!;
        }

        await context.WriteJsonAsync(Describe(api, model)).ConfigureAwait(false);
    }

    static JsonObject Describe(ApiServer api, PersonalModel model)
    {
        string[] folders = [.. ((string?[])[model.TaskAdapter, model.UserAdapter]).OfType<string>()];
        return new()
        {
            ["id"] = model.Name,
            ["object"] = "model",
            ["created"] = 0,
            ["owned_by"] = "cope",
            ["kind"] = ModelQuery.KindOf(model),
            ["parent"] = model.Parent,
            ["state"] = folders.All(api.Engine.Residency.Holds) ? "resident" : "on_disk",
            ["revision"] = folders.Length == 0 ? null : ReadRevision(folders[^1]),
        };
    }

    /// <summary>Null where the adapter cannot be read: a request to it says so.</summary>
    static string? ReadRevision(string folder)
    {
        try
        {
            return AdapterKey.Read(folder).Revision;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    public static async Task TokenizeAsync(HttpContext context, ApiServer api)
    {
        var fields = await ApiFields.ReadAsync(context).ConfigureAwait(false);
        fields.FindString("model");
        int[] ids;
        if (fields.FindList("messages") is { } messages)
        {
            ids = api.EncodeChat([.. messages.Select((one, index) => ChatMessages.Read(one, $"messages[{index}]"))]);
        }
        else
        {
            var addsSpecial = fields.Find("add_special_tokens") is null || fields.FindFlag("add_special_tokens");
            ids = api.Engine.Encoder.Tokenizer.Encode(fields.RequireString("prompt"), addsSpecial);
        }

        fields.RefuseUnread();
        var tokens = new JsonArray([.. ids.Select(id => JsonValue.Create(id))]);
        await context
            .WriteJsonAsync(
                new JsonObject
                {
                    ["count"] = ids.Length,
                    ["max_model_len"] = api.Engine.Config.MaxPositions,
                    ["tokens"] = tokens,
                }
            )
            .ConfigureAwait(false);
    }

    public static async Task DetokenizeAsync(HttpContext context, ApiServer api)
    {
        var fields = await ApiFields.ReadAsync(context).ConfigureAwait(false);
        fields.FindString("model");
        var tokens = fields.FindList("tokens") ?? throw fields.Wrong("tokens", "a list of token ids");
        var ids = tokens.Select(token =>
            token.ValueKind == System.Text.Json.JsonValueKind.Number && token.TryGetInt32(out var id)
                ? id
                : throw fields.Wrong("tokens", "a list of token ids")
        );
        var text = api.Engine.Encoder.Tokenizer.Decode(ids, skipSpecialTokens: false);
        fields.RefuseUnread();
        await context.WriteJsonAsync(new JsonObject { ["prompt"] = text }).ConfigureAwait(false);
    }
}
