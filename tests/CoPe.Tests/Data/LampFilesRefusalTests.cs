using CoPe.Data;

namespace CoPe.Tests.Data;

public class LampFilesRefusalTests
{
    [Fact]
    public void A_missing_folder_a_missing_task_and_a_missing_file_are_named()
    {
        using var folder = new LampFolder();
        Assert.Contains("no such folder", Assert.Throws<DataFileException>(() => LampFiles.Read(Path.Combine(folder.Path, "nowhere"), LampTasks.NewsHeadline)).Message);
        Directory.CreateDirectory(Path.Combine(folder.Path, "news_headlines"));
        Assert.Contains("only the folders news_headlines", folder.Refused().Message);
        Directory.CreateDirectory(folder.TaskPath);
        Assert.EndsWith(LampFiles.UsersFile, folder.Refused().Place.File);
    }

    [Fact]
    public void A_history_item_without_a_field_is_named_with_file_user_item_and_field()
    {
        using var folder = new LampFolder().With($"[{LampFolder.GoodUser.Replace(", \"title\": \"New\"", "")}]");
        var refused = folder.Refused();
        Assert.EndsWith(LampFiles.UsersFile, refused.Place.File);
        Assert.Equal(("7", "2", "title"), (refused.Place.User, refused.Place.Item, refused.Place.Field));
        Assert.Contains("only the fields text", refused.Message);
        Assert.DoesNotContain('\n', refused.Message);
    }

    [Theory]
    [InlineData("\"New\"", "null", "title")]
    [InlineData("\"New\"", "\" \"", "title")]
    [InlineData("\"New\"", "[\"New\"]", "title")]
    [InlineData("\"profile\"", "\"profil\"", "profile")]
    [InlineData("\"query\"", "\"queries\"", "query")]
    [InlineData("\"user_id\"", "\"id\"", "user_id")]
    [InlineData("\"input\"", "\"inputs\"", "input")]
    [InlineData("\"user_id\": 7", "\"user_id\": [7]", "user_id")]
    [InlineData("\"user_id\": 7", "\"user_id\": null", "user_id")]
    public void A_faulty_user_is_refused_with_the_field(string good, string bad, string field)
    {
        using var folder = new LampFolder().With($"[{LampFolder.GoodUser.Replace(good, bad)}]");
        Assert.Equal(field, folder.Refused().Place.Field);
    }

    [Fact]
    public void An_empty_history_a_user_without_queries_and_a_file_without_users_are_refused()
    {
        using var folder = new LampFolder().With("""[{"user_id": 1, "profile": [], "query": [{"id": 9, "input": "x", "gold": "y"}]}]""");
        Assert.Contains("user 1, field \"profile\": found an empty history", folder.Refused().Message);
        folder.With("""[{"user_id": 1, "profile": [{"id": 1, "text": "a", "title": "b"}], "query": []}]""");
        Assert.Contains("user 1, field \"query\": found no query", folder.Refused().Message);
        folder.With("[]");
        Assert.Contains("no usable user", folder.Refused().Message);
    }

    [Fact]
    public void Other_users_need_queries_but_no_history()
    {
        using var folder = new LampFolder().With($"[{LampFolder.GoodUser}]", """[{"user_id": 1, "profile": [], "query": [{"id": 9, "input": "x", "gold": "y"}]}]""");
        Assert.Empty(folder.Read().Others[0].Profile);
        folder.With($"[{LampFolder.GoodUser}]", """[{"user_id": 1, "profile": [], "query": []}]""");
        Assert.EndsWith(LampFiles.OthersFile, folder.Refused().Place.File);
    }

    [Theory]
    [InlineData("[{0}, {0}]", "two users")]
    [InlineData("[{0}, {1}]", "two queries")]
    [InlineData("[{2}]", "two history items with the id \"2\"")]
    public void Duplicate_ids_are_refused(string layout, string found)
    {
        var users = layout.Replace("{0}", LampFolder.GoodUser).Replace("{1}", LampFolder.GoodUser.Replace("7", "8")).Replace("{2}", LampFolder.GoodUser.Replace("\"id\": 1", "\"id\": 2"));
        using var folder = new LampFolder().With(users);
        Assert.Contains(found, folder.Refused().Message);
    }

    [Theory]
    [InlineData("", "an empty file")]
    [InlineData("\0\0\0\0", "no valid JSON")]
    [InlineData("[{\"user_id\": 1,\n", "no valid JSON at line 2")]
    [InlineData("[{\"user_id\": \"\\ud800\"}]", "user number 1, field \"user_id\": found text that is no valid Unicode")]
    [InlineData("[{\"user_id\": 1, \"profile\": [{\"id\": 5, \"te", "user 1, item number 1: found no valid JSON at line 1")]
    [InlineData("{\"user_id\": 1}", "an object")]
    [InlineData("[1]", "found 1, expected an object")]
    [InlineData("a,b\n1,2", "no valid JSON")]
    public void A_file_that_is_no_array_of_users_is_refused(string text, string found)
    {
        using var folder = new LampFolder().With(text);
        Assert.Contains(found, folder.Refused().Message);
    }

    [Fact]
    public void Golds_that_are_missing_or_disagree_are_refused_unless_none_are_needed()
    {
        var blind = $"[{LampFolder.GoodUser.Replace(", \"gold\": \"Gold\"", "")}]";
        using var folder = new LampFolder().With(blind);
        Assert.Contains("no such file, and no gold", folder.Refused().Message);
        Assert.Equal("", folder.Read(new() { RequireGolds = false }).Users[0].Queries[0].Gold);
        folder.With(blind, labels: """{"golds": [{"id": 1, "output": "x"}]}""");
        Assert.Contains("no label for the query", folder.Refused().Message);
        folder.With($"[{LampFolder.GoodUser}]", labels: """{"golds": [{"id": 3, "output": "Another"}]}""");
        Assert.Contains("another gold", folder.Refused().Message);
        folder.With(blind, labels: """{"golds": [{"id": 3, "output": "x"}, {"id": 3, "output": "x"}]}""");
        Assert.Contains("two labels", folder.Refused().Message);
        folder.With(blind, labels: """{"golds": [{"id": 3, "output": " "}]}""");
        Assert.Contains("an empty label, and no gold", folder.Refused().Message);
    }

    [Fact]
    public void A_query_of_another_user_without_gold_is_refused_unless_none_are_needed()
    {
        var silent = LampFolder.GoodUser.Replace("7", "9").Replace("\"Gold\"", "null");
        using var folder = new LampFolder().With($"[{LampFolder.GoodUser}]", others: $"[{silent}]");
        var refused = folder.Refused();
        Assert.Equal(("9", "3", "gold"), (refused.Place.User, refused.Place.Item, refused.Place.Field));
        Assert.EndsWith(LampFiles.OthersFile, refused.Place.File);
        Assert.Equal("", folder.Read(new() { RequireGolds = false }).Others[0].Queries[0].Gold);
    }

    [Fact]
    public void Limits_below_one_are_refused() =>
        Assert.Contains("HistoryCap is 0", Assert.Throws<ArgumentOutOfRangeException>(() => new LampReadOptions { HistoryCap = 0 }).Message);
}
