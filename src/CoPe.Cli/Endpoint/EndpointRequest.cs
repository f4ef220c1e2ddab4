using System.Text.Json.Nodes;
using CoPe.Decoding;
using CoPe.Experiments.Negatives;

namespace CoPe.Cli.Endpoint;

/// <summary>A request for answers to a history item's prompt.</summary>
/// <param name="Item">The item.</param>
/// <param name="Count">How many answers.</param>
/// <param name="Seed">The seed of sampling.</param>
/// <param name="Decoding">How to sample.</param>
sealed record EndpointRequest(CandidateRequest Item, int Count, int Seed, DecodingOptions Decoding)
{
    /// <summary>The request as JSON, with the changes that the endpoint needs.</summary>
    public string CreateBody(EndpointOptions options, RequestChanges changes)
    {
        var limitName = changes.HasFlag(RequestChanges.MaxCompletionTokens) ? "max_completion_tokens" : "max_tokens";
        var body = new JsonObject
        {
            ["model"] = options.Model,
            [limitName] = Decoding.MaxNewTokens,
            ["temperature"] = Decoding.Temperature,
            ["top_p"] = Decoding.TopP,
        };
        if (!changes.HasFlag(RequestChanges.OneChoice))
        {
            body["n"] = Count;
        }

        if (!changes.HasFlag(RequestChanges.WithoutSeed))
        {
            body["seed"] = Seed;
        }

        if (!changes.HasFlag(RequestChanges.WithoutStopTokenIds))
        {
            body["stop_token_ids"] = CreateIds(Item.StopTokenIds);
        }

        if (options.Api == EndpointApi.Completions)
        {
            body["prompt"] = CreateIds(Item.Item.Prompt);
        }
        else
        {
            body["messages"] = new JsonArray([
                .. Item.Messages.Select(message => new JsonObject
                {
                    ["role"] = message.Role,
                    ["content"] = message.Content,
                }),
            ]);
        }

        return body.ToJsonString();
    }

    static JsonArray CreateIds(IEnumerable<int> ids) => new([.. ids.Select(id => (JsonNode)id)]);
}
