using CoPe.Experiments.Data;

namespace CoPe.Cli.Tests.Verbs;

public sealed class DataVerbTests : IDisposable
{
    readonly InProcessCommand _cope = new();

    public void Dispose() => _cope.Dispose();

    [Fact]
    public void Sample_data_is_written_and_read_by_a_run()
    {
        Assert.Equal(
            0,
            _cope.Run(
                "data",
                "sample",
                "made",
                "--users",
                "2",
                "--other-users",
                "1",
                "--queries",
                "1",
                "--documents",
                "3",
                "--instructions",
                "2"
            )
        );

        Assert.Equal(3, File.ReadAllLines(_cope.At("made/corpus/neutral.txt")).Length);
        Directory.CreateDirectory(_cope.At("models/cope-tiny"));
        Assert.Equal(0, _cope.Run("run", "first", "--set", "data=made", "--model", "models/cope-tiny", "--quiet"));
        Assert.Equal("", _cope.Error);
    }

    [Fact]
    public void Sample_data_are_written_over_sample_data_alone()
    {
        string[] sample =
        [
            "data",
            "sample",
            "made",
            "--users",
            "2",
            "--other-users",
            "1",
            "--queries",
            "1",
            "--documents",
            "0",
            "--instructions",
            "0",
        ];
        Assert.Equal(0, _cope.Run(sample));
        Assert.Equal(0, _cope.Run([.. sample, "--seed", "2"]));

        Directory.CreateDirectory(_cope.At("real/news_headline"));
        File.WriteAllText(_cope.At("real/news_headline/user_others.json"), "[]");
        Assert.Equal(1, _cope.Run("data", "sample", "real"));
        Assert.Contains(
            "real holds other files, news_headline among them, and sample data go into a folder of their own",
            Assert.Single(_cope.ErrorLines),
            StringComparison.Ordinal
        );
        Assert.Equal("[]", File.ReadAllText(_cope.At("real/news_headline/user_others.json")));
        Assert.False(File.Exists(_cope.At("real/sample.json")));
        _cope.Write("here/mine/letter.txt", "Dear Ann,");
        Assert.Equal(1, _cope.Run("data", "sample", "mine"));
        Assert.Single(Directory.EnumerateFileSystemEntries(_cope.At("mine")));
        Directory.CreateDirectory(_cope.At("made/real/news_headline"));
        Assert.Equal(1, _cope.Run("data", "sample", "made/real"));
    }

    [Theory]
    [InlineData("0", "--users is 0, expected 1 to 2147483647")]
    [InlineData("x", "see 'cope data sample --help'")]
    public void A_number_out_of_range_is_a_usage_error(string users, string message)
    {
        Assert.Equal(2, _cope.Run("data", "sample", "made", "--users", users));
        Assert.Contains(message, Assert.Single(_cope.ErrorLines), StringComparison.Ordinal);
        Assert.False(Directory.Exists(_cope.At("made")));
    }
}

[Collection("torch")]
public sealed class DataShowVerbTests(TinyRunFixture world) : IClassFixture<TinyRunFixture>
{
    [Theory]
    [InlineData("tam", "answer: ", "learned")]
    [InlineData("sft", "answer: ", "learned")]
    [InlineData("dpo", "rejected: ", "made less likely")]
    [InlineData("predict", "prompt: ", "masked")]
    public void An_example_of_each_stage_is_shown_with_its_tokens_and_what_is_learned(
        string stage,
        string part,
        string words
    )
    {
        Assert.Equal(0, world.RunCommand(default, "data", "show", "--run", "undisturbed", "--stage", stage));

        Assert.Contains("Generate a headline for the following article", world.Output, StringComparison.Ordinal);
        Assert.Contains(
            world.Output.Split('\n'),
            line => line.StartsWith(part, StringComparison.Ordinal) && line.Contains(words, StringComparison.Ordinal)
        );
        Assert.DoesNotContain('\u001b', world.Output);
        Assert.All(
            world.Output.Split('\n').Where(line => line.StartsWith('|')),
            line => Assert.True(line.Length <= 80)
        );
    }

    [Fact]
    public void The_bars_take_nothing_from_the_answer_and_end_with_the_end_of_the_turn()
    {
        Assert.Equal(
            0,
            world.RunCommand(
                default,
                "data",
                "show",
                "--run",
                "undisturbed",
                "--stage",
                "sft",
                "--user",
                "2",
                "--set",
                "sft.max_words=768"
            )
        );

        var answer = string.Concat(
                world
                    .Output[world.Output.IndexOf("answer: ", StringComparison.Ordinal)..]
                    .Split('\n')
                    .Where(line => line.StartsWith('|'))
            )
            .Replace("|", "", StringComparison.Ordinal);
        var own = File.ReadAllText(
            Path.Combine(world.RunAt("data").Root, "news_headline", "user_top_100_history.json")
        );
        using var json = System.Text.Json.JsonDocument.Parse(own);
        var title = json.RootElement[1].GetProperty("profile")[0].GetProperty("title").GetString()!;
        Assert.Contains(title, answer, StringComparison.Ordinal);
        Assert.True(answer.Length > title.Length);
    }

    [Fact]
    public void What_is_cut_is_said()
    {
        Assert.Equal(
            0,
            world.RunCommand(
                default,
                "data",
                "show",
                "--run",
                "undisturbed",
                "--set",
                "sft.cut_off=24",
                "--set",
                "sft.max_words=2"
            )
        );

        Assert.Contains("cut to 2 words", world.Output, StringComparison.Ordinal);
        Assert.Contains("truncated here", world.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void A_user_or_item_that_is_not_there_is_said_with_those_that_are()
    {
        Assert.Equal(1, world.RunCommand(default, "data", "show", "--run", "undisturbed", "--user", "9"));
        Assert.Contains("no test user '9'", world.Error, StringComparison.Ordinal);
        Assert.Equal(1, world.RunCommand(default, "data", "show", "--run", "undisturbed", "--item", "nothing"));
        Assert.Contains("has no 'nothing' in this stage", world.Error, StringComparison.Ordinal);
    }
}

public sealed class DataImportVerbTests : IDisposable
{
    readonly InProcessCommand _cope = new();

    public DataImportVerbTests() =>
        File.WriteAllText(
            _cope.At("mails.csv"),
            "who,body\n"
                + string.Concat(Enumerable.Range(0, 8).Select(i => $"Ada,Mail number {i} that I write\n"))
                + "Bob,Another mail by somebody else\n"
        );

    public void Dispose() => _cope.Dispose();

    [Fact]
    public void What_is_imported_is_fit_for_a_run_and_its_recipe_runs()
    {
        Assert.Equal(
            0,
            _cope.Run("data", "import", "mails.csv", "--name", "mails", "--author", "who", "--output", "body")
        );
        Assert.Contains(
            "test      1 user, 7 history items (7 to 7 a user), 1 query",
            _cope.Output,
            StringComparison.Ordinal
        );

        Assert.Equal(0, _cope.Run("data", "check", "data/mails"));
        Directory.CreateDirectory(_cope.At("models/cope-tiny"));
        Assert.Equal(0, _cope.Run("run", "data/mails/recipe.yaml", "--run", "r", "--quiet"));
        Assert.Contains(
            "models/cope-tiny knows only the invented world of 'cope data sample'",
            _cope.Error,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void Ids_are_hashed_under_a_key_that_is_kept()
    {
        string[] args = ["data", "import", "mails.csv", "--author", "who", "--output", "body", "--hash-ids"];
        Assert.Equal(0, _cope.Run(args));
        var first = File.ReadAllText(_cope.At("data/imported/" + LampFiles.UsersFile));
        Assert.DoesNotContain("Ada", first, StringComparison.Ordinal);
        Assert.True(File.Exists(_cope.At("data/hash-key")));

        Assert.Equal(0, _cope.Run(args));
        Assert.Equal(first, File.ReadAllText(_cope.At("data/imported/" + LampFiles.UsersFile)));
    }

    [Fact]
    public void A_column_that_is_not_named_or_not_there_is_said()
    {
        Assert.Equal(2, _cope.Run("data", "import", "mails.csv", "--output", "body"));
        Assert.Contains("with --author", _cope.Error, StringComparison.Ordinal);
        Assert.Equal(1, _cope.Run("data", "import", "mails.csv", "--author", "whom", "--output", "body"));
        Assert.Contains("The nearest is \"who\"", _cope.Error, StringComparison.Ordinal);
    }
}
