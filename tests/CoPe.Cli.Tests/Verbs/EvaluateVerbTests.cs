using System.IO.Compression;
using System.Text.Json;

namespace CoPe.Cli.Tests.Verbs;

/// <summary>Prediction files against golds, without a run.</summary>
public sealed class EvaluateVerbTests : IDisposable
{
    const string Golds = """
        {"task": "LaMP_5", "golds": [{"id": "1", "output": "a fine title"}, {"id": "2", "output": "عنوان 🎉 جميل"}]}
        """;
    const string Ours = """
        {"task": "LaMP_5", "golds": [{"id": "1", "output": "a fine title"}, {"id": "2", "output": ""}], "model": "m"}
        """;

    readonly InProcessCommand _cope = new();

    public void Dispose() => _cope.Dispose();

    string Write(string name, string text)
    {
        File.WriteAllText(_cope.At(name), text);
        return name;
    }

    [Fact]
    public void A_prediction_file_is_scored_against_a_label_file_and_neither_is_touched()
    {
        string[] files = [Write("golds.json", Golds), Write("ours.json", Ours)];

        Assert.Equal(
            0,
            _cope.Run(
                "evaluate",
                "--predictions",
                "cope=ours.json",
                "--golds",
                "golds.json",
                "--json",
                "--csv",
                "out.csv"
            )
        );

        using var json = JsonDocument.Parse(_cope.Output);
        var rouge = json.RootElement.GetProperty("scholarly_title").GetProperty("cope").GetProperty("rouge-1");
        // One is the gold, one is empty.
        Assert.Equal((0.5, 2), (rouge.GetProperty("mean").GetDouble(), rouge.GetProperty("n").GetInt32()));
        Assert.StartsWith(
            "task,method,metric,mean,standard_error,n\nscholarly_title,cope,rouge-1,0.5,",
            File.ReadAllText(_cope.At("out.csv")),
            StringComparison.Ordinal
        );
        Assert.Equal([Golds, Ours], files.Select(file => File.ReadAllText(_cope.At(file))));
    }

    [Fact]
    public void A_zip_of_several_tasks_is_scored_task_by_task()
    {
        foreach (var name in (string[])["golds.zip", "mine.zip"])
        {
            using var zip = ZipFile.Open(_cope.At(name), ZipArchiveMode.Create);
            foreach (
                var (entry, text) in (IEnumerable<(string, string)>)
                    [
                        ("LaMP_5.json", Golds),
                        ("LaMP_3.json", """{"task": "LaMP_3", "golds": [{"id": "7", "output": "4"}]}"""),
                    ]
            )
            {
                using var writer = new StreamWriter(zip.CreateEntry(entry).Open());
                writer.Write(text);
            }
        }

        Assert.Equal(0, _cope.Run("evaluate", "--predictions", "mine.zip", "--golds", "golds.zip"));
        Assert.Contains("scholarly_title, mean", _cope.Output, StringComparison.Ordinal);
        Assert.Contains("product_rating, mean", _cope.Output, StringComparison.Ordinal);
        Assert.Contains("RMSE", _cope.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("comedy", "movie_tagging")]
    [InlineData("politics", "news_categorize")]
    public void What_the_benchmark_calls_LaMP_2_is_the_task_whose_labels_the_golds_are(string label, string task)
    {
        var file = $$"""{"task": "LaMP_2", "golds": [{"id": "1", "output": "{{label}}"}]}""";
        Assert.Equal(
            0,
            _cope.Run("evaluate", "--predictions", Write("mine.json", file), "--golds", Write("golds.json", file))
        );
        Assert.Contains($"{task}, mean", _cope.Output, StringComparison.Ordinal);
        Assert.Empty(_cope.ErrorLines);
    }

    [Fact]
    public void A_task_nobody_knows_is_one_line()
    {
        Assert.Equal(
            1,
            _cope.Run(
                "evaluate",
                "--predictions",
                Write("mine.json", Ours.Replace("LaMP_5", "LaMP_99", StringComparison.Ordinal)),
                "--golds",
                Write("golds.json", Golds)
            )
        );
        Assert.Contains(
            "mine: found the task 'LaMP_99', expected one of LaMP_4 (news_headline)",
            Assert.Single(_cope.ErrorLines),
            StringComparison.Ordinal
        );
    }

    [Theory]
    [InlineData("""[{"id": 1, "output": "a fine title"}, {"id": 2, "output": ""}]""", "golds.json")]
    [InlineData("{\"id\": 1, \"output\": \"a fine title\"}\n{\"id\": 2, \"output\": \"\"}\n", "golds.json")]
    [InlineData("""[{"id": "q1", "output": "It Rains"}]""", "data")]
    [InlineData("""[{"id": "q1", "output": "It Rains"}]""", "data/news_headline")]
    public void Predictions_that_name_no_task_are_of_that_of_the_golds(string predictions, string golds)
    {
        Write("golds.json", Golds);
        Write(
            "data/news_headline/user_top_100_history_label.json",
            """{"task": "LaMP_4", "golds": [{"id": "q1", "output": "It Rains"}]}"""
        );
        Write("mine.jsonl", predictions);

        Assert.Equal(0, _cope.Run("evaluate", "--predictions", "mine.jsonl", "--golds", golds, "--json"));

        using var json = JsonDocument.Parse(_cope.Output);
        var task = Assert.Single(json.RootElement.EnumerateObject());
        Assert.Equal(golds == "golds.json" ? "scholarly_title" : "news_headline", task.Name);
        var rouge = task.Value.GetProperty("mine").GetProperty("rouge-1").GetProperty("mean").GetDouble();
        Assert.Equal(golds == "golds.json" ? 0.5 : 1, rouge);
    }

    [Fact]
    public void A_task_that_neither_side_names_is_asked_for()
    {
        Write("golds.jsonl", "{\"id\": 1, \"output\": \"a\"}");
        Write("mine.jsonl", "{\"id\": 1, \"output\": \"a\"}");
        Assert.Equal(2, _cope.Run("evaluate", "--predictions", "mine.jsonl", "--golds", "golds.jsonl"));
        Assert.Contains("found none in golds.jsonl", Assert.Single(_cope.ErrorLines), StringComparison.Ordinal);
    }

    [Fact]
    public void Ids_that_do_not_match_are_listed_and_an_error_unless_asked_for()
    {
        Write("golds.json", Golds);
        Write("other.json", Ours.Replace("\"2\"", "\"3\"", StringComparison.Ordinal));

        Assert.Equal(1, _cope.Run("evaluate", "--predictions", "other.json", "--golds", "golds.json"));
        Assert.Contains(
            "other: 1 gold (2) without a prediction. other: 1 prediction (3) without a gold.",
            Assert.Single(_cope.ErrorLines),
            StringComparison.Ordinal
        );

        Assert.Equal(0, _cope.Run("evaluate", "--predictions", "other.json", "--golds", "golds.json", "--partial"));
        Assert.Contains("1 gold (2) without a prediction", _cope.Error, StringComparison.Ordinal);
        Assert.Contains("over 1 quer", _cope.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("evaluate --predictions ours.json", "--predictions needs --golds")]
    [InlineData("evaluate --golds golds.json", "--golds goes with --predictions FILE")]
    [InlineData("evaluate --predictions none.json --golds golds.json", "none.json does not exist")]
    [InlineData(
        "evaluate --predictions ours.json --golds golds.json --csv ours.json",
        "is one of the inputs, which are never written"
    )]
    [InlineData(
        "evaluate --predictions ours.json --predictions x/ours.json --golds golds.json",
        "x/ours.json does not exist"
    )]
    public void What_cannot_be_scored_is_one_line(string line, string message)
    {
        Write("golds.json", Golds);
        Write("ours.json", Ours);
        Assert.Equal(2, _cope.Run(line.Split(' ')));
        Assert.Contains(message, Assert.Single(_cope.ErrorLines), StringComparison.Ordinal);
        Assert.Equal(Ours, File.ReadAllText(_cope.At("ours.json")));
    }
}
