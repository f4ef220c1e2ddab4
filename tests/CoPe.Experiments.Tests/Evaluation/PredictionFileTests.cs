using System.IO.Compression;
using System.Text;
using System.Text.Json;
using CoPe.Experiments.Evaluation;

namespace CoPe.Experiments.Tests.Evaluation;

public sealed class PredictionFileTests : IDisposable
{
    readonly string _folder = Directory.CreateTempSubdirectory("cope-files-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Predictions_survive_writing_and_reading()
    {
        var path = Path.Combine(_folder, "predictions.json");
        var written = new PredictionFile
        {
            Task = "LaMP_5",
            Model = "scribe",
            Predictions = [new("1", "“quoted” \"text\"\n🎉"), new("2", "")],
        };
        written.Write(path);
        var read = PredictionFile.Read(path);
        Assert.Equal(written.Predictions, read.Predictions);
        Assert.Equal(("LaMP_5", "scribe"), (read.Task, read.Model));
        Assert.Equal([path], Directory.GetFiles(_folder));
    }

    [Fact]
    public void A_file_of_the_reference_is_read()
    {
        var read = Read(
            """
            {
              "task": "LongLaMP_2",
              "golds": [{"id": 310, "output": "caf\u00e9", "extra": 1}],
              "model": "mistralai/Mistral-7B-Instruct-v0.3"
            }
            """
        );
        Assert.Equal(new Prediction("310", "café"), Assert.Single(read.Predictions));
    }

    [Theory]
    [InlineData("""[{"id": "1", "output": "a"}, {"id": 2, "output": "b\nc"}]""")]
    [InlineData("{\"id\": \"1\", \"output\": \"a\"}\n{\"output\": \"b\\nc\", \"id\": 2}\n")]
    [InlineData("\uFEFF{\"x\": [1], \"id\": \"1\", \"output\": \"a\"}\r\n \r\n{\"id\": 2, \"output\": \"b\\nc\"}")]
    public void An_array_or_lines_of_answers_are_read_and_name_no_task(string json)
    {
        var read = Read(json);
        Assert.Null(read.Task);
        Assert.Equal([new("1", "a"), new("2", "b\nc")], read.Predictions);
    }

    [Fact]
    public void A_label_file_has_no_model()
    {
        var path = Path.Combine(_folder, "labels.json");
        new PredictionFile { Task = "LaMP_5", Predictions = [new("1", "a")] }.Write(path);
        using var json = JsonDocument.Parse(File.ReadAllBytes(path));
        Assert.Equal(["task", "golds"], json.RootElement.EnumerateObject().Select(field => field.Name));
    }

    [Theory]
    [InlineData("", "predictions.json: it is empty.")]
    [InlineData("7", "found a number at the top")]
    [InlineData("""[{"id": "1", "output": "a"}, {"output": "b"}]""", "predictions.json, [1]: 'id' is missing")]
    [InlineData("""[{"id": "1", "output": "a"}, {"id": 1, "output": "b"}]""", "1 id (1) more than once")]
    [InlineData("{\"id\": 1, \"output\": \"a\"}\n\n{\"id\": 2}", "line 3 (id 2): 'output' is missing")]
    [InlineData("{\"id\": 1, \"output\": \"a\"}\n[2]", "line 2: found an array")]
    [InlineData("{\"id\": 1, \"output\": \"a\"}\n{\"id\": ", "predictions.json: line 2")]
    [InlineData("{\"id\": 1, \"output\": \"a\"} {\"id\": 2, \"output\": \"b\"}", "predictions.json: line 1")]
    [InlineData("""{"golds": []}""", "'task' is missing")]
    [InlineData("""{"task": "t"}""", "'golds' is missing")]
    [InlineData(
        """{"task": "t", "golds": [{"id": "1", "output": "a"}, {"id": "2"}]}""",
        "golds[1] (id 2): 'output' is missing"
    )]
    [InlineData("""{"task": "t", "golds": [{"id": "1", "output": null}]}""", "golds[0] (id 1): 'output' is null")]
    [InlineData("""{"task": "t", "golds": [7]}""", "golds[0]: found a number")]
    [InlineData(
        """{"task": "t", "golds": [{"id": "1", "output": "a"}, {"id": 1, "output": "b"}]}""",
        "1 id (1) more than once"
    )]
    public void What_is_wrong_is_said_with_its_place(string json, string message) =>
        Assert.Contains(
            message,
            Assert.Throws<InvalidDataException>(() => Read(json)).Message,
            StringComparison.Ordinal
        );

    [Theory]
    [InlineData("\"a \\ud83d b\"", "half of a surrogate pair")]
    [InlineData("\"a", "line 1, column 52, at golds[0].output")]
    public void A_text_that_is_none_is_said_with_its_place(string output, string message) =>
        Assert.Contains(
            message,
            Assert
                .Throws<InvalidDataException>(() =>
                    Read($$"""{"task": "t", "golds": [{"id": "1", "output": {{output}}}]}""")
                )
                .Message,
            StringComparison.Ordinal
        );

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void UTF16_is_read_like_UTF8(bool bigEndian)
    {
        var bytes = new UnicodeEncoding(bigEndian, byteOrderMark: true);
        using var stream = new MemoryStream([
            .. bytes.GetPreamble(),
            .. bytes.GetBytes("""{"task": "t", "golds": [{"id": "1", "output": "שלום 🎉"}]}"""),
        ]);
        Assert.Equal("שלום 🎉", Assert.Single(PredictionFile.Read(stream, "memory").Predictions).Output);
    }

    [Fact]
    public void A_byte_order_mark_does_not_matter() =>
        Assert.Equal("t", Read("\uFEFF" + """{"task": "t", "golds": []}""").Task);

    [Fact]
    public void Results_hold_mean_error_and_count_per_method_and_metric()
    {
        var path = Path.Combine(_folder, "results.json");
        ResultsFile.WriteJson(ResultsTable.Create(Report()), path);
        using var json = JsonDocument.Parse(File.ReadAllBytes(path));
        var value = json.RootElement.GetProperty("sft+cd").GetProperty("rouge-l");
        Assert.Equal(
            (0.25, 0.5, 4),
            (
                value.GetProperty("mean").GetDouble(),
                value.GetProperty("se").GetDouble(),
                value.GetProperty("n").GetInt32()
            )
        );
        Assert.Contains("\"sft+cd\"", File.ReadAllText(path), StringComparison.Ordinal);
        var read = ResultsFile.ReadJson(path);
        Assert.Equal(["sft+cd"], read.Methods);
        Assert.Equal(["rouge-l"], read.Metrics.Select(metric => metric.Name));
        Assert.Equal(Assert.Single(ResultsTable.Create(Report()).Cells), Assert.Single(read.Cells));
        Assert.Equal(new MeanWithError(0.3, 0.1, 2), read["sft+cd", "rouge-l"].OverUsers);
    }

    [Fact]
    public void Results_of_another_form_are_refused()
    {
        var path = Path.Combine(_folder, "results.json");
        File.WriteAllText(path, """{"base": {"rouge-1": 0.3}}""");
        Assert.Contains(
            path,
            Assert.Throws<InvalidDataException>(() => ResultsFile.ReadJson(path)).Message,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void A_zip_of_all_tasks_survives_writing_and_reading()
    {
        var path = Path.Combine(_folder, "all.zip");
        var files = new[]
        {
            new PredictionFile { Task = "LaMP_4", Predictions = [new("1", "a")] },
            new PredictionFile
            {
                Task = "LaMP_5",
                Predictions = [new("2", "b")],
                Model = "m",
            },
        };
        PredictionArchive.Write(files, path);
        var read = PredictionArchive.Read(path);
        Assert.Equal(["LaMP_4", "LaMP_5"], read.Select(file => file.Task));
        Assert.Equal(files[1].Predictions, read[1].Predictions);
        PredictionArchive.Write([files[0], files[0]], path);
        Assert.Contains(
            "1 task (LaMP_4)",
            Assert.Throws<InvalidDataException>(() => PredictionArchive.Read(path)).Message,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void A_file_in_a_zip_must_name_its_task()
    {
        var path = Path.Combine(_folder, "all.zip");
        using (var zip = ZipFile.Open(path, ZipArchiveMode.Create))
        {
            using var writer = new StreamWriter(zip.CreateEntry("bare.json").Open());
            writer.Write("""[{"id": 1, "output": "a"}]""");
        }

        Assert.Contains(
            "bare.json names no task",
            Assert.Throws<InvalidDataException>(() => PredictionArchive.Read(path)).Message,
            StringComparison.Ordinal
        );
    }

    [Theory]
    [InlineData("""[{"id": "\u202Ea\n"}]""")]
    [InlineData("""[{"id": "\u202Ea\n", "output": "x"}, {"id": "\u202Ea\n", "output": "y"}]""")]
    public void An_id_cannot_break_the_message(string json)
    {
        using var stream = new MemoryStream(Encoding.UTF8.GetBytes(json));
        var error = Assert.Throws<InvalidDataException>(() => PredictionFile.Read(stream, "predictions.json"));
        Assert.Contains("\\u202Ea", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\u202E', error.Message);
    }

    [Fact]
    public void A_zip_that_unpacks_to_far_more_than_its_size_is_read_only_so_far()
    {
        var path = Path.Combine(_folder, "bomb.zip");
        using (var zip = ZipFile.Open(path, ZipArchiveMode.Create))
        {
            foreach (var name in (string[])["a.json", "b.json"])
            {
                using var writer = new StreamWriter(zip.CreateEntry(name, CompressionLevel.SmallestSize).Open());
                writer.Write(
                    $$"""{"task": "{{name}}", "golds": [{"id": 1, "output": "{{new string('a', 700_000)}}"}]}"""
                );
            }
        }

        Assert.True(new FileInfo(path).Length < 10_000);
        Assert.Contains(
            "unpacks to more than 1 MB",
            Assert.Throws<InvalidDataException>(() => PredictionArchive.Read(path, maxBytes: 1 << 20)).Message,
            StringComparison.Ordinal
        );
    }

    [Theory]
    [InlineData(10)] // in the file's text
    [InlineData(-10)] // in the directory at the end
    public void A_damaged_zip_is_named(int place)
    {
        var path = Path.Combine(_folder, "damaged.zip");
        var answers = Enumerable.Range(0, 200).Select(i => new Prediction($"{i}", $"answer {i * i}"));
        PredictionArchive.Write([new PredictionFile { Task = "t", Predictions = [.. answers] }], path);
        var bytes = File.ReadAllBytes(path);
        var first = place < 0 ? bytes.Length + place - 8 : 30 + "t.json".Length + place;
        bytes.AsSpan(first, 8).Fill(0xFF);
        File.WriteAllBytes(path, bytes);

        var error = Assert.Throws<InvalidDataException>(() => PredictionArchive.Read(path));

        Assert.StartsWith(path, error.Message, StringComparison.Ordinal);
        Assert.Contains("cannot be unpacked", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("../../../../etc/cron.d/x")]
    [InlineData("..")]
    [InlineData("a/b")]
    [InlineData("a\\b")]
    [InlineData("C:x")]
    [InlineData("nul")]
    [InlineData("a\nb")]
    [InlineData(" ")]
    [InlineData(null)]
    public void A_task_whose_name_is_none_of_a_file_is_not_written_into_a_zip(string? task)
    {
        var path = Path.Combine(_folder, "all.zip");
        var file = new PredictionFile { Task = task, Predictions = [new("1", "a")] };

        var error = Assert.Throws<InvalidDataException>(() => PredictionArchive.Write([file], path));

        Assert.Contains("also the name of their file in a zip", error.Message, StringComparison.Ordinal);
        Assert.False(File.Exists(path));
    }

    static EvaluationReport Report() =>
        new()
        {
            Task = "titles",
            Methods =
            [
                new()
                {
                    Method = "sft+cd",
                    Queries = [],
                    Users = [],
                    Metrics = new Dictionary<string, MeanWithError> { ["rouge-l"] = new(0.25, 0.5, 4) },
                    OverUsers = new Dictionary<string, MeanWithError> { ["rouge-l"] = new(0.3, 0.1, 2) },
                },
            ],
        };

    static PredictionFile Read(string json) =>
        PredictionFile.Read(new MemoryStream(Encoding.UTF8.GetBytes(json)), "predictions.json");
}
