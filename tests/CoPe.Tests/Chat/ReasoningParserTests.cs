using CoPe.Chat;

namespace CoPe.Tests.Chat;

public class ReasoningParserTests
{
    static readonly ReasoningParser Think = new([new("<think>", "</think>")]);
    static readonly ReasoningParser NoMarks = new([]);

    [Theory]
    [InlineData("<think>\nIt rains.\n</think>\n\nRain", "Rain", "It rains.")]
    [InlineData("\n<think></think>Rain", "Rain", "")]
    [InlineData("Rain", "Rain", "")]
    [InlineData(" Rain\n", " Rain\n", "")] // what holds no mark stays as it is
    [InlineData("</think>\n\nRain", "Rain", "")]
    [InlineData("It rains.\n</think>\n\nRain", "Rain", "It rains.")]
    [InlineData("<think>a</think><think>b</think>Rain", "Rain", "ab")]
    [InlineData("<think>a <think>b</think> c</think> Rain", "Rain", "a b c")]
    [InlineData("<think>a</think>\n</think>\nRain", "Rain", "a")]
    [InlineData("Rain\n<think>was that short enough?</think>", "Rain", "was that short enough?")]
    [InlineData("Rain <think>a</think> <think>b</think>", "Rain", "ab")]
    [InlineData("Let me see. <think>a</think> Rain", "Rain", "a")]
    [InlineData("<THINK>a</THINK>Rain", "Rain", "a")]
    public void The_answer_is_what_follows_the_reasoning(string text, string answer, string reasoning)
    {
        var parsed = Think.Parse(text, ReasoningStart.None);

        Assert.Equal(new ParsedResponse(answer, reasoning, false), parsed);
    }

    [Theory]
    [InlineData("It rains.\n</think>\n\nRain", "Rain")]
    [InlineData("<think>\nIt rains.\n</think>\n\nRain", "Rain")]
    public void After_a_prompt_that_opens_the_reasoning_its_end_alone_counts(string text, string answer) =>
        Assert.Equal(new(answer, "It rains.", false), Think.Parse(text, ReasoningStart.Open));

    [Theory]
    [InlineData("<think>\nIt rains, so", ReasoningStart.None)]
    [InlineData("It rains, so", ReasoningStart.Open)]
    [InlineData("<think>\nIt rains, so", ReasoningStart.Unknown)]
    [InlineData("Rain <think> It rains, so", ReasoningStart.None)]
    [InlineData("<think>It rains</think> Rain <think> or", ReasoningStart.None)]
    internal void Reasoning_without_an_end_gives_no_answer(string text, ReasoningStart start)
    {
        var parsed = Think.Parse(text, start);

        Assert.True(parsed.IsUnfinished);
        Assert.Equal("", parsed.Answer);
    }

    [Theory]
    [InlineData("reason </think> Title")]
    [InlineData("[THINK]reason[/THINK]Title")]
    [InlineData("reason[/THINK]Title")]
    [InlineData("<thinking>reason</thinking>\nTitle")]
    [InlineData("<|begin_of_thought|>reason<|end_of_thought|>Title")]
    [InlineData("<|START_THINKING|>reason<|END_THINKING|>Title")]
    [InlineData("<seed:think>reason</seed:think>Title")]
    [InlineData("◁think▷reason◁/think▷Title")]
    [InlineData("<thought>\nreason\n</thought>\nTitle")]
    [InlineData("<|inner_prefix|>reason<|inner_suffix|>Title")]
    public void Of_a_server_the_usual_marks_are_known_by_their_names(string text) =>
        Assert.Equal(new("Title", "reason", false), NoMarks.Parse(text, ReasoningStart.Unknown));

    [Theory]
    [InlineData("<think>a</think>\n<answer>\nRain\n</answer>")]
    [InlineData("<think>a</think><response>Rain</response>")]
    [InlineData("<think>a</think><answer>Rain")]
    [InlineData("<|begin_of_thought|>a<|end_of_thought|>\n<|begin_of_solution|>Rain<|end_of_solution|>")]
    public void Marks_around_an_answer_behind_reasoning_are_no_part_of_it(string text)
    {
        Assert.Equal("Rain", NoMarks.Parse(text, ReasoningStart.None).Answer);
        Assert.Equal("<answer>Rain</answer>", NoMarks.Parse("<answer>Rain</answer>", ReasoningStart.None).Answer);
    }

    [Fact]
    public void A_mark_that_ends_the_reasoning_may_begin_the_answer()
    {
        var parser = new ReasoningParser([new(null, "[BEGIN FINAL RESPONSE]")]);

        Assert.Equal(
            new("Rain", "It rains.", false),
            parser.Parse("It rains.\n[BEGIN FINAL RESPONSE]\nRain\n[END FINAL RESPONSE]", ReasoningStart.Open)
        );
    }

    [Theory]
    [InlineData("How <think> became a tag", ReasoningStart.None)]
    [InlineData("x </think> y", ReasoningStart.None)]
    [InlineData("[Thoughts] on rain", ReasoningStart.Unknown)]
    [InlineData("<b>Rain</b>", ReasoningStart.Unknown)]
    [InlineData("<no_think> Rain", ReasoningStart.Unknown)]
    internal void The_text_of_a_model_without_such_marks_is_left_alone(string text, ReasoningStart start) =>
        Assert.Equal(new(text, "", false), NoMarks.Parse(text, start));
}
