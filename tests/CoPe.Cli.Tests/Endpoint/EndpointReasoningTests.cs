using System.Text.Json.Nodes;
using CoPe.Chat;
using CoPe.Cli.Endpoint;

namespace CoPe.Cli.Tests.Endpoint;

/// <summary>Endpoints whose models write down how they come to an answer.</summary>
public class EndpointReasoningTests
{
    static readonly ReasoningParser OwnMarks = new([new("<think>", "</think>")]) { OpensReasoning = true };

    [Theory]
    [InlineData("<think>why</think> A title", "A title")]
    [InlineData("<think>\nwhy\n</think>\n\nA title\n", "A title")]
    [InlineData("<think></think>A title", "A title")]
    [InlineData("why </think> A title", "A title")] // the endpoint's template has opened it
    [InlineData("why </think> once more </think> A title", "A title")]
    [InlineData("A title", "A title")]
    [InlineData("1 < 2 and a </b> mark", "1 < 2 and a </b> mark")]
    [InlineData("<think>why", null)]
    [InlineData("<think>why</think>", null)]
    [InlineData("<think>why</think> and <think>more", null)]
    public void Of_a_chat_reply_what_follows_the_reasoning_is_the_candidate(string text, string? answer)
    {
        using var endpoint = Reply(new JsonObject { ["content"] = text }, OwnMarks);
        Assert.Equal(
            Enumerable.Repeat(answer, answer is null ? 0 : 3),
            endpoint.Sample([FakeEndpoint.Item(1)], EndpointApi.Chat)[0].Texts
        );
    }

    [Theory]
    [InlineData("length", null)] // may be reasoning all of it
    [InlineData("stop", "cut or not")]
    public void A_text_that_was_cut_before_any_mark_is_no_candidate_where_the_template_opens_the_reasoning(
        string finish,
        string? answer
    )
    {
        using var endpoint = Reply(new JsonObject { ["content"] = "cut or not" }, OwnMarks, finish);
        Assert.Equal(
            Enumerable.Repeat(answer, answer is null ? 0 : 3),
            endpoint.Sample([FakeEndpoint.Item(1)], EndpointApi.Chat)[0].Texts
        );
        Assert.Equal(
            answer is null ? 1 : 0,
            endpoint.Log.Texts.Count(line => line.Contains("within the model's reasoning", StringComparison.Ordinal))
        );
    }

    [Theory]
    [InlineData("reasoning_content")]
    [InlineData("reasoning")]
    public void Reasoning_beside_the_text_is_no_part_of_it_and_leaves_a_cut_text_as_it_is(string field)
    {
        var message = new JsonObject { ["content"] = "A title", [field] = "why" };
        using var endpoint = Reply(message, OwnMarks, "length");
        Assert.Equal(
            ["A title", "A title", "A title"],
            endpoint.Sample([FakeEndpoint.Item(1)], EndpointApi.Chat)[0].Texts
        );
    }

    [Fact]
    public void Completions_lose_their_reasoning_too()
    {
        using var endpoint = new FakeEndpoint(
            (_, _) => FakeEndpoint.Texts("<think>why</think> a", "b", "<think>never ends")
        )
        {
            Reasoning = OwnMarks,
        };
        Assert.Equal(["a", "b", "a"], endpoint.Sample([FakeEndpoint.Item(1)])[0].Texts);
    }

    static FakeEndpoint Reply(JsonObject message, ReasoningParser reasoning, string finish = "stop") =>
        new(
            (_, _) =>
                FakeEndpoint.Json(
                    new JsonObject
                    {
                        ["choices"] = new JsonArray([
                            .. Enumerable
                                .Range(0, 3)
                                .Select(_ => new JsonObject
                                {
                                    ["message"] = message.DeepClone(),
                                    ["finish_reason"] = finish,
                                }),
                        ]),
                    }.ToJsonString()
                )
        )
        {
            Reasoning = reasoning,
        };
}
