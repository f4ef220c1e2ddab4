using System.Net;
using CoPe.Cli.Endpoint;
using CoPe.Experiments.Runs;

namespace CoPe.Cli.Tests.Endpoint;

/// <summary>Endpoints that do not take a request as vLLM does, each with its own words for it.</summary>
public class EndpointDialectTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void The_ids_that_end_an_answer_go_with_every_request(bool isChat)
    {
        using var endpoint = new FakeEndpoint((_, _) => FakeEndpoint.Texts("a", "b", "c"));
        endpoint.Sample([FakeEndpoint.Item(1)], isChat ? EndpointApi.Chat : EndpointApi.Completions);
        Assert.Equal("[7,9]", endpoint.Bodies[0]["stop_token_ids"]!.ToJsonString());
        Assert.DoesNotContain(endpoint.Log.Texts, line => line.Contains("does not take", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(
        400,
        """{"error": {"message": "Unrecognized request argument supplied: stop_token_ids", "param": null}}""",
        "stop_token_ids"
    )]
    [InlineData(
        422,
        """{"detail": [{"type": "extra_forbidden", "loc": ["body", "stop_token_ids"], "msg": "not permitted"}]}""",
        "stop_token_ids"
    )]
    [InlineData(
        400,
        """{"object": "error", "message": "[{'type': 'extra_forbidden', 'loc': ('body', 'stop_token_ids')}]"}""",
        "stop_token_ids"
    )]
    [InlineData(
        422,
        """{"detail": [{"loc": ["body", "seed"]}, {"loc": ["body", "stop_token_ids"]}]}""",
        "seed",
        "stop_token_ids"
    )]
    [InlineData(400, """{"error": {"message": "'n' : number must be at most 1"}}""", "n")]
    [InlineData(400, """{"error": {"message": "n must equal 1 (multi-choice is not supported)"}}""", "n")]
    [InlineData(400, "Only one completion choice is allowed", "n")]
    [InlineData(400, """{"error": {"message": "Unsupported value", "param": "n"}}""", "n")]
    [InlineData(501, "not implemented: n > 1", "n")]
    [InlineData(
        400,
        """{"error": {"message": "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead."}}""",
        "max_tokens"
    )]
    [InlineData(400, "Bad Request", "stop_token_ids")]
    [InlineData(400, "Bad Request", "n")]
    [InlineData(400, "Bad Request", "n", "stop_token_ids")]
    [InlineData(422, "", "n", "seed", "stop_token_ids")]
    [InlineData(400, "<html><title>Bad Request</title></html>", "stop_token_ids")]
    public void A_field_that_an_endpoint_refuses_is_left_out_from_then_on_and_that_is_said(
        int status,
        string refusal,
        params string[] refused
    )
    {
        using var endpoint = new FakeEndpoint(
            (number, body) =>
                refused.Any(body.ContainsKey) ? FakeEndpoint.Json(refusal, (HttpStatusCode)status)
                : body.ContainsKey("n") ? FakeEndpoint.Texts("a", "b", "c")
                : FakeEndpoint.Texts($"text {number}")
        );
        var sampled = endpoint.Sample([FakeEndpoint.Item(1), FakeEndpoint.Item(2)]);
        Assert.All(sampled, texts => Assert.Equal(3, texts.Texts.Count));
        var taken = endpoint.Bodies.SkipWhile(body => refused.Any(body.ContainsKey)).ToList();
        Assert.All(taken, body => Assert.DoesNotContain(refused, body.ContainsKey)); // learned once
        Assert.Equal(
            refused.Length,
            endpoint.Log.Texts.Count(line => line.StartsWith("endpoint http://there/v1 ", StringComparison.Ordinal))
        );
        Assert.InRange(endpoint.Bodies.Count - taken.Count, 1, 4);
    }

    [Fact]
    public void Fields_that_are_refused_one_by_one_are_left_out_one_by_one()
    {
        string[] refused = ["stop_token_ids", "n", "seed", "max_tokens"];
        using var endpoint = new FakeEndpoint(
            (number, body) =>
                Array.Find(refused, body.ContainsKey) is { } field
                    ? FakeEndpoint.Json(
                        field == "max_tokens" ? "use max_completion_tokens" : $"unknown field '{field}'",
                        HttpStatusCode.BadRequest
                    )
                    : FakeEndpoint.Texts($"text {number}")
        );
        Assert.Equal(3, endpoint.Sample([FakeEndpoint.Item(1)])[0].Texts.Count);
        Assert.Equal(100, (int)endpoint.Bodies[^1]["max_completion_tokens"]!);
        Assert.Equal(4 + 3, endpoint.Bodies.Count);
    }

    [Theory]
    [InlineData(400, "maximum context length is 2048 tokens", 5)]
    [InlineData(401, "n", 1)]
    [InlineData(404, "no such model", 1)]
    public void A_refusal_that_is_of_no_field_is_told_in_its_first_words(int status, string reason, int requests)
    {
        using var endpoint = new FakeEndpoint(
            (number, _) => FakeEndpoint.Json(number == 0 ? reason : $"other {number}", (HttpStatusCode)status)
        );
        var error = Assert.Throws<RunException>(() => endpoint.Sample([FakeEndpoint.Item(1)]));
        Assert.Contains($"with status {status}: {reason}", error.Message, StringComparison.Ordinal);
        Assert.Equal(requests, endpoint.Bodies.Count);
    }

    [Fact]
    public void An_endpoint_that_is_busy_while_a_form_is_tried_is_retried_with_that_form()
    {
        using var endpoint = new FakeEndpoint(
            (number, body) =>
                body.ContainsKey("stop_token_ids") ? FakeEndpoint.Json("stop_token_ids?", HttpStatusCode.BadRequest)
                : number == 1 ? FakeEndpoint.Json("busy", HttpStatusCode.ServiceUnavailable)
                : FakeEndpoint.Texts("a", "b", "c")
        );
        Assert.Equal(["a", "b", "c"], endpoint.Sample([FakeEndpoint.Item(1)])[0].Texts);
        Assert.Equal(3, endpoint.Bodies.Count);
    }

    [Fact]
    public void What_a_filter_objects_to_leaves_one_item_without_candidates_and_not_all()
    {
        using var endpoint = new FakeEndpoint(
            (_, body) =>
                (int)body["seed"]! % 2 == 0
                    ? FakeEndpoint.Json(
                        """{"error": {"message": "filtered", "code": "content_filter"}}""",
                        HttpStatusCode.BadRequest
                    )
                    : FakeEndpoint.Texts("a", "b", "c")
        );
        var sampled = endpoint.Sample([.. Enumerable.Range(0, 6).Select(FakeEndpoint.Item)]);
        Assert.Equal(6, sampled.Count);
        Assert.Contains(sampled, texts => texts.Texts.Count == 3);
    }
}
