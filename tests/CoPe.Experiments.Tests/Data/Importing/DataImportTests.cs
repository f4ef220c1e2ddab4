using System.Text;
using CoPe.Experiments.Data;
using CoPe.Experiments.Data.Checking;
using CoPe.Experiments.Data.Importing;

namespace CoPe.Experiments.Tests.Data.Importing;

public sealed class DataImportTests : ImportTestBase
{
    public static TheoryData<string> Dates => ["iso", "dotted", "unix", "slashes"];

    [Theory]
    [MemberData(nameof(Dates))]
    public void Authors_become_users_with_histories_in_order_of_time_and_their_latest_texts_as_queries(string kind)
    {
        var report = Import(
            Csv(day =>
                kind switch
                {
                    "iso" => $"2024-01-{day + 10}",
                    "dotted" => $"{day + 10}.01.2024",
                    "unix" => $"{1704844800 + (86400 * day)}",
                    _ => $"01/{day + 10}/2024",
                }
            )
        );

        var data = Read();
        var ada = Assert.Single(data.Users);
        Assert.Equal(
            Enumerable.Range(0, 8),
            ada.History.Select(item =>
                int.Parse(item.Fields["subject"].Split(' ', ',')[1], System.Globalization.CultureInfo.InvariantCulture)
            )
        );
        Assert.Equal("Dear all,\nthis is mail number 0 \"by Ada\".", ada.History[0].Fields["body"]);
        Assert.Equal(
            ["topic 8, first", "topic 9, first"],
            ada.Queries.Select(query => query.Input[(query.Input.IndexOf("topic", StringComparison.Ordinal))..])
        );
        Assert.Equal(["Bob", "Eve"], data.Others.Select(user => user.Id));
        Assert.Equal((14, 0), (report.Rows, report.ProblemCount));
        Assert.Empty(report.Check.Findings.Rules);
    }

    [Fact]
    public void Years_and_authors_that_a_column_with_gaps_made_floating_point_are_whole_numbers()
    {
        var text = Csv(day => $"{1990 + day}.0").Replace("Ada,1990", "12,1990", StringComparison.Ordinal);

        Import(text.Replace("Ada,", "12.0,", StringComparison.Ordinal));

        var user = Assert.Single(Read().Users);
        Assert.Equal("12", user.Id);
        Assert.Equal(8, user.History.Count);
        Assert.Equal("topic 0, first", user.History[0].Fields["subject"]);
    }

    public static TheoryData<string> Encodings =>
        [
            "utf-8",
            "utf-8 mark",
            "utf-16",
            "utf-16be",
            "utf-16 without mark",
            "utf-16be without mark",
            "utf-32",
            "utf-32 without mark",
            "utf-32be without mark",
            "crlf",
        ];

    [Theory]
    [MemberData(nameof(Encodings))]
    public void Every_encoding_gives_the_same_files(string kind)
    {
        var text = Csv(day => $"2024-01-{day + 10}").Replace("Ada", "Adä", StringComparison.Ordinal);
        Import(text);
        var expected = File.ReadAllText(Folder.At("out/mails/" + LampFiles.UsersFile));
        var encoding = kind switch
        {
            "utf-16" => Encoding.Unicode,
            "utf-16be" => Encoding.BigEndianUnicode,
            "utf-16 without mark" => new UnicodeEncoding(false, false),
            "utf-16be without mark" => new UnicodeEncoding(true, false),
            "utf-32" => Encoding.UTF32,
            "utf-32 without mark" => new UTF32Encoding(false, false),
            "utf-32be without mark" => new UTF32Encoding(true, false),
            "utf-8 mark" => Encoding.UTF8,
            _ => new UTF8Encoding(false),
        };

        Import(kind == "crlf" ? text.Replace("\n", "\r\n", StringComparison.Ordinal) : text, encoding);

        Assert.Equal(
            expected,
            File.ReadAllText(Folder.At("out/mails/" + LampFiles.UsersFile))
                .Replace("\\r\\n", "\\n", StringComparison.Ordinal)
        );
    }

    [Fact]
    public void A_text_that_is_written_twice_does_not_stand_in_history_and_query()
    {
        var report = Import(
            Csv(day => $"2024-01-{day + 10}") + "Ada,2024-01-01,other,\"Dear all, this is mail number 9 by Ada!\"\n"
        );

        Assert.Equal(1, report.Check.Findings.CountOf(CheckRules.LeakText));
        Assert.DoesNotContain(
            Read().Users[0].History,
            item => item.Fields["body"].Contains("number 9", StringComparison.Ordinal)
        );
    }

    [Fact]
    public void Hashed_ids_leave_no_name_and_need_the_key()
    {
        Import(
            Csv(day => $"2024-01-{day + 10}").Replace("by Ada", "by me", StringComparison.Ordinal),
            hash: new(new byte[32])
        );

        Assert.DoesNotContain(
            "Ada",
            File.ReadAllText(Folder.At("out/mails/" + LampFiles.UsersFile)),
            StringComparison.Ordinal
        );
        Assert.Equal(new IdHasher(new byte[32]).Hash("Ada"), Read().Users[0].Id);
        Assert.NotEqual(new IdHasher(new byte[32]).Hash("Ada"), new IdHasher([.. new byte[31], 1]).Hash("Ada"));
        Assert.Equal(
            IdHasher.LoadOrCreate(Folder.At("key")).Hash("Ada"),
            IdHasher.LoadOrCreate(Folder.At("key")).Hash("Ada")
        );
    }

    [Fact]
    public void Json_lines_and_a_json_array_give_what_the_csv_gives()
    {
        Import(Csv(day => $"2024-01-{day + 10}"));
        var expected = File.ReadAllText(Folder.At("out/mails/" + LampFiles.UsersFile));
        using var csv = new StreamReader(Folder.At("mails.csv"));
        var rows = new CsvReader(csv, "")
            .ReadRows()
            .Skip(1)
            .Select(row =>
                System.Text.Json.JsonSerializer.Serialize(
                    new
                    {
                        who = row.Fields[0],
                        when = row.Fields[1],
                        subject = row.Fields[2],
                        body = row.Fields[3],
                        more = new[] { 1 },
                    }
                )
            )
            .ToList();
        File.WriteAllText(Folder.At("mails.jsonl"), string.Join("\r\n", rows.Append("{broken").Append("")));
        File.WriteAllText(Folder.At("mails.json"), $"[{string.Join(",", rows)}]");

        var report = DataImport.Run(Options("mails.jsonl"));
        Assert.Equal(expected, File.ReadAllText(Folder.At("out/mails/" + LampFiles.UsersFile)));
        Assert.Contains("mails.jsonl, line 15", Assert.Single(report.Problems), StringComparison.Ordinal);

        DataImport.Run(Options("mails.json"));
        Assert.Equal(expected, File.ReadAllText(Folder.At("out/mails/" + LampFiles.UsersFile)));
    }

    [Fact]
    public void AFolder_of_texts_has_an_author_aFolder_and_the_heading_as_request()
    {
        foreach (var day in Enumerable.Range(1, 6))
        {
            Folder.Write(
                $"texts/ada/2024-01-0{day} note.txt",
                $"# Note {day}\n\nToday I write about thing {day} at length."
            );
        }

        Folder.Write("texts/bob/a.md", "One sentence stands here alone. Another follows it.");
        Folder.Write("texts/bob/empty.txt", " ");

        var report = DataImport.Run(
            new()
            {
                Source = Folder.At("texts"),
                TaskName = "mails",
                AuthorColumn = "folder",
                DateColumn = "date",
                IdColumn = "file",
                InputColumns = ["heading"],
                OutputColumn = "body",
                Target = Folder.At("out"),
            }
        );

        var data = Read();
        Assert.Equal(
            ("ada/2024-01-01 note.txt", "Note 1", "Today I write about thing 1 at length."),
            (
                data.Users[0].History[0].Id,
                data.Users[0].History[0].Fields["heading"],
                data.Users[0].History[0].Fields["body"]
            )
        );
        Assert.EndsWith("One sentence stands here alone.", data.Others[0].Queries[0].Input, StringComparison.Ordinal);
        Assert.Contains("empty.txt: found an empty text", Assert.Single(report.Problems), StringComparison.Ordinal);
    }

    [Fact]
    public void Nothing_but_the_task_stays_in_the_target()
    {
        Import(Csv(day => $"2024-01-{day + 10}"));

        Assert.Equal(["mails"], Directory.EnumerateFileSystemEntries(Folder.At("out")).Select(Path.GetFileName));
        Assert.Equal(
            ["task.yaml", LampFiles.OthersFile, LampFiles.UsersFile, LampFiles.LabelsFile],
            Directory
                .EnumerateFileSystemEntries(Folder.At("out/mails"))
                .Select(Path.GetFileName)
                .Order(StringComparer.Ordinal)
        );
    }

    [Fact]
    public void Files_that_are_no_texts_are_passed_over_and_named_and_progress_tells_of_every_stage()
    {
        foreach (
            var (author, day) in from author in (string[])["ada", "bob"]
                                 from day in Enumerable.Range(1, 6)
                                 select (author, day)
        )
        {
            Folder.Write(
                $"texts/{author}/2024-01-0{day}.txt",
                $"Note {day} of {author}\n\nAt length about thing {day} of {author}."
            );
        }

        Folder.Write("texts/ada/letter.docx", "PK");
        var stages = new RecordedStages();

        var report = DataImport.Run(
            new()
            {
                Source = Folder.At("texts"),
                TaskName = "mails",
                AuthorColumn = "folder",
                DateColumn = "date",
                IdColumn = "file",
                InputColumns = ["heading"],
                OutputColumn = "body",
                Target = Folder.At("out"),
                Progress = stages,
            }
        );

        Assert.Contains(
            "letter.docx: found a file of another kind",
            Assert.Single(report.Problems),
            StringComparison.Ordinal
        );
        Assert.Equal(["read", "write", "check"], stages.Names);
        Assert.Throws<OperationCanceledException>(() =>
            DataImport.Run(
                Options("mails.jsonl") with
                {
                    Source = Folder.At("texts"),
                    AuthorColumn = "folder",
                    DateColumn = null,
                    InputColumns = ["heading"],
                    CancellationToken = new(true),
                }
            )
        );
    }
}
