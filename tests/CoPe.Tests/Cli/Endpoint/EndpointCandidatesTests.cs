using System.Net;
using CoPe.Cli.Endpoint;
using CoPe.Negatives;
using CoPe.Runs;

namespace CoPe.Tests.Cli.Endpoint;

public class EndpointCandidatesTests
{
    [Fact]
    public void Completions_send_the_ids_of_the_prompt_and_the_numbers_of_drawing()
    {
        using var endpoint = new FakeEndpoint((_, _) => FakeEndpoint.Texts(" a ", "b", "c"));
        Assert.Equal(["a", "b", "c"], endpoint.Draw([FakeEndpoint.Item(1)])[0].Texts);
        Assert.Equal("http://there/v1/completions", endpoint.Addresses[0].AbsoluteUri);
        var sent = endpoint.Bodies[0];
        Assert.Equal("[1,2,3]", sent["prompt"]!.ToJsonString());
        Assert.Equal(("tam", 3, 1.0, .95, 100), ((string)sent["model"]!, (int)sent["n"]!, (double)sent["temperature"]!, (double)sent["top_p"]!, (int)sent["max_tokens"]!));
    }

    [Fact]
    public void Chat_sends_the_messages()
    {
        using var endpoint = new FakeEndpoint((_, _) => FakeEndpoint.Json("""{"choices":[{"message":{"content":"a"}},{"message":{"content":"b"}},{"message":{"content":"c"}}]}"""));
        Assert.Equal(["a", "b", "c"], endpoint.Draw([FakeEndpoint.Item(1)], EndpointApi.Chat)[0].Texts);
        Assert.Equal("http://there/v1/chat/completions", endpoint.Addresses[0].AbsoluteUri);
        Assert.Equal("""[{"role":"user","content":"Write"}]""", endpoint.Bodies[0]["messages"]!.ToJsonString());
    }

    [Fact]
    public void Fewer_choices_empty_texts_and_the_users_own_text_are_asked_for_again_with_another_seed()
    {
        using var endpoint = new FakeEndpoint((number, _) => number switch { 0 => FakeEndpoint.Texts("a"), 1 => FakeEndpoint.Texts(" gold", ""), _ => FakeEndpoint.Texts("b", "c") });
        Assert.Equal(["a", "b", "c"], endpoint.Draw([FakeEndpoint.Item(1)])[0].Texts);
        Assert.Equal([3, 2, 2], endpoint.Bodies.Select(body => (int)body["n"]!));
        Assert.Equal(3, endpoint.Bodies.Select(body => (int)body["seed"]!).Distinct().Count());
    }

    [Fact]
    public void An_endpoint_that_gives_one_choice_a_request_is_asked_as_often_as_choices_are_wanted()
    {
        using var endpoint = new FakeEndpoint((number, _) => FakeEndpoint.Texts($"text {number}"));
        Assert.Equal(8, endpoint.Draw([FakeEndpoint.Item(1)], count: 8)[0].Texts.Count);
        Assert.Equal(8, endpoint.Bodies.Count);
    }

    [Fact]
    public void Asking_again_is_bounded()
    {
        using var endpoint = new FakeEndpoint((_, _) => FakeEndpoint.Texts());
        Assert.Empty(endpoint.Draw([FakeEndpoint.Item(1)])[0].Texts);
        Assert.Equal(new CandidateOptions().Redraws + 1, endpoint.Bodies.Count);
    }

    [Fact]
    public void Trouble_that_passes_is_waited_out()
    {
        using var endpoint = new FakeEndpoint((number, _) => number switch
        {
            0 => throw new HttpRequestException("connection refused"),
            1 => FakeEndpoint.Json("busy", HttpStatusCode.TooManyRequests),
            2 => FakeEndpoint.Json("<html>", HttpStatusCode.BadGateway),
            3 => FakeEndpoint.Json("""{"choices":7}"""),
            4 => FakeEndpoint.Json("garbage"),
            5 => FakeEndpoint.Json("""{"choices":[{"text":5},{"message":null},3,{"text":"a"}]}"""),
            _ => FakeEndpoint.Texts("b", "c"),
        });
        Assert.Equal(["a", "b", "c"], endpoint.Draw([FakeEndpoint.Item(1)], attempts: 6)[0].Texts);
    }

    [Fact]
    public void An_endpoint_that_stays_down_loses_nothing_that_was_drawn()
    {
        using var endpoint = new FakeEndpoint((number, _) => number < 2 ? FakeEndpoint.Texts("a", "b", "c") : throw new HttpRequestException("gone"));
        var drawn = new List<string>();
        var error = Assert.Throws<RunException>(() =>
        {
            foreach (var texts in endpoint.Drawing([.. Enumerable.Range(0, 5).Select(FakeEndpoint.Item)])) drawn.Add(texts.ItemId);
        });
        Assert.Equal(["p0", "p1"], drawn);
        Assert.Contains("failed 3 times, last with: gone", error.Message, StringComparison.Ordinal);
        Assert.Equal(5, endpoint.Bodies.Count);
    }

    [Fact]
    public void A_request_that_is_refused_is_not_repeated()
    {
        using var endpoint = new FakeEndpoint((_, _) => FakeEndpoint.Json("no such model", HttpStatusCode.NotFound));
        var error = Assert.Throws<RunException>(() => endpoint.Draw([FakeEndpoint.Item(1)]));
        Assert.Contains("model 'tam' with status 404: no such model", error.Message, StringComparison.Ordinal);
        Assert.Single(endpoint.Bodies);
    }

    [Fact]
    public void No_more_requests_are_under_way_than_allowed_and_every_item_is_drawn_once()
    {
        using var endpoint = new FakeEndpoint((_, _) => FakeEndpoint.Texts("a", "b", "c"));
        var items = Enumerable.Range(0, 40).Select(FakeEndpoint.Item).ToList();
        var drawn = endpoint.Draw(items, parallel: 4);
        Assert.Equal(items.Select(item => item.Item.ItemId).Order(StringComparer.Ordinal), drawn.Select(texts => texts.ItemId).Order(StringComparer.Ordinal));
        Assert.InRange(endpoint.MostUnderWay, 1, 4);
        Assert.Equal(40, endpoint.Bodies.Select(body => (int)body["seed"]!).Distinct().Count());
    }

    [Fact]
    public void A_reader_that_leaves_early_ends_the_work()
    {
        using var endpoint = new FakeEndpoint((_, _) => FakeEndpoint.Texts("a", "b", "c"));
        Assert.Single(endpoint.Drawing([.. Enumerable.Range(0, 500).Select(FakeEndpoint.Item)]).Take(1));
    }
}
