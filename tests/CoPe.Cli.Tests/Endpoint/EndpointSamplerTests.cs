using System.Net;
using CoPe.Cli.Endpoint;
using CoPe.Experiments.Negatives;
using CoPe.Experiments.Runs;

namespace CoPe.Cli.Tests.Endpoint;

public class EndpointSamplerTests
{
    [Fact]
    public void Completions_send_the_ids_of_the_prompt_and_the_sampling_options()
    {
        using var endpoint = new FakeEndpoint((_, _) => FakeEndpoint.Texts(" a ", "b", "c"));
        Assert.Equal(["a", "b", "c"], endpoint.Sample([FakeEndpoint.Item(1)])[0].Texts);
        Assert.Equal("http://there/v1/completions", endpoint.Addresses[0].AbsoluteUri);
        var sent = endpoint.Bodies[0];
        Assert.Equal("[1,2,3]", sent["prompt"]!.ToJsonString());
        Assert.Equal(
            ("tam", 3, 1.0, .95, 100),
            (
                (string)sent["model"]!,
                (int)sent["n"]!,
                (double)sent["temperature"]!,
                (double)sent["top_p"]!,
                (int)sent["max_tokens"]!
            )
        );
    }

    [Fact]
    public void Chat_sends_the_messages()
    {
        using var endpoint = new FakeEndpoint(
            (_, _) =>
                FakeEndpoint.Json(
                    """
                    {"choices": [
                      {"message": {"content": "a"}}, {"message": {"content": "b"}}, {"message": {"content": "c"}}
                    ]}
                    """
                )
        );
        Assert.Equal(["a", "b", "c"], endpoint.Sample([FakeEndpoint.Item(1)], EndpointApi.Chat)[0].Texts);
        Assert.Equal("http://there/v1/chat/completions", endpoint.Addresses[0].AbsoluteUri);
        Assert.Equal("""[{"role":"user","content":"Write"}]""", endpoint.Bodies[0]["messages"]!.ToJsonString());
    }

    [Fact]
    public void Fewer_choices_empty_texts_and_the_users_own_text_are_requested_again_with_another_seed()
    {
        using var endpoint = new FakeEndpoint(
            (number, _) =>
                number switch
                {
                    0 => FakeEndpoint.Texts("a"),
                    1 => FakeEndpoint.Texts(" gold", ""),
                    _ => FakeEndpoint.Texts("b", "c"),
                }
        );
        Assert.Equal(["a", "b", "c"], endpoint.Sample([FakeEndpoint.Item(1)])[0].Texts);
        Assert.Equal([3, 2, 2], endpoint.Bodies.Select(body => (int)body["n"]!));
        Assert.Equal(3, endpoint.Bodies.Select(body => (int)body["seed"]!).Distinct().Count());
    }

    [Fact]
    public void An_endpoint_that_gives_one_choice_a_request_gets_as_many_requests_as_choices_are_wanted()
    {
        using var endpoint = new FakeEndpoint((number, _) => FakeEndpoint.Texts($"text {number}"));
        Assert.Equal(8, endpoint.Sample([FakeEndpoint.Item(1)], count: 8)[0].Texts.Count);
        Assert.Equal(8, endpoint.Bodies.Count);
    }

    [Fact]
    public void Repeated_requests_are_bounded()
    {
        using var endpoint = new FakeEndpoint((_, _) => FakeEndpoint.Texts());
        Assert.Empty(endpoint.Sample([FakeEndpoint.Item(1)])[0].Texts);
        Assert.Equal(new NegativesOptions().Redraws + 1, endpoint.Bodies.Count);
    }

    [Fact]
    public void Transient_errors_are_retried()
    {
        using var endpoint = new FakeEndpoint(
            (number, _) =>
                number switch
                {
                    0 => throw new HttpRequestException("connection refused"),
                    1 => FakeEndpoint.Json("busy", HttpStatusCode.TooManyRequests),
                    2 => FakeEndpoint.Json("<html>", HttpStatusCode.BadGateway),
                    3 => FakeEndpoint.Json("""{"choices":7}"""),
                    4 => FakeEndpoint.Json("garbage"),
                    5 => FakeEndpoint.Json("""{"choices":[{"text":5},{"message":null},3,{"text":"a"}]}"""),
                    _ => FakeEndpoint.Texts("b", "c"),
                }
        );
        Assert.Equal(["a", "b", "c"], endpoint.Sample([FakeEndpoint.Item(1)], attempts: 6)[0].Texts);
    }

    [Fact]
    public void An_endpoint_that_stays_down_loses_no_sampled_text()
    {
        using var endpoint = new FakeEndpoint(
            (number, _) => number < 2 ? FakeEndpoint.Texts("a", "b", "c") : throw new HttpRequestException("gone")
        );
        var sampled = new List<string>();
        var error = Assert.Throws<RunException>(() =>
        {
            foreach (var texts in endpoint.SampleLazily([.. Enumerable.Range(0, 5).Select(FakeEndpoint.Item)]))
            {
                sampled.Add(texts.ItemId);
            }
        });
        Assert.Equal(["p0", "p1"], sampled);
        Assert.Contains("failed 3 times, last with: gone", error.Message, StringComparison.Ordinal);
        Assert.Equal(5, endpoint.Bodies.Count);
    }

    [Fact]
    public void A_request_that_is_refused_is_not_repeated()
    {
        using var endpoint = new FakeEndpoint((_, _) => FakeEndpoint.Json("no such model", HttpStatusCode.NotFound));
        var error = Assert.Throws<RunException>(() => endpoint.Sample([FakeEndpoint.Item(1)]));
        Assert.Contains("model 'tam' with status 404: no such model", error.Message, StringComparison.Ordinal);
        Assert.Single(endpoint.Bodies);
    }

    [Fact]
    public void No_more_requests_are_in_flight_than_allowed_and_every_item_is_sampled_once()
    {
        using var endpoint = new FakeEndpoint((_, _) => FakeEndpoint.Texts("a", "b", "c"));
        var items = Enumerable.Range(0, 40).Select(FakeEndpoint.Item).ToList();
        var sampled = endpoint.Sample(items, parallel: 4);
        Assert.Equal(
            items.Select(item => item.Item.ItemId).Order(StringComparer.Ordinal),
            sampled.Select(texts => texts.ItemId).Order(StringComparer.Ordinal)
        );
        Assert.InRange(endpoint.MaxInFlight, 1, 4);
        Assert.Equal(40, endpoint.Bodies.Select(body => (int)body["seed"]!).Distinct().Count());
    }

    [Fact]
    public void A_reader_that_leaves_early_ends_the_work()
    {
        using var endpoint = new FakeEndpoint((_, _) => FakeEndpoint.Texts("a", "b", "c"));
        Assert.Single(endpoint.SampleLazily([.. Enumerable.Range(0, 500).Select(FakeEndpoint.Item)]).Take(1));
    }
}
