using System.Text;
using CoPe.Cli.Endpoint;

namespace CoPe.Cli.Tests.Endpoint;

public class EndpointReplyTests
{
    [Theory]
    [InlineData("""{"text": "a"}, {"text": "b"}""", "a", "b")]
    [InlineData("""{"message": {"content": "a"}}""", "a")]
    [InlineData("""{"text": null, "message": {"content": "a"}}""", "a")]
    [InlineData("""{"message": {"content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]}}""", "ab")]
    [InlineData("""{"message": {"content": [{"text": "a"}, "b"]}}""", "ab")]
    [InlineData("""{"message": {"content": [{"type": "output_text", "text": "a"}]}}""", "a")]
    [InlineData(
        """{"message": {"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "x"}]}, {"type": "text", "text": "a"}]}}""",
        "a"
    )]
    [InlineData("""{"message": {"content": [{"type": "reasoning", "text": "x"}, "a"]}}""", "a")]
    [InlineData("""{"message": {"content": [{"type": "thinking", "thinking": "x"}]}}""")]
    [InlineData(
        """{"message": {"content": [{"type": "image_url", "image_url": {}}, {"type": "text", "text": "a"}]}}"""
    )]
    [InlineData("""{"message": {"content": [{"type": "text", "text": null}]}}""")]
    [InlineData("""{"message": {"content": []}}""")]
    [InlineData("""{"message": {"content": {"text": "a"}}}""")]
    [InlineData("""{"message": {"content": null, "tool_calls": [{"id": "1"}]}, "finish_reason": "tool_calls"}""")]
    [InlineData("""{"message": {"content": null, "refusal": "no"}}""")]
    [InlineData("""{"message": {"content": "a", "reasoning_content": "x"}, "finish_reason": null}""", "a")]
    [InlineData("""{"message": {"content": null, "reasoning_content": "x"}, "finish_reason": "length"}""")]
    [InlineData("""{"message": {"reasoning": "x", "content": "a"}}""", "a")]
    [InlineData("""{"index": 1, "text": "b"}, {"index": 0, "text": "a"}""", "a", "b")]
    [InlineData("""{"index": 0, "text": "a"}, {"index": 0, "text": "b"}, {"index": 0, "text": "c"}""", "a", "b", "c")]
    [InlineData(
        """{"index": "x", "text": "a"}, {"index": null, "text": "b"}, {"index": 1e999, "text": "c"}""",
        "a",
        "b",
        "c"
    )]
    [InlineData("""{"text": "half \ud800"}, {"text": "\udc00 half"}, {"text": "whole \ud83d\ude00"}""", "whole 😀")]
    [InlineData("""{"\ud800": 1, "text": "a"}, {"text": "b", "text": "c"}""", "a", "c")]
    [InlineData("""{"text": 5}, {"message": null}, 3, null, "x", [], {}, {"text": "a"}""", "a")]
    [InlineData("")]
    public void The_texts_of_choices_are_found_and_nothing_else_is_taken_for_one(string choices, params string[] texts)
    {
        var reply = Parse($$"""{"choices": [{{choices}}]}""");
        Assert.Equal(texts, reply!.Choices.Select(choice => choice.Text));
    }

    [Theory]
    [InlineData("""{"choices": null}""")]
    [InlineData("""{"choices": {"text": "a"}}""")]
    [InlineData("""{"error": {"message": "overloaded"}}""")]
    [InlineData("""{"choices": [{"text": "a"}], "\ud800 and more than that": 1}""")]
    [InlineData("""{"choices": [{"text": "a"}]} {}""")]
    [InlineData("""{"choices": [{"text": "a"}""")]
    [InlineData("""[{"choices": []}]""")]
    [InlineData("null")]
    [InlineData("7")]
    [InlineData("\"choices\"")]
    [InlineData("<html>")]
    [InlineData("")]
    public void What_is_no_completion_is_not_read_as_one(string body) => Assert.Null(Parse(body));

    [Fact]
    public void A_mark_of_byte_order_before_the_reply_is_passed_over() =>
        Assert.Equal("a", Assert.Single(Parse("\uFEFF{\"choices\": [{\"text\": \"a\"}]}")!.Choices).Text);

    [Fact]
    public void A_choice_whose_bytes_are_no_text_is_left_out_and_counted()
    {
        byte[] body = [.. """{"choices": [{"text": "a"""u8, 0xC3, .. "\"}, {\"text\": \"b\"}]}"u8];
        var reply = EndpointReply.Parse(body)!;
        Assert.Equal("b", Assert.Single(reply.Choices).Text);
        Assert.Equal(1, reply.UnusableChoices);
    }

    [Theory]
    [InlineData("""{"prompt_tokens": 12, "completion_tokens": 5}""", 12, 5)]
    [InlineData("""{"prompt_tokens": null, "completion_tokens": 1e400}""", 0, 0)]
    [InlineData("""{"prompt_tokens": 99999999999999999999999, "completion_tokens": "5"}""", 0, 0)]
    [InlineData("null", 0, 0)]
    public void Counts_of_tokens_that_are_none_count_nothing(string usage, long prompt, long completion)
    {
        var reply = Parse($$"""{"choices": [], "usage": {{usage}}}""")!;
        Assert.Equal((prompt, completion), (reply.PromptTokens, reply.CompletionTokens));
    }

    [Theory]
    [InlineData("""{"text": "a", "finish_reason": "length"}""", true, false)]
    [InlineData("""{"text": "a", "finish_reason": "stop"}""", false, false)]
    [InlineData("""{"message": {"content": "a", "reasoning_content": "x"}}""", false, true)]
    [InlineData("""{"message": {"content": "a", "reasoning": "x"}}""", false, true)]
    [InlineData("""{"message": {"content": "a", "reasoning_content": "", "reasoning": null}}""", false, false)]
    [InlineData("""{"message": {"content": [{"type": "thinking"}, "a"]}}""", false, true)]
    public void Where_a_choice_was_cut_and_whether_reasoning_stands_beside_it_is_kept(
        string choice,
        bool isCut,
        bool hasReasoning
    ) =>
        Assert.Equal(
            new EndpointChoice("a", isCut, hasReasoning),
            Assert.Single(Parse($$"""{"choices": [{{choice}}]}""")!.Choices)
        );

    static EndpointReply? Parse(string body) => EndpointReply.Parse(Encoding.UTF8.GetBytes(body));
}
