using System.Text.Json;
using CoPe.Data;
using CoPe.Prompts;

namespace CoPe.Tests.Prompts;

public class PromptTemplatesTests
{
    [Fact]
    public void Every_task_ships_a_prompt_that_names_each_input_field()
    {
        foreach (var task in LampTasks.All)
        {
            var item = Item([.. task.InputFields.Select(field => (field, $"<{field}>")), (task.OutputField, "ANSWER")]);
            var content = Assert.Single(PromptTemplates.Shipped(task).ForHistory(item)).Content;
            Assert.All(task.InputFields, field => Assert.Contains($"<{field}>", content));
            Assert.DoesNotContain("ANSWER", content);
        }
    }

    [Fact]
    public void A_history_item_is_worded_as_the_benchmark_words_its_queries()
    {
        var review = Item(("overall", "5.0"), ("description", "a cup"), ("summary", "fine"), ("reviewText", "r"));
        Assert.Equal("Generate the review text written by a reviewer who has a given an overall rating of \"5.0\" for a product with description \"a cup\". The summary of the review text is \"fine\".",
            PromptTemplates.Shipped(LampTasks.ReviewWriting).HistoryInput(review));
        Assert.Equal("Generate a title for the following abstract of a paper: We do.",
            PromptTemplates.Shipped(LampTasks.ScholarlyTitle).HistoryInput(Item(("abstract", "We do."), ("title", "t"))));
    }

    [Fact]
    public void A_query_keeps_the_benchmarks_words_braces_included() =>
        Assert.Equal([new ChatMessage("user", "Write {input} {x}")], PromptTemplates.Shipped(LampTasks.NewsHeadline).ForQuery(new() { Id = "1", Input = "Write {input} {x}" }));

    [Fact]
    public void A_system_text_comes_first_and_doubled_braces_are_braces()
    {
        var template = Parse("system: You are brief.\nhistory: '{{{text}}}'\nquery: 'Q: {input}'");
        Assert.Equal([new ChatMessage("system", "You are brief."), new ChatMessage("user", "{a {b} c}")], template.ForHistory(Item(("text", "a {b} c"), ("title", "t"))));
    }

    [Fact]
    public void Every_field_is_cut_to_its_first_words()
    {
        var template = PromptTemplates.Shipped(LampTasks.NewsHeadline) with { MaxFieldWords = 2 };
        var item = Item(("text", "one  two\nthree"), ("title", "1 2 3"));
        Assert.EndsWith("article: one two", template.HistoryInput(item));
        Assert.Equal("1 2", template.AnswerOf(item));
        Assert.Equal("a b", template.ForQuery(new() { Id = "1", Input = "a b c" })[0].Content);
    }

    [Fact]
    public void Every_field_is_cut_to_its_first_characters_and_none_of_them_in_two()
    {
        var template = PromptTemplates.Shipped(LampTasks.NewsHeadline) with { MaxFieldLength = 4 };
        Assert.Equal("日本語の", template.ForQuery(new() { Id = "1", Input = "日本語の文章" })[0].Content);
        Assert.Equal("abc", template.ForQuery(new() { Id = "1", Input = "abc🎉" })[0].Content);
    }

    [Fact]
    public void Cutting_agrees_with_the_golden_cases_and_leaves_short_texts_as_they_are()
    {
        foreach (var file in GoldenFolders.Entries("metrics", "utils.json"))
        {
            using var json = JsonDocument.Parse(File.ReadAllText(file));
            foreach (var golden in json.RootElement.GetProperty("get_first_k_tokens").EnumerateArray())
                Assert.Equal(golden.GetProperty("out").GetString(), PromptTemplate.FirstWords(golden.GetProperty("text").GetString()!, golden.GetProperty("k").GetInt32()));
        }
        Assert.Equal("two\n\nparagraphs", PromptTemplate.FirstWords("two\n\nparagraphs", 2));
    }

    [Fact]
    public void The_first_words_are_those_of_the_whole_text_wherever_blanks_stand()
    {
        var random = new Random(5);
        for (var i = 0; i < 2000; i++)
        {
            var text = string.Concat(Enumerable.Range(0, random.Next(14)).Select(_ => "ab \n\t"[random.Next(5)]));
            var (words, count) = (text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries), random.Next(1, 5));
            Assert.Equal(words.Length <= count ? text : string.Join(' ', words.Take(count)), PromptTemplate.FirstWords(text, count));
        }
    }

    [Theory]
    [InlineData("histroy: x\nquery: y", "nearest is history")]
    [InlineData("history: '{txt}'\nquery: '{input}'", "nearest is {text}")]
    [InlineData("history: '{text}'\nquery: '{text}'", "nearest is {input}")]
    [InlineData("history: '{text} {title}'\nquery: '{input}'", "gives it away")]
    [InlineData("history: '{text'\nquery: '{input}'", "found a single \"{\" at character 1")]
    [InlineData("history: [a]\nquery: '{input}'", "found a list")]
    [InlineData("history: '{text}'", "only the keys history")]
    [InlineData("history: 'a\nquery: b", "no valid YAML")]
    [InlineData("just text", "no mapping")]
    [InlineData("", "no mapping")]
    public void A_faulty_prompt_file_is_refused_with_a_reason(string yaml, string reason) =>
        Assert.Contains(reason, Assert.Throws<DataFileException>(() => Parse(yaml)).Message);

    [Fact]
    public void A_missing_prompt_file_is_named() =>
        Assert.EndsWith("news_headline.yaml", Assert.Throws<DataFileException>(() => PromptTemplates.Load("nowhere", LampTasks.NewsHeadline)).Place.File);

    static PromptTemplate Parse(string yaml) => PromptTemplates.Parse(yaml, "x.yaml", LampTasks.NewsHeadline);

    static HistoryItem Item(params (string Field, string Text)[] fields) => new() { Id = "1", Fields = fields.ToDictionary(pair => pair.Field, pair => pair.Text) };
}
