using CoPe.Experiments.Data.Importing;

namespace CoPe.Experiments.Tests.Data.Importing;

public class OwnTextTests
{
    [Theory]
    [InlineData("# Leek tart\n\nServes four.\n- leeks", "Leek tart", "Serves four.\n- leeks")]
    [InlineData(
        "Der Garten im März\n\nAlso, um es gleich zu sagen.",
        "Der Garten im März",
        "Also, um es gleich zu sagen."
    )]
    [InlineData("# Is it so?\r\n\r\nYes.", "Is it so?", "Yes.")]
    [InlineData("# A heading that ends in a mark.\nText", "A heading that ends in a mark.", "Text")]
    public void A_heading_is_the_request(string text, string request, string body) =>
        Assert.Equal(new OwnText(request, body), OwnText.Split(text));

    [Theory]
    [InlineData("From: kim@example.org\nSubject: Friday\n\nHi Ann,\n\nsee you.", "Friday", "Hi Ann,\n\nsee you.")]
    [InlineData("Betreff: Urlaub\n\nLiebe Anna,\nbis bald", "Urlaub", "Liebe Anna,\nbis bald")]
    [InlineData("---\ntitle: \"On waiting\"\ntags: [a, b]\n---\nOne waits.", "On waiting", "One waits.")]
    [InlineData("---\ndate: 2024-01-01\n---\n# Snow\n\nIt fell.", "Snow", "It fell.")]
    public void So_are_a_mails_subject_and_the_title_of_a_front_matter(string text, string request, string body) =>
        Assert.Equal(new OwnText(request, body), OwnText.Split(text));

    [Theory]
    [InlineData("Dear Ann,\n\nI write to you about the house by the lake.", "Dear Ann, I write")]
    [InlineData(
        "It rained all day. We stayed in.\nThen it stopped, and the children went out.",
        "It rained all day. We"
    )]
    [InlineData("Buy milk and bread.", "Buy")]
    [InlineData("Milk", "Milk")]
    public void A_text_without_a_heading_is_asked_for_by_its_first_words(string text, string request) =>
        Assert.Equal(new OwnText(request, text), OwnText.Split(text));

    [Theory]
    [InlineData("Note: this line has a colon.\nAnd this one follows.")]
    [InlineData("---\n\nA rule, and a text under it that goes on for some words.")]
    [InlineData("# Only a heading")]
    [InlineData("Subject: nothing else")]
    public void No_text_is_lost_where_a_head_is_none(string text)
    {
        var own = OwnText.Split(text);

        Assert.Contains(text.Split('\n')[^1].Split(' ')[^1], own.Body, StringComparison.Ordinal);
        Assert.NotEmpty(own.Request);
    }
}
