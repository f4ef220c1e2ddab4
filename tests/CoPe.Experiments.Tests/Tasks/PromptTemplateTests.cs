using System.Text.Json;
using CoPe.Chat;
using CoPe.Experiments.Settings;
using CoPe.Experiments.Tasks;
using CoPe.Testing;

namespace CoPe.Experiments.Tests.Tasks;

public class PromptTemplateTests
{
    [Fact]
    public void Every_task_ships_a_prompt_that_names_each_input_field()
    {
        foreach (var task in LampTasks.All)
        {
            var item = Item([.. task.InputFields.Select(field => (field, $"<{field}>")), (task.OutputField, "ANSWER")]);
            var content = Assert.Single(PromptFile.LoadShipped(task).ForHistory(item)).Content;
            Assert.All(task.InputFields, field => Assert.Contains($"<{field}>", content));
            Assert.DoesNotContain("ANSWER", content);
        }
    }

    [Fact]
    public void A_history_item_is_worded_as_the_benchmark_words_its_queries()
    {
        var review = Item(("overall", "5.0"), ("description", "a cup"), ("summary", "fine"), ("reviewText", "r"));
        Assert.Equal(
            "Generate the review text written by a reviewer who has a given an overall rating of \"5.0\" for a product "
                + "with description \"a cup\". The summary of the review text is \"fine\".",
            PromptFile.LoadShipped(LampTasks.ReviewWriting).FormatHistoryItem(review)
        );
        Assert.Equal(
            "Generate a title for the following abstract of a paper: We do.",
            PromptFile
                .LoadShipped(LampTasks.ScholarlyTitle)
                .FormatHistoryItem(Item(("abstract", "We do."), ("title", "t")))
        );
    }

    [Fact]
    public void A_query_keeps_the_benchmarks_words_braces_included() =>
        Assert.Equal(
            [new ChatMessage("user", "Write {input} {x}")],
            PromptFile.LoadShipped(LampTasks.NewsHeadline).ForQuery(new() { Id = "1", Input = "Write {input} {x}" })
        );

    [Fact]
    public void A_system_text_comes_first_and_doubled_braces_are_braces()
    {
        var template = Parse("system: You are brief.\nhistory: '{{{text}}}'\nquery: 'Q: {input}'");
        Assert.Equal(
            [new ChatMessage("system", "You are brief."), new ChatMessage("user", "{a {b} c}")],
            template.ForHistory(Item(("text", "a {b} c"), ("title", "t")))
        );
    }

    [Fact]
    public void Every_field_is_cut_to_its_first_words()
    {
        var template = PromptFile.LoadShipped(LampTasks.NewsHeadline) with { MaxFieldWords = 2 };
        var item = Item(("text", "one  two\nthree"), ("title", "1 2 3"));
        Assert.EndsWith("article: one two", template.FormatHistoryItem(item));
        Assert.Equal("1 2", template.GetAnswer(item));
        Assert.Equal("a b", template.ForQuery(new() { Id = "1", Input = "a b c" })[0].Content);
    }

    [Fact]
    public void Every_field_is_cut_to_its_first_characters_and_none_of_them_in_two()
    {
        var template = PromptFile.LoadShipped(LampTasks.NewsHeadline) with { MaxFieldLength = 4 };
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
            {
                Assert.Equal(
                    golden.GetProperty("out").GetString(),
                    PromptTemplate.TruncateWords(
                        golden.GetProperty("text").GetString()!,
                        golden.GetProperty("k").GetInt32()
                    )
                );
            }
        }
        Assert.Equal("two\n\nparagraphs", PromptTemplate.TruncateWords("two\n\nparagraphs", 2));
    }

    [Fact]
    public void The_first_words_are_those_of_the_whole_text_wherever_blanks_stand()
    {
        var random = new Random(5);
        for (var i = 0; i < 2000; i++)
        {
            var text = string.Concat(Enumerable.Range(0, random.Next(14)).Select(_ => "ab \n\t"[random.Next(5)]));
            var (words, count) = (text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries), random.Next(1, 5));
            Assert.Equal(
                words.Length <= count ? text : string.Join(' ', words.Take(count)),
                PromptTemplate.TruncateWords(text, count)
            );
        }
    }

    [Theory]
    [InlineData("history: '{txt}'\nquery: '{input}'", "nearest is {text}")]
    [InlineData("history: '{text}'\nquery: '{text}'", "nearest is {input}")]
    [InlineData("history: '{text} {title}'\nquery: '{input}'", "gives it away")]
    [InlineData("history: '{text'\nquery: '{input}'", "found a single \"{\" at character 1")]
    public void A_wording_that_the_task_cannot_fill_is_refused_with_a_reason(string yaml, string reason) =>
        Assert.Contains(reason, Assert.Throws<DataFileException>(() => Parse(yaml)).Message);

    [Theory]
    [InlineData("histroy: x\nquery: y", "did you mean 'history'?")]
    [InlineData("history: [a]\nquery: '{input}'", "found a list")]
    [InlineData("history: '{text}'", "'query' is missing")]
    [InlineData("query: '{input}'", "'history' is missing")]
    [InlineData("history: 'a\nquery: b", "not valid YAML")]
    [InlineData("just text", "found 'just text'")]
    [InlineData("", "'history' is missing")]
    [InlineData("name: x\nhistory: x\nquery: y", "unknown key 'name'")]
    public void A_faulty_prompt_file_is_refused_with_a_reason(string yaml, string reason) =>
        Assert.Contains(reason, Assert.Throws<SettingsException>(() => Parse(yaml)).Message);

    [Fact]
    public void A_missing_prompt_file_is_named() =>
        Assert.EndsWith(
            "news_headline.yaml",
            Assert.Throws<DataFileException>(() => PromptFile.Read("nowhere", LampTasks.NewsHeadline)).Location.File
        );

    static PromptTemplate Parse(string yaml) => PromptFile.Parse(yaml, "x.yaml", LampTasks.NewsHeadline);

    static HistoryItem Item(params (string Field, string Text)[] fields) =>
        new() { Id = "1", Fields = fields.ToDictionary(pair => pair.Field, pair => pair.Text) };
}

public class InContextWordingTests
{
    const string Yaml =
        "history: '{text}'\nquery: 'Q: {input}'\nexample: '{text} => {title}'\n"
        + "examples: \"{examples}\\n{request}\"\nsummary: 'Who wrote {examples}?'\nprofile: '{profile} | {request}'";

    static readonly LampQuery Query = new() { Id = "1", Input = "a {b}" };

    [Fact]
    public void Every_task_ships_all_four_wordings_and_shows_the_users_answers()
    {
        foreach (var task in LampTasks.All)
        {
            var item = Item([.. task.InputFields.Select(field => (field, $"<{field}>")), (task.OutputField, "ANSWER")]);
            var template = PromptFile.LoadShipped(task);
            var content = Assert.Single(template.ForQuery(Query, [item], 10)).Content;
            Assert.Contains("ANSWER", content);
            Assert.All(task.InputFields, field => Assert.Contains($"<{field}>", content));
            Assert.EndsWith("a {b}", content);
            Assert.Contains("ANSWER", Assert.Single(template.ForSummary([item], 10)).Content);
            Assert.Contains("PROFILE", Assert.Single(template.ForQuery(Query, "PROFILE")).Content);
        }
    }

    [Fact]
    public void Examples_stand_before_the_request_with_their_fields_cut()
    {
        var items = new[] { Item(("text", "one two three"), ("title", "T")), Item(("text", "{x}"), ("title", "U V")) };
        Assert.Equal("one two => T\n\n{x} => U V\nQ: a {b}", Template.ForQuery(Query, items, 2)[0].Content);
        Assert.Equal("Who wrote one => T\n\n{x} => U?", Template.ForSummary(items, 1)[0].Content);
        Assert.Equal("curt | Q: a {b}", Template.ForQuery(Query, "curt")[0].Content);
    }

    [Fact]
    public void Without_history_the_request_stands_alone()
    {
        Assert.Equal("Q: a {b}", Template.ForQuery(Query, [], 2)[0].Content);
        Assert.Equal("Q: a {b}", Template.ForQuery(Query, "")[0].Content);
    }

    [Theory]
    [InlineData("example: '{headline}'", "found the name {headline}")]
    [InlineData("examples: '{example} {request}'", "nearest is {examples}")]
    [InlineData("summary: '{request}'", "one of {examples}")]
    [InlineData("profile: '{input}'", "one of {profile}, {request}")]
    public void A_name_that_a_wording_does_not_know_is_refused(string line, string reason) =>
        Assert.Contains(reason, Assert.Throws<DataFileException>(() => Parse("history: x\nquery: y\n" + line)).Message);

    [Fact]
    public void A_wording_that_was_not_given_is_named_when_it_is_needed() =>
        Assert.Contains(
            "no key 'profile'",
            Assert
                .Throws<InvalidOperationException>(() => Parse("history: x\nquery: y").ForQuery(Query, "curt"))
                .Message
        );

    static PromptTemplate Template => Parse(Yaml);

    static PromptTemplate Parse(string yaml) => PromptFile.Parse(yaml, "x.yaml", LampTasks.NewsHeadline);

    static HistoryItem Item(params (string Field, string Text)[] fields) =>
        new() { Id = "1", Fields = fields.ToDictionary(pair => pair.Field, pair => pair.Text) };
}
