using System.Text;
using CoPe.Experiments.Data;
using CoPe.Experiments.Tasks;
using CoPe.Testing;

namespace CoPe.Experiments.Tests.Data;

public class LampFilesReadTests
{
    [Fact]
    public void Users_with_number_and_text_ids_are_read_in_file_order()
    {
        using var folder = new LampTestFolder().WithFiles($"[{LampTestFolder.ValidUser}]");
        var dataset = folder.Read();
        var user = Assert.Single(dataset.Users);
        Assert.Equal(("7", "Ada"), (user.Id, user.Name));
        Assert.Equal(["1", "2"], user.History.Select(item => item.Id));
        Assert.Equal("new text", user.History[1].Fields["text"]);
        Assert.Equal(
            new LampQuery
            {
                Id = "3",
                Input = "Generate it",
                Gold = "Gold",
            },
            Assert.Single(user.Queries)
        );
        Assert.Equal("9", Assert.Single(dataset.Others).Id);
    }

    [Fact]
    public void Golds_come_from_the_label_file_where_the_query_has_none()
    {
        using var folder = new LampTestFolder().WithFiles(
            $"[{LampTestFolder.ValidUser.Replace(", \"gold\": \"Gold\"", "")}]",
            labels: """
            {"task": "LaMP_4", "golds": [
              {"id": "3", "output": "From the labels"}, {"id": "99", "output": "of nobody"}
            ]}
            """
        );
        Assert.Equal("From the labels", folder.Read().Users[0].Queries[0].Gold);
    }

    [Fact]
    public void To_score_alone_neither_the_other_users_nor_histories_are_needed()
    {
        using var folder = new LampTestFolder().WithFiles(
            """[{"user_id": 7, "profile": [], "query": [{"id": 3, "input": "Generate it", "gold": "Gold"}]}]""",
            others: "[]"
        );
        var dataset = folder.Read(new() { MaxOthers = 0, RequireHistory = false });
        Assert.Equal("Gold", dataset.Users.Single().Queries[0].Gold);
        Assert.Empty(dataset.Others);
        Assert.Contains(
            "no usable user",
            folder.ReadError(new() { RequireHistory = false }).Message,
            StringComparison.Ordinal
        );
        Assert.Contains(
            "an empty history",
            folder.ReadError(new() { MaxOthers = 0 }).Message,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void The_task_folder_itself_may_be_named()
    {
        using var folder = new LampTestFolder().WithFiles($"[{LampTestFolder.ValidUser}]");
        Assert.Equal("7", LampFiles.Read(folder.TaskPath, LampTasks.NewsHeadline).Users[0].Id);
    }

    [Theory]
    [InlineData("utf-8", true)]
    [InlineData("utf-16", true)]
    [InlineData("utf-16", false)]
    [InlineData("utf-16BE", true)]
    [InlineData("utf-16BE", false)]
    public void Byte_order_marks_UTF16_and_CRLF_make_no_difference(string name, bool mark)
    {
        Encoding encoding = name == "utf-8" ? new UTF8Encoding(mark) : new UnicodeEncoding(name == "utf-16BE", mark);
        using var folder = new LampTestFolder().WithFiles(
            $"[\r\n{LampTestFolder.ValidUser.Replace("Old", "Öld ☃ 😀")}\r\n]\r\n",
            encoding: encoding
        );
        Assert.Equal("Öld ☃ 😀", folder.Read().Users[0].History[0].Fields["title"]);
    }

    [Fact]
    public void Fields_nobody_asked_for_are_kept_where_they_are_texts_and_passed_over_where_they_are_not()
    {
        const string Text = "\"text\": \"old text\"";
        const string More = "\"date\": 2015, \"tags\": [{\"a\": [1]}], \"note\": null, ";
        using var folder = new LampTestFolder().WithFiles($"[{LampTestFolder.ValidUser.Replace(Text, More + Text)}]");
        Assert.Equal(["date", "text", "title"], folder.Read().Users[0].History[0].Fields.Keys.Order());
    }

    [Fact]
    public void Items_without_id_are_numbered()
    {
        using var folder = new LampTestFolder().WithFiles($"[{LampTestFolder.ValidUser.Replace("\"id\": 1, ", "")}]");
        Assert.Equal(["#1", "2"], folder.Read().Users[0].History.Select(item => item.Id));
    }

    [Fact]
    public void The_cap_keeps_the_newest_items_and_the_limits_keep_the_first_users()
    {
        var second = LampTestFolder.ValidUser.Replace("7", "8").Replace("\"id\": 3", "\"id\": 4");
        using var folder = new LampTestFolder().WithFiles($"[{LampTestFolder.ValidUser}, {second}]");
        var users = folder.Read(new() { HistoryCap = 1, MaxUsers = 1 }).Users;
        Assert.Equal("2", Assert.Single(Assert.Single(users).History).Id);
    }

    [Fact]
    public void Users_without_history_or_query_are_left_out_and_reported_where_that_is_asked()
    {
        const string Empty = """{"user_id": 1, "profile": [], "query": [{"id": 9, "input": "x", "gold": "y"}]}""";
        using var folder = new LampTestFolder().WithFiles($"[{Empty}, {LampTestFolder.ValidUser}]");
        var left = new List<DataFileException>();
        Assert.Equal("7", Assert.Single(folder.Read(new() { OnUserSkipped = left.Add }).Users).Id);
        Assert.Equal("1", Assert.Single(left).Location.User);
    }

    [Fact]
    public void A_user_with_a_hundred_thousand_items_and_a_text_of_many_megabytes_are_read()
    {
        var items = string.Join(
            ",",
            Enumerable.Range(0, 100_000).Select(i => $$"""{"id":{{i}},"text":"t","title":"T"}""")
        );
        var big = new string('x', 20_000_000);
        using var folder = new LampTestFolder().WithFiles(
            $$"""
            [{"user_id":1,"profile":[{{items}},{"id":"big","text":"{{big}}","title":"T"}],
              "query":[{"id":9,"input":"x","gold":"y"}]}]
            """
        );
        var profile = folder.Read().Users[0].History;
        Assert.Equal(100_001, profile.Count);
        Assert.Equal(big.Length, profile[^1].Fields["text"].Length);
    }

    [Fact]
    public void Written_files_are_read_back_the_same()
    {
        using var folder = new LampTestFolder().WithFiles(
            $"[{LampTestFolder.ValidUser.Replace("Old", "\\\"Quoted\\\" – Öld \\u0000 <b>")}]"
        );
        var dataset = folder.Read();
        using var copy = new LampTestFolder();
        LampFiles.Write(copy.Path, dataset);
        Assert.Equivalent(dataset, copy.Read(), strict: true);
        Assert.Equal(3, Directory.GetFiles(copy.TaskPath).Length);
    }
}

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
        var user = new LampUser
        {
            Id = "u",
            History =
            [
                new()
                {
                    Id = "1",
                    Fields = new Dictionary<string, string> { ["text"] = text, ["title"] = "T" },
                },
            ],
            Queries =
            [
                new()
                {
                    Id = "q",
                    Input = text,
                    Gold = text,
                },
            ],
        };
        LampFiles.Write(
            folder.Path,
            new()
            {
                Task = LampTasks.NewsHeadline,
                Users = [user],
                Others = [user with { Id = "o" }],
            }
        );

        var read = LampFiles.Read(folder.Path, LampTasks.NewsHeadline).Users[0];

        Assert.Equal(text, read.History[0].Fields["text"]);
        Assert.Equal((text, text), (read.Queries[0].Input, read.Queries[0].Gold));
    }
}
