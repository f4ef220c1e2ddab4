using CoPe.Data;
using CoPe.Prompts;

namespace CoPe.Tests.Prompts;

public class InContextWordingTests
{
    const string Yaml = "history: '{text}'\nquery: 'Q: {input}'\nexample: '{text} => {title}'\nexamples: \"{examples}\\n{request}\"\nsummary: 'Who wrote {examples}?'\nprofile: '{profile} | {request}'";

    static readonly LampQuery Query = new() { Id = "1", Input = "a {b}" };

    [Fact]
    public void Every_task_ships_all_four_wordings_and_shows_the_users_answers()
    {
        foreach (var task in LampTasks.All)
        {
            var item = Item([.. task.InputFields.Select(field => (field, $"<{field}>")), (task.OutputField, "ANSWER")]);
            var template = PromptTemplates.Shipped(task);
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
        Assert.Contains("no key 'profile'", Assert.Throws<InvalidOperationException>(() => Parse("history: x\nquery: y").ForQuery(Query, "curt")).Message);

    static PromptTemplate Template => Parse(Yaml);

    static PromptTemplate Parse(string yaml) => PromptTemplates.Parse(yaml, "x.yaml", LampTasks.NewsHeadline);

    static HistoryItem Item(params (string Field, string Text)[] fields) => new() { Id = "1", Fields = fields.ToDictionary(pair => pair.Field, pair => pair.Text) };
}
