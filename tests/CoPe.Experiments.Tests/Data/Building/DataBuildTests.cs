using System.Text.Json;
using CoPe.Experiments.Data;
using CoPe.Experiments.Data.Building;
using CoPe.Experiments.Data.Checking;
using CoPe.Experiments.Tasks;
using CoPe.Testing;

namespace CoPe.Experiments.Tests.Data.Building;

public sealed class DataBuildTests : IDisposable
{
    readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    static object Item(string id, int day, string? title = null) =>
        new
        {
            id,
            text = $"the article {id} of some length",
            title = title ?? $"The own headline of {id}",
            date = $"2020-01-{day:00}",
        };

    /// <summary>Users a to f; a has most items, newest first in the file.</summary>
    static List<Dictionary<string, object>> Records() =>
        [
            .. "abcdef".Select(
                (user, index) =>
                    new Dictionary<string, object>
                    {
                        ["id"] = index + 1,
                        ["input"] = $"Generate a headline for the following article: the new article of {user}",
                        ["user_id"] = user.ToString(),
                        ["profile"] = Enumerable
                            .Range(1, 8 - index)
                            .Reverse()
                            .Select(day => Item($"{user}{day}", day))
                            .ToArray(),
                    }
            ),
        ];

    static object Golds(int count) =>
        new
        {
            task = "LaMP_4",
            golds = Enumerable
                .Range(1, count)
                .Select(id => new { id = $"{id}", output = $"The true headline number {id}" }),
        };

    BuildOptions Write(List<Dictionary<string, object>> records, object? golds = null)
    {
        _folder.Write("train_questions.json", JsonSerializer.Serialize(records));
        _folder.Write("train_outputs.json", JsonSerializer.Serialize(golds ?? Golds(records.Count)));
        return new()
        {
            Definition = TaskFile.LoadShipped("news_headline"),
            Sources = [_folder.At("train_questions.json")],
            TestUsers = 2,
            Target = _folder.At("out"),
            OutputFiles = new Dictionary<string, string>
            {
                [_folder.At("train_questions.json")] = _folder.At("train_outputs.json"),
            },
        };
    }

    LampDataset Read() => LampFiles.Read(_folder.At("out"), LampTasks.NewsHeadline);

    [Fact]
    public void The_users_with_the_longest_histories_are_tested_in_order_of_time_and_the_others_train()
    {
        var report = DataBuild.Run(Write(Records()));

        var data = Read();
        Assert.Equal(["a", "b"], data.Users.Select(user => user.Id));
        Assert.Equal(["a1", "a2", "a3", "a4", "a5", "a6", "a7", "a8"], data.Users[0].History.Select(item => item.Id));
        Assert.Equal("The true headline number 1", data.Users[0].Queries[0].Gold);
        Assert.Equal(["c", "d", "e", "f"], data.Others.Select(user => user.Id).Order());
        Assert.Equal((6, 6, 33, 0), (report.Examples, report.Users, report.Items, report.UndatedUsers));
        Assert.Empty(Directory.EnumerateDirectories(_folder.At("out/news_headline")));
    }

    [Fact]
    public void A_query_stands_in_no_history_by_id_or_text_and_no_test_users_item_trains_the_task_model()
    {
        var records = Records();
        records[0]["profile"] = ((object[])records[0]["profile"])
            .Append(Item("1", 9))
            .Append(Item("a10", 10, "The TRUE headline: number 1!"))
            .ToArray();
        records[4]["profile"] = ((object[])records[4]["profile"])
            .Append(Item("e9", 9, "The true headline number 2"))
            .ToArray();
        var golds = new
        {
            task = "LaMP_4",
            golds = Enumerable
                .Range(1, 6)
                .Select(id => new
                {
                    id,
                    output = id == 4 ? "The own headline of a3" : $"The true headline number {id}",
                }),
        };

        var report = DataBuild.Run(Write(records, golds));

        var findings = report.Check.Findings;
        Assert.Equal(
            (1, 2, 1),
            (
                findings.CountOf(CheckRules.LeakId),
                findings.CountOf(CheckRules.LeakText),
                findings.CountOf(CheckRules.LeakTask)
            )
        );
        Assert.DoesNotContain(Read().Others, user => user.Id == "d");
        Assert.Empty(
            DataCheck
                .Run(
                    new()
                    {
                        Definition = TaskFile.LoadShipped("news_headline"),
                        UsersFile = _folder.At("out/news_headline/" + LampFiles.UsersFile),
                        OthersFile = _folder.At("out/news_headline/" + LampFiles.OthersFile),
                    }
                )
                .Findings.Rules
        );
    }

    [Fact]
    public void The_same_seed_gives_the_same_bytes_and_another_draws_other_users()
    {
        string[] Names(long seed)
        {
            DataBuild.Run(Write(Records()) with { Seed = seed, MaxOthers = 2 });
            return [.. Read().Others.Select(user => user.Id)];
        }

        var first = Names(1);
        var bytes = File.ReadAllBytes(_folder.At("out/news_headline/" + LampFiles.OthersFile));
        Assert.Equal(first, Names(1));
        Assert.Equal(bytes, File.ReadAllBytes(_folder.At("out/news_headline/" + LampFiles.OthersFile)));
        Assert.Contains(Enumerable.Range(2, 8), seed => !Names(seed).SequenceEqual(first));
    }

    [Fact]
    public void Json_lines_with_outputs_and_several_examples_of_a_user_make_one_user()
    {
        var lines = Records();
        foreach (var (record, index) in lines.Select((record, index) => (record, index)))
        {
            record["output"] = $"The true headline number {index + 1}";
        }

        var again = new Dictionary<string, object>(lines[5])
        {
            ["id"] = "2",
            ["input"] = "Generate a headline for the following article: yet another",
            ["output"] = "Another headline of this user",
            ["profile"] = Enumerable.Range(1, 20).Select(day => Item($"f{day}", day)).ToArray(),
        };
        _folder.Write(
            "all.jsonl",
            string.Join("\n", lines.Append(again).Select(line => JsonSerializer.Serialize(line)))
        );

        var report = DataBuild.Run(Write(Records()) with { Sources = [_folder.At("all.jsonl")] });

        var user = Read().Users[0];
        Assert.Equal(("f", 20), (user.Id, user.History.Count));
        Assert.Equal(["6", "2#2"], user.Queries.Select(query => query.Id));
        Assert.Equal((7, 6), (report.Examples, report.Users));
    }

    [Fact]
    public void Without_a_user_in_the_file_every_example_is_one_and_undated_items_keep_their_order()
    {
        var records = Records();
        foreach (var record in records)
        {
            record.Remove("user_id");
            record["profile"] = Enumerable
                .Range(1, 3)
                .Select(number => new
                {
                    id = $"{record["id"]}-{number}",
                    text = $"text {number} of {record["id"]}",
                    title = $"Title {number} of {record["id"]}",
                })
                .ToArray();
        }

        var report = DataBuild.Run(Write(records));

        Assert.Equal((6, 6), (report.Users, report.UndatedUsers));
        Assert.All(
            Read().Users,
            user => Assert.Equal([$"{user.Id}-1", $"{user.Id}-2", $"{user.Id}-3"], user.History.Select(item => item.Id))
        );
    }

    [Fact]
    public void Examples_and_items_that_cannot_be_used_are_left_out_and_named()
    {
        var records = Records();
        records[5].Remove("input");
        records[4]["profile"] = new object[] { new { id = "x", text = "no title" }, Item("e1", 1) };
        records[3]["id"] = 99;

        var report = DataBuild.Run(Write(records));

        Assert.Equal(5, report.ProblemCount);
        Assert.Contains(
            report.Problems,
            problem => problem.Contains("item 5, profile item x, field \"title\"", StringComparison.Ordinal)
        );
        Assert.Contains(
            report.Problems,
            problem => problem.Contains("item 6, field \"input\"", StringComparison.Ordinal)
        );
        Assert.Contains(
            report.Problems,
            problem => problem.Contains("train_outputs.json, item 99: found no output", StringComparison.Ordinal)
        );
        Assert.Equal(
            2,
            report.Problems.Count(problem =>
                problem.Contains("found an output without a question", StringComparison.Ordinal)
            )
        );
        Assert.Equal(1, report.WithoutGold);
    }

    [Fact]
    public void Nulls_and_entries_that_are_no_objects_are_left_out_and_named()
    {
        var records = Records();
        records[5]["user_id"] = null!;
        records[4]["profile"] = new object[]
        {
            new
            {
                id = "x",
                text = "a text",
                title = (string?)null,
            },
            Item("e1", 1),
        };
        var options = Write(records);
        File.WriteAllText(options.Sources[0], $"[null, [1], {JsonSerializer.Serialize(records)[1..]}");

        var report = DataBuild.Run(options);

        Assert.Contains(
            report.Problems,
            problem => problem.Contains("item number 1: found null", StringComparison.Ordinal)
        );
        Assert.Contains(
            report.Problems,
            problem => problem.Contains("item number 2: found an array", StringComparison.Ordinal)
        );
        Assert.Contains(
            report.Problems,
            problem => problem.Contains("item 5, profile item x, field \"title\": found null", StringComparison.Ordinal)
        );
        Assert.Contains(
            report.Problems,
            problem => problem.Contains("item 6, field \"user_id\": found null", StringComparison.Ordinal)
        );
        Assert.Equal((5, 5), (report.Examples, report.Users));
    }

    [Fact]
    public void Ids_that_cannot_be_seen_cost_their_example_or_item_and_are_named()
    {
        var records = Records();
        records[5]["user_id"] = "A. Smith\n";
        records[4]["id"] = "";
        records[3]["profile"] = new[] { Item("", 1), Item("d\u0001", 2), Item("d3", 3) };

        var report = DataBuild.Run(Write(records));

        Assert.Equal(["d3"], Read().Others.Single(user => user.Id == "d").History.Select(item => item.Id));
        // Two examples and two items, and the outputs of the two examples.
        Assert.Equal((4, 4, 6), (report.Examples, report.Users, report.ProblemCount));
        Assert.Contains(
            report.Problems,
            problem =>
                problem.Contains(
                    "train_questions.json, item 6, field \"user_id\": found an id with control characters",
                    StringComparison.Ordinal
                )
        );
        Assert.Contains(
            report.Problems,
            problem =>
                problem.Contains(
                    "train_questions.json, item number 5, field \"id\": found an empty id",
                    StringComparison.Ordinal
                )
        );
        Assert.Contains(
            report.Problems,
            problem =>
                problem.Contains(
                    "item 4, profile item number 1, field \"id\": found an empty id",
                    StringComparison.Ordinal
                )
        );
        Assert.Contains(
            report.Problems,
            problem =>
                problem.Contains(
                    "item 4, profile item number 2, field \"id\": found an id with control characters",
                    StringComparison.Ordinal
                )
        );
    }

    [Fact]
    public void An_id_that_stands_for_two_texts_keeps_both_and_is_named()
    {
        var records = Records();
        records[5]["user_id"] = "a";
        records[5]["profile"] = new[] { Item("a1", 3, "Quite another headline here"), Item("a2", 2), Item("f3", 4) };

        var report = DataBuild.Run(Write(records));

        var user = Read().Users.Single(user => user.Id == "a");
        Assert.Equal(
            ["a1", "a1#2", "a2", "a3", "a4", "a5", "a6", "a7", "a8", "f3"],
            user.History.Select(item => item.Id).Order(StringComparer.Ordinal)
        );
        Assert.Contains(
            "user a, item a1: found another text",
            Assert.Single(report.Problems),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void A_date_that_cannot_be_read_is_named_and_progress_tells_of_every_stage()
    {
        var records = Records();
        records[1]["profile"] = new object[]
        {
            Item("b1", 2),
            new
            {
                id = "b2",
                text = "another text",
                title = "Its own headline here",
                date = "soon",
            },
        };
        var stages = new RecordedStages();

        var report = DataBuild.Run(Write(records) with { Progress = stages });

        Assert.Contains(
            "user b, item b2, field \"date\": found \"soon\"",
            Assert.Single(report.Problems),
            StringComparison.Ordinal
        );
        Assert.Equal(["read", "write", "check"], stages.Names);
        Assert.Throws<OperationCanceledException>(() =>
            DataBuild.Run(Write(Records()) with { CancellationToken = new(true) })
        );
    }

    [Theory]
    [InlineData("", "an empty file")]
    [InlineData("[{\"id\": 1,", "no valid JSON")]
    [InlineData("\"text\"", "item number 1: found the text \"text\"")]
    [InlineData("[] []", "more behind the array of examples")]
    [InlineData("\u001f\u008b", "no valid JSON")]
    [InlineData("[]", "0 users with a question")]
    public void A_file_that_is_no_benchmark_is_refused(string text, string found)
    {
        var options = Write(Records());
        File.WriteAllText(options.Sources[0], text);

        Assert.Contains(
            found,
            Assert.Throws<DataFileException>(() => DataBuild.Run(options)).Message,
            StringComparison.Ordinal
        );
        Assert.False(File.Exists(_folder.At("out/news_headline/" + LampFiles.UsersFile)));
    }
}
