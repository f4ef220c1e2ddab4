using System.Runtime.CompilerServices;
using System.Text.Json;
using CoPe.Experiments.Data;
using CoPe.Experiments.Data.Building;
using CoPe.Experiments.Data.Checking;
using CoPe.Experiments.Tasks;
using CoPe.Testing;

namespace CoPe.Experiments.Tests.Data.Building;

/// <summary>The layouts in which LaMP and LongLaMP are published, for every task.</summary>
public sealed class PublishedFilesTests : IDisposable
{
    readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    static string Published { get; } = Path.Combine(Path.GetDirectoryName(ThisFile())!, "Published");

    public static TheoryData<string, bool> Tasks =>
        [.. from task in LampTasks.All from isTimed in (bool[])[false, true] select (task.Name, isTimed)];

    [Theory]
    [MemberData(nameof(Tasks))]
    public void Every_task_is_built_from_its_user_based_and_its_time_based_files(string name, bool isTimed)
    {
        var task = LampTasks.ByName(name);
        var isLong = task.BenchmarkId.StartsWith("LongLaMP", StringComparison.Ordinal);
        var records = Enumerable.Range(1, 5).Select(user => Record(task, user, isTimed, isLong)).ToList();
        _folder.Write("train_questions.json", JsonSerializer.Serialize(records));
        _folder.Write(
            "train_outputs.json",
            JsonSerializer.Serialize(
                new
                {
                    task = task.BenchmarkId,
                    golds = Enumerable.Range(1, 5).Select(user => new { id = $"{user}0", output = $"{user}" }),
                }
            )
        );

        var report = DataBuild.Run(
            new()
            {
                Definition = TaskFile.LoadShipped(name),
                Sources = [_folder.At("train_questions.json")],
                TestUsers = 2,
                Target = _folder.At("out"),
                OutputFiles = isLong
                    ? new Dictionary<string, string>()
                    : new() { [_folder.At("train_questions.json")] = _folder.At("train_outputs.json") },
            }
        );

        Assert.Equal(
            (5, 5, 25, 0, 0),
            (report.Examples, report.Users, report.Items, report.WithoutGold, report.ProblemCount)
        );
        var data = LampFiles.Read(_folder.At("out"), task);
        Assert.Equal(2, data.Users.Count);
        var user = data.Users[0];
        Assert.Equal(isTimed || isLong ? "user 5" : "50", user.Id);
        // Newest first in the file; by date where there is one.
        Assert.Equal(
            isTimed ? [1, 2, 3, 4, 5, 6, 7] : [7, 6, 5, 4, 3, 2, 1],
            user.History.Select(item =>
                int.Parse(
                    item.Fields[task.OutputField].Split(' ')[^1],
                    System.Globalization.CultureInfo.InvariantCulture
                )
            )
        );
        Assert.Empty(
            DataCheck
                .Run(
                    new()
                    {
                        Definition = TaskFile.LoadShipped(name),
                        UsersFile = _folder.At($"out/{name}/{LampFiles.UsersFile}"),
                        OthersFile = _folder.At($"out/{name}/{LampFiles.OthersFile}"),
                        LabelsFile = _folder.At($"out/{name}/{LampFiles.LabelsFile}"),
                    }
                )
                .Findings.Rules
        );
    }

    static Dictionary<string, object> Record(LampTask task, int user, bool isTimed, bool isLong)
    {
        // LongLaMP's records have no id; each of its tasks names the user in a field of its own.
        var record = new Dictionary<string, object>
        {
            ["input"] = $"The request of user {user} in the words of the benchmark",
        };
        if (isLong)
        {
            (
                record[
                    task.Name switch
                    {
                        "review_writing" => "reviewerId",
                        "topic_writing" => "author",
                        _ => "name",
                    }
                ],
                record["output"]
            ) = ($"user {user}", $"The answer of user {user}");
        }
        else
        {
            record["id"] = $"{user}0";
        }

        if (isTimed && !isLong)
        {
            record["user_id"] = $"user {user}";
        }

        record["profile"] = Enumerable
            .Range(1, user + 2)
            .Reverse()
            .Select(number =>
            {
                var item = task
                    .InputFields.Append(task.OutputField)
                    .ToDictionary(field => field, object (field) => $"{field} of {user} number {number}");
                if (task.Name != "review_writing")
                {
                    item["id"] = $"{user}{number}";
                }

                if (isTimed)
                {
                    item["date"] = $"2016-0{number}-11";
                }

                return item;
            })
            .ToArray();
        return record;
    }

    /// <summary>
    /// Written by the Rust implementation of Arrow, whose layout is that of the hub: two row groups, the profile a list
    /// of structures, texts dictionary-encoded.
    /// </summary>
    public static TheoryData<string, string> Parquet =>
        [
            .. Directory
                .EnumerateFiles(Published, "*.parquet")
                .Order(StringComparer.Ordinal)
                .Select(file =>
                    (
                        Path.GetFileName(file),
                        file.Contains("review", StringComparison.Ordinal) ? "review_writing" : "abstract_generation"
                    )
                ),
        ];

    [Theory]
    [MemberData(nameof(Parquet))]
    public void A_parquet_file_gives_users_histories_and_golds(string file, string task)
    {
        var report = DataBuild.Run(Build(Path.Combine(Published, file), task));

        var data = LampFiles.Read(_folder.At("out"), LampTasks.ByName(task));
        Assert.Equal((6, 6), (report.Examples, report.Users));
        Assert.Equal(4, data.Others.Count);
        if (task == "abstract_generation")
        {
            Assert.Equal(
                ("Name a", "The abstract number 1 of the whole work"),
                (data.Users[0].Id, data.Users[0].Queries[0].Gold)
            );
            Assert.Equal(
                ["a7", "a6", "a5", "a4", "a3", "a2", "a1", "a0"],
                data.Users[0].History.Select(item => item.Id)
            ); // by year
            Assert.Equal("2013", data.Users[0].History[0].Fields["year"]);
            return;
        }

        Assert.Equal(
            ("A1", "The whole review number 1, written at length — “with signs” 😀"),
            (data.Users[0].Id, data.Users[0].Queries[0].Gold)
        );
        Assert.Equal(7, data.Users[0].History.Count);
        Assert.Equal(
            ("4.0", "This is what a wrote of product 0."),
            (data.Users[0].History[0].Fields["overall"], data.Users[0].History[0].Fields["reviewText"])
        );
        // A null description is none, and said with row and item.
        Assert.Equal(6, report.ProblemCount);
        Assert.Contains(
            "item 1, profile item number 2, field \"description\"",
            report.Problems[0],
            StringComparison.Ordinal
        );
    }

    [Theory]
    [InlineData("")]
    [InlineData("PAR1 no more than the head")]
    public void A_file_that_only_claims_to_be_parquet_is_refused_with_its_name(string text)
    {
        var path = _folder.Write("x.parquet", text);
        Assert.Contains(
            "x.parquet: found no parquet file that can be read",
            Assert.Throws<DataFileException>(() => DataBuild.Run(Build(path, "review_writing"))).Message,
            StringComparison.Ordinal
        );
    }

    [Theory]
    [InlineData(1)]
    [InlineData(11)]
    [InlineData(500)]
    [InlineData(-8)]
    [InlineData(-200)]
    public void A_parquet_file_cut_anywhere_is_refused_with_its_name(int length)
    {
        var bytes = File.ReadAllBytes(Path.Combine(Published, "review.parquet"));
        File.WriteAllBytes(_folder.At("x.parquet"), bytes[..(length > 0 ? length : bytes.Length + length)]);
        Assert.Contains(
            "x.parquet: found no parquet file that can be read",
            Assert
                .Throws<DataFileException>(() => DataBuild.Run(Build(_folder.At("x.parquet"), "review_writing")))
                .Message,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void A_parquet_file_that_claims_a_description_longer_than_itself_is_refused_before_it_is_read()
    {
        var bytes = File.ReadAllBytes(Path.Combine(Published, "review.parquet"));
        BitConverter.TryWriteBytes(bytes.AsSpan(bytes.Length - 8), int.MaxValue);
        File.WriteAllBytes(_folder.At("x.parquet"), bytes);
        Assert.Contains(
            $"2147483647 bytes of {bytes.Length}",
            Assert
                .Throws<DataFileException>(() => DataBuild.Run(Build(_folder.At("x.parquet"), "review_writing")))
                .Message,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void A_parquet_file_whose_description_does_not_end_is_refused_before_it_is_read()
    {
        var bytes = File.ReadAllBytes(Path.Combine(Published, "review.parquet"));
        const int MagicAndLength = 8;
        bytes[^(MagicAndLength + 1)] = 0xC9; // a list where the structure should end
        File.WriteAllBytes(_folder.At("x.parquet"), bytes);
        Assert.Contains(
            "what describes its columns is damaged",
            Assert
                .Throws<DataFileException>(() => DataBuild.Run(Build(_folder.At("x.parquet"), "review_writing")))
                .Message,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void A_damaged_row_group_is_refused_and_named()
    {
        var bytes = File.ReadAllBytes(Path.Combine(Published, "review.parquet"));
        Array.Fill(bytes, (byte)0xFF, bytes.Length / 8, bytes.Length / 8);
        File.WriteAllBytes(_folder.At("x.parquet"), bytes);
        Assert.Contains(
            "x.parquet, item row group 1 of 2",
            Assert
                .Throws<DataFileException>(() => DataBuild.Run(Build(_folder.At("x.parquet"), "review_writing")))
                .Message,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void Half_a_surrogate_pair_costs_one_example_and_is_named()
    {
        var records = Enumerable
            .Range(1, 4)
            .Select(user =>
                JsonSerializer.Serialize(Record(LampTasks.TopicWriting, user, isTimed: false, isLong: true))
            )
            .ToList();
        records[1] = records[1].Replace("The answer of user 2", "half \\ud83d of it", StringComparison.Ordinal);
        _folder.Write("all.jsonl", string.Join('\n', records));

        var report = DataBuild.Run(Build(_folder.At("all.jsonl"), "topic_writing"));

        Assert.Equal(3, report.Examples);
        Assert.Contains(
            "all.jsonl, item number 2, field \"output\": found text that is no valid Unicode",
            Assert.Single(report.Problems),
            StringComparison.Ordinal
        );
    }

    BuildOptions Build(string source, string task) =>
        new()
        {
            Definition = TaskFile.LoadShipped(task),
            Sources = [source],
            TestUsers = 2,
            Target = _folder.At("out"),
        };

    static string ThisFile([CallerFilePath] string path = "") => path;
}
