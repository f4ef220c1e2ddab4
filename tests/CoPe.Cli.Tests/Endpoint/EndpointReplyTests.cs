using System.Text;
using System.Text.RegularExpressions;
using CoPe.Cli.Endpoint;
using static System.StringComparison;

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
        """{"message": {"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "x"}]}, "a"]}}""",
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
    public void More_choices_than_any_request_asks_for_are_no_reply() =>
        Assert.Null(Parse($$"""{"choices": [{{string.Join(',', Enumerable.Repeat(1, 100_000))}}]}"""));

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
    [InlineData("data: {A a}\n\ndata: {A b}\n\ndata: [DONE]\n\n", "ab")]
    [InlineData(": ping\r\n\r\nevent: x\r\nid: 1\r\ndata: {A a}\r\n\r\n: ping\r\ndata:{END}\r\n\r\n", "a")]
    [InlineData("data: {A a}\n\ndata: {B b}\n\ndata: {A c}\n\ndata: [DONE]", "ac", "b")]
    [InlineData("data: {B b}\n\ndata: {A a}\n\ndata: [DONE]", "a", "b")]
    [InlineData("retry: 5\rdata: {A a}\r\rdata: [DONE]\r\r", "a")]
    [InlineData("data: {\"choices\":\ndata: [{\"delta\": {\"content\": \"a\"}}]}\n\ndata: [DONE]\n\n", "a")]
    [InlineData("data: {\"choices\": [{\"text\": \"a\"}]}\n\ndata: [DONE]\n\n", "a")]
    [InlineData("data: {A a}\n\ndata: {\"choices\": [{\"delta\": {\"content\": \"\\ud800\"}}]}\n\ndata: [DONE]\n\n")]
    [InlineData("data: {\"choices\": []}\n\ndata: [DONE]\n\n")]
    public void A_reply_that_comes_as_events_is_put_together(string stream, params string[] texts) =>
        Assert.Equal(texts, Parse(WithEvents(stream))!.Choices.Select(choice => choice.Text));

    [Theory]
    [InlineData("data: {A a}\n\n")]
    [InlineData("data: {A a}\n\ndata: {B b}\n\ndata: {END}\n\n")] // one of two ends
    [InlineData("data: {A a}\n\ndata: {\"error\": \"overloaded\"}\n\n")]
    [InlineData("data: {A a}\n\ndata: {\"choices\": [{")]
    [InlineData(": ping\n\n")]
    [InlineData("event: error\n\n")]
    public void A_stream_of_events_that_breaks_off_is_no_reply(string stream) => Assert.Null(Parse(WithEvents(stream)));

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

    static string WithEvents(string stream) =>
        Regex
            .Replace(
                stream,
                @"\{([AB]) (\w)\}",
                match => CreateEvent(match.Groups[1].Value[0] - 'A', match.Groups[2].Value)
            )
            .Replace("{END}", """{"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}""", Ordinal);

    static string CreateEvent(int index, string text) =>
        $$"""{"choices": [{"index": {{index}}, "delta": {"role": null, "content": "{{text}}"} }]}""";

    static EndpointReply? Parse(string body) => EndpointReply.Parse(Encoding.UTF8.GetBytes(body));
}
