using CoPe.Data;

namespace CoPe.Tests.Data;

public class LampFilesWriteTests
{
    [Theory]
    [InlineData(65_535)]
    [InlineData(65_536)]
    [InlineData(65_537)]
    [InlineData(300_000)]
    public void A_text_of_any_length_comes_back_as_it_was(int letters)
    {
        using var folder = new TemporaryFolder();
        // A pair of surrogates stands across the border between two pieces.
        var text = new string('x', letters - 1) + "😀\"quoted\"\n\t\\ äöü " + new string('y', 70_000);
        var user = new LampUser { Id = "u", Profile = [new() { Id = "1", Fields = new Dictionary<string, string> { ["text"] = text, ["title"] = "T" } }], Queries = [new() { Id = "q", Input = text, Gold = text }] };
        LampFiles.Write(folder.Path, new() { Task = LampTasks.NewsHeadline, Users = [user], Others = [user with { Id = "o" }] });

        var read = LampFiles.Read(folder.Path, LampTasks.NewsHeadline).Users[0];

        Assert.Equal(text, read.Profile[0].Fields["text"]);
        Assert.Equal((text, text), (read.Queries[0].Input, read.Queries[0].Gold));
    }
}
