using System.Text;
using System.Text.Json;
using CoPe.Experiments.Data;
using CoPe.Experiments.Data.Checking;
using CoPe.Experiments.Tasks;
using CoPe.Testing;

namespace CoPe.Experiments.Tests.Data.Checking;

public class DataCheckTests
{
    static CheckOptions Options(LampTestFolder folder, string? fix = null) =>
        new()
        {
            Definition = TaskFile.LoadShipped("news_headline"),
            UsersFile = Path.Combine(folder.TaskPath, LampFiles.UsersFile),
            OthersFile = Path.Combine(folder.TaskPath, LampFiles.OthersFile),
            LabelsFile = File.Exists(Path.Combine(folder.TaskPath, LampFiles.LabelsFile))
                ? Path.Combine(folder.TaskPath, LampFiles.LabelsFile)
                : null,
            CleanCopyFolder = fix,
        };

    static string User(string id, string profile, string query) =>
        $$"""{"user_id": {{id}}, "profile": [{{profile}}], "query": [{{query}}]}""";

    static string Item(string id, string text, string title) =>
        JsonSerializer.Serialize(
            new
            {
                id,
                text,
                title,
            }
        );

    static string Query(string id, string input, string gold) =>
        JsonSerializer.Serialize(
            new
            {
                id,
                input,
                gold,
            }
        );

    static readonly string Others = $"[{User("\"o\"", "", Query("x", "Generate a headline", "Something else"))}]";

    static readonly string OneItem = Item("1", "an old text of some words", "Old");

    [Fact]
    public void Good_data_has_no_findings_and_is_counted()
    {
        using var folder = new LampTestFolder().WithFiles($"[{LampTestFolder.ValidUser}]", Others);

        var report = DataCheck.Run(Options(folder));

        Assert.Empty(report.Findings.Rules);
        Assert.Equal([(1, 2, 1), (1, 0, 1)], report.Files.Select(file => (file.Users, file.Items, file.Queries)));
        Assert.Equal((2, 2), (report.Words["history input"].Count, report.Words["history input"].Median));
    }

    public static TheoryData<string, string, string?> Faults =>
        new()
        {
            {
                "schema",
                User("1", "{\"id\": 1, \"text\": \"x\"}, " + OneItem, Query("q", "i", "g")),
                "item 1, field \"title\""
            },
            { "schema", User("1", "7, " + OneItem, Query("q", "i", "g")), "item number 1" },
            {
                "schema",
                User(
                    "1",
                    OneItem + ", {\"id\": 2, \"text\": \"half \\ud83d of a pair\", \"title\": \"x\"}",
                    Query("q", "i", "g")
                ),
                "user 1, item number 2, field \"text\""
            },
            {
                "schema",
                User(
                    "1",
                    OneItem
                        + ", {\"id\": 2, \"text\": "
                        + new string('[', 50_000)
                        + new string(']', 50_000)
                        + ", \"title\": \"x\"}",
                    Query("q", "i", "g")
                ),
                "user 1, item number 2, field \"text\""
            },
            {
                "schema",
                User(
                    "1",
                    OneItem + ", {\"id\": 2, \"text\": \"a\", \"text\": \"b\", \"title\": \"x\"}",
                    Query("q", "i", "g")
                ),
                "user 1, item number 2"
            },
            { "schema", "{\"profile\": [{\"id\": 1}]}, " + User("1", OneItem, Query("q", "i", "g")), "user number 1" },
            {
                "schema",
                User("[3]", OneItem, Query("z", "i", "g")) + ", " + User("1", OneItem, Query("q", "i", "g")),
                "field \"user_id\""
            },
            {
                "schema",
                User("\"\"", OneItem, Query("z", "i", "g")) + ", " + User("1", OneItem, Query("q", "i", "g")),
                "user number 1, field \"user_id\""
            },
            {
                "schema",
                User("\"a\\u0000b\"", OneItem, Query("z", "i", "g")) + ", " + User("1", OneItem, Query("q", "i", "g")),
                "user number 1, field \"user_id\""
            },
            { "schema", User("1", OneItem, Query(" ", "i", "g") + ", " + Query("q", "i", "g")), "field \"id\"" },
            {
                "schema",
                User("1", OneItem, "{\"id\": \"z\", \"input\": null, \"gold\": \"g\"}, " + Query("q", "i", "g")),
                "item z, field \"input\""
            },
            {
                "schema",
                "{\"user_id\": 5, \"profile\": [], \"profile\": [], \"query\": []}, "
                    + User("1", OneItem, Query("q", "i", "g")),
                "user 5, field \"profile\""
            },
            {
                "duplicate_user",
                User("1", OneItem, Query("q", "i", "g")) + ", " + User("\"1\"", OneItem, Query("r", "i", "g")),
                "user 1"
            },
            { "duplicate_query", User("1", OneItem, Query("q", "i", "g") + ", " + Query("q", "j", "h")), "item q" },
            {
                "duplicate_item",
                User("1", OneItem + ", " + Item("1", "something", "Other"), Query("q", "i", "g")),
                "item 1"
            },
            {
                "duplicate_text",
                User("1", OneItem + ", " + Item("2", "An old text, of some words.", "OLD"), Query("q", "i", "g")),
                "item 2"
            },
            { "leak_id", User("1", OneItem + ", " + Item("q", "a b", "c"), Query("q", "i", "g")), "item q" },
            {
                "leak_text",
                User("1", OneItem + ", " + Item("5", "text", "It Rains All Day"), Query("q", "i", "It rains all day!")),
                "item 5"
            },
            {
                "leak_text",
                User(
                    "1",
                    OneItem + ", " + Item("5", "the rain fell all day", "Wet"),
                    Query("q", "Generate a headline for the following article: The rain fell all day", "g")
                ),
                "item 5"
            },
            { "no_query", User("1", OneItem, "") + ", " + User("2", OneItem, Query("q", "i", "g")), "user 1" },
            {
                "no_history",
                User("1", "", Query("z", "i", "g")) + ", " + User("2", OneItem, Query("q", "i", "g")),
                "user 1"
            },
            { "no_gold", User("1", OneItem, Query("z", "i", "") + ", " + Query("q", "i", "g")), "item z" },
            {
                "empty_input",
                User("1", OneItem + ", " + Item("2", " ", "Title"), Query("q", "i", "g")),
                "item 2, field \"text\""
            },
            {
                "cut_text",
                User("1", OneItem + ", " + Item("2", "text", "Rain falls and..."), Query("q", "i", "g")),
                "item 2, field \"title\""
            },
            {
                "control_characters",
                User("1", OneItem + ", " + Item("2", "a\0b", "Title"), Query("q", "i", "g")),
                "item 2, field \"text\""
            },
            {
                "uncounted_script",
                User("1", OneItem + ", " + Item("2", "a text", "今天下雨"), Query("q", "i", "g")),
                "item 2, field \"title\""
            },
            {
                "long_word",
                User("1", OneItem + ", " + Item("2", "see " + new string('a', 2001), "Title"), Query("q", "i", "g")),
                "item 2, field \"text\""
            },
        };

    [Theory]
    [MemberData(nameof(Faults))]
    public void A_fault_is_found_once_with_its_place_and_a_clean_copy_has_none(string rule, string users, string? place)
    {
        using var folder = new LampTestFolder().WithFiles($"[{users}]", Others);
        using var target = new TemporaryFolder();

        var report = DataCheck.Run(Options(folder, target.Path));

        var found = Assert.Single(report.Findings.Rules);
        Assert.Equal(rule, found.Name);
        Assert.Contains(place!, report.Findings.FirstOf(found)[0].Location.ToString(), StringComparison.Ordinal);
        Assert.True(report.IsFixed);
        var again = LampFiles.Read(target.Path, LampTasks.NewsHeadline);
        Assert.Equal("q", again.Users[0].Queries[0].Id);
        Assert.Contains(again.Users[0].History, item => item.Fields["text"] == "an old text of some words");
        var clean = DataCheck.Run(
            Options(folder) with
            {
                UsersFile = target.At("news_headline/" + LampFiles.UsersFile),
                OthersFile = target.At("news_headline/" + LampFiles.OthersFile),
                LabelsFile = target.At("news_headline/" + LampFiles.LabelsFile),
            }
        );
        Assert.True(found.Fix == "stays" || !clean.Findings.Rules.Any());
    }

    [Fact]
    public void A_test_users_text_among_the_training_queries_and_a_test_user_among_the_others_are_found()
    {
        string[] others =
        [
            User("\"a\"", "", Query("x", "i", "An Old Text That Is Mine")),
            User("1", "", Query("y", "i", "g")),
            User("\"b\"", "", Query("q", "i", "g")),
            User("\"c\"", "", Query("z", "i", "g")),
        ];
        var leaks = $"[{string.Join(", ", others)}]";
        using var folder = new LampTestFolder().WithFiles(
            $"[{User("1", Item("1", "text", "An old text that is mine"), Query("q", "i", "g"))}]",
            leaks
        );

        var report = DataCheck.Run(Options(folder));

        Assert.Equal(
            (2, 1),
            (report.Findings.CountOf(CheckRules.LeakTask), report.Findings.CountOf(CheckRules.UserInBoth))
        );
        Assert.Equal(["x", "q"], report.Findings.FirstOf(CheckRules.LeakTask).Select(finding => finding.Location.Item));
    }

    [Fact]
    public void Labels_that_disagree_and_labels_of_no_query_are_found()
    {
        using var folder = new LampTestFolder().WithFiles(
            $"[{User("1", OneItem, Query("q", "i", "g") + ", " + Query("r", "i", ""))}]",
            Others,
            """
            {"golds": [
              {"id": "q", "output": "h"}, {"id": "r", "output": "mine"}, {"id": "s", "output": "x"}, {"id": 4}
            ]}
            """
        );

        var report = DataCheck.Run(Options(folder));

        Assert.Equal(["schema", "gold_conflict", "label_unused"], report.Findings.Rules.Select(rule => rule.Name));
        Assert.Equal(1, report.Files[0].Queries);
    }

    [Fact]
    public void A_file_without_anybody_is_an_error_and_no_clean_copy_is_made_of_it()
    {
        using var folder = new LampTestFolder().WithFiles("[]", Others);
        using var target = new TemporaryFolder();

        var report = DataCheck.Run(Options(folder, target.Path));

        Assert.Equal([CheckRules.NoUser], report.Findings.Rules);
        Assert.False(report.IsFixed);
    }

    [Fact]
    public void Deeply_nested_values_that_no_task_needs_are_passed_over()
    {
        var nested = new string('[', 50_000) + new string(']', 50_000);
        var user = LampTestFolder.ValidUser.Replace(
            "\"user_name\"",
            $"\"more\": {nested}, \"user_name\"",
            StringComparison.Ordinal
        );
        using var folder = new LampTestFolder().WithFiles($"[{user}]", Others);

        Assert.Empty(DataCheck.Run(Options(folder)).Findings.Rules);
    }

    [Theory]
    [InlineData("")]
    [InlineData("\0\0\0")]
    [InlineData("{}")]
    [InlineData("[{\"user_id\": 1, \"profile\": [")]
    public void A_file_that_ends_early_is_an_error_and_gets_no_clean_copy(string text)
    {
        using var folder = new LampTestFolder().WithFiles(text);
        using var target = new TemporaryFolder();

        var report = DataCheck.Run(Options(folder, target.Path));

        Assert.Contains(CheckRules.Unreadable, report.Findings.Rules);
        Assert.False(report.IsFixed);
        Assert.False(
            File.Exists(target.At("news_headline/" + LampFiles.UsersFile))
                || File.Exists(target.At("news_headline/" + LampFiles.OthersFile))
        );
    }

    [Fact]
    public void Byte_order_marks_utf_16_line_ends_and_number_ids_are_read()
    {
        using var folder = new LampTestFolder().WithFiles(
            $"[{LampTestFolder.ValidUser}]".Replace(",", ",\r\n", StringComparison.Ordinal),
            Others,
            encoding: Encoding.Unicode
        );

        Assert.Empty(DataCheck.Run(Options(folder)).Findings.Rules);
    }

    [Fact]
    public void A_text_of_fifty_million_characters_and_a_user_with_a_hundred_thousand_items_are_read()
    {
        var items = string.Join(
            ",",
            Enumerable
                .Range(0, 100_000)
                .Select(i => $$"""{"id": {{i}}, "text": "text {{i}} of many words", "title": "Title {{i}}"}""")
        );
        var longText = User("1", Item("1", new string('x', 50_000_000), "Long"), Query("q", "i", "g"));
        var longHistory = User("2", items, Query("r", "i", "g"));
        using var folder = new LampTestFolder().WithFiles($"[{longText}, {longHistory}]", Others);

        var report = DataCheck.Run(Options(folder));

        Assert.Equal((2, 100_001), (report.Files[0].Users, report.Files[0].Items));
        Assert.Equal(["long_word"], report.Findings.Rules.Select(rule => rule.Name));
    }

    [Theory]
    [InlineData("The rain fell on the roof and it was cold in the house", "English")]
    [InlineData("Der Regen fällt auf das Dach und es ist nicht warm in dem Haus", "German")]
    [InlineData("Le chat est dans la maison et il ne veut pas sortir avec nous", "French")]
    [InlineData("雨が屋根に降っていた", "Japanese")]
    [InlineData("Дождь шёл весь день", "Russian or another in Cyrillic")]
    [InlineData("rain", LanguageDetector.Unknown)]
    public void A_language_is_told_by_script_or_little_words(string text, string language) =>
        Assert.Equal(language, LanguageDetector.Detect(text));

    [Fact]
    public void Lengths_fall_into_buckets_of_powers_of_two()
    {
        var lengths = new TextLengths();
        foreach (var length in (int[])[0, 1, 2, 3, 9])
        {
            lengths.Add(length);
        }

        Assert.Equal([new(0, 0, 1), new(1, 1, 1), new(2, 3, 2), new(4, 7, 0), new(8, 15, 1)], lengths.Histogram());
        Assert.Equal((0, 2, 9, 1), (lengths.Min, lengths.Median, lengths.Max, lengths.CountAbove(3)));
    }
}
