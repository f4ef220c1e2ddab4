using System.Text;
using CoPe.Experiments.Data;
using CoPe.Experiments.Data.Checking;
using CoPe.Experiments.Data.Importing;
using CoPe.Experiments.Tasks;
using CoPe.Testing;

namespace CoPe.Experiments.Tests.Data.Importing;

public sealed class DataImportTests : IDisposable
{
    readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    /// <summary>Three authors: Ada with ten mails in no order of time, Bob and Eve with two.</summary>
    static string Csv(Func<int, string> date) =>
        "who,when,subject,body\n"
        + string.Concat(
            Enumerable
                .Range(0, 10)
                .Select(i => (i * 3) % 10)
                .Select(day =>
                    $"Ada,{date(day)},\"topic {day}, first\",\"Dear all,\nthis is mail number {day} \"\"by Ada\"\".\"\n"
                )
        )
        + string.Concat(
            from name in (string[])["Bob", "Eve"]
            from day in (int[])[1, 2]
            select $"{name},{date(day)},topic of {name} {day},Short mail {day} by {name} himself\n"
        );

    ImportOptions Options(string file, IdHasher? hash = null) =>
        new()
        {
            Source = _folder.At(file),
            TaskName = "mails",
            AuthorColumn = "who",
            DateColumn = "when",
            InputColumns = ["subject"],
            OutputColumn = "body",
            Target = _folder.At("out"),
            IdHasher = hash,
        };

    ImportReport Import(string text, Encoding? encoding = null, IdHasher? hash = null)
    {
        File.WriteAllText(_folder.At("mails.csv"), text, encoding ?? new UTF8Encoding(false));
        return DataImport.Run(Options("mails.csv", hash));
    }

    LampDataset Read() => LampFiles.Read(_folder.At("out"), TaskFile.Read(_folder.At("out/mails/task.yaml")).Task);

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
        var expected = File.ReadAllText(_folder.At("out/mails/" + LampFiles.UsersFile));
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
            File.ReadAllText(_folder.At("out/mails/" + LampFiles.UsersFile))
                .Replace("\\r\\n", "\\n", StringComparison.Ordinal)
        );
    }

    [Fact]
    public void Rows_that_cannot_be_used_are_left_out_and_named()
    {
        var report = Import(
            Csv(day => $"2024-01-{day + 10}")
                + "Ada,2024-02-01,x\nAda,someday,x,y\n,2024-02-01,x,y\nAda,2024-02-01,x,\n"
        );

        Assert.Equal((14, 4), (report.Rows, report.ProblemCount));
        Assert.Contains(
            report.Problems,
            problem => problem.Contains("mails.csv, line 26: found 3 fields, expected 4", StringComparison.Ordinal)
        );
        Assert.Contains(report.Problems, problem => problem.Contains("found \"someday\"", StringComparison.Ordinal));
        Assert.Contains(
            report.Problems,
            problem => problem.Contains("line 28, field \"who\"", StringComparison.Ordinal)
        );
        Assert.Equal(8, Read().Users[0].History.Count);
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
            File.ReadAllText(_folder.At("out/mails/" + LampFiles.UsersFile)),
            StringComparison.Ordinal
        );
        Assert.Equal(new IdHasher(new byte[32]).Hash("Ada"), Read().Users[0].Id);
        Assert.NotEqual(new IdHasher(new byte[32]).Hash("Ada"), new IdHasher([.. new byte[31], 1]).Hash("Ada"));
        Assert.Equal(
            IdHasher.LoadOrCreate(_folder.At("key")).Hash("Ada"),
            IdHasher.LoadOrCreate(_folder.At("key")).Hash("Ada")
        );
    }

    [Fact]
    public void Json_lines_and_a_json_array_give_what_the_csv_gives()
    {
        Import(Csv(day => $"2024-01-{day + 10}"));
        var expected = File.ReadAllText(_folder.At("out/mails/" + LampFiles.UsersFile));
        using var csv = new StreamReader(_folder.At("mails.csv"));
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
        File.WriteAllText(_folder.At("mails.jsonl"), string.Join("\r\n", rows.Append("{broken").Append("")));
        File.WriteAllText(_folder.At("mails.json"), $"[{string.Join(",", rows)}]");

        var report = DataImport.Run(Options("mails.jsonl"));
        Assert.Equal(expected, File.ReadAllText(_folder.At("out/mails/" + LampFiles.UsersFile)));
        Assert.Contains("mails.jsonl, line 15", Assert.Single(report.Problems), StringComparison.Ordinal);

        DataImport.Run(Options("mails.json"));
        Assert.Equal(expected, File.ReadAllText(_folder.At("out/mails/" + LampFiles.UsersFile)));
    }

    [Fact]
    public void A_folder_of_texts_has_an_author_a_folder_and_the_heading_as_request()
    {
        foreach (var day in Enumerable.Range(1, 6))
        {
            _folder.Write(
                $"texts/ada/2024-01-0{day} note.txt",
                $"# Note {day}\n\nToday I write about thing {day} at length."
            );
        }

        _folder.Write("texts/bob/a.md", "One sentence stands here alone. Another follows it.");
        _folder.Write("texts/bob/empty.txt", " ");

        var report = DataImport.Run(
            new()
            {
                Source = _folder.At("texts"),
                TaskName = "mails",
                AuthorColumn = "folder",
                DateColumn = "date",
                IdColumn = "file",
                InputColumns = ["heading"],
                OutputColumn = "body",
                Target = _folder.At("out"),
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

    [Theory]
    [InlineData("", "an empty file")]
    [InlineData("who,when,subject\nAda,2024,x\n", "a column \"body\"")]
    [InlineData("who,when,subject,body\n", "no row with all it needs")]
    [InlineData("who,when,subject,body\nAda,2024,a,b\n", "found 1 author")]
    [InlineData("who,when,subject,body\nAda,2024,a,b\nBob,2024,a,c\n", "at most 1 texts an author")]
    [InlineData("who,who,subject,body\nAda,2024,a,b\n", "the column \"who\" twice")]
    public void A_source_that_cannot_become_a_task_is_refused(string text, string found) =>
        Assert.Contains(found, Assert.Throws<DataFileException>(() => Import(text)).Message, StringComparison.Ordinal);

    [Fact]
    public void Half_surrogates_and_entries_that_are_no_objects_cost_one_row_each_and_are_named()
    {
        const string Half = "{\"who\": \"Ada\", \"when\": \"2024\", \"subject\": \"s\", \"body\": \"half \\ud83d\"}";
        var rows = Enumerable
            .Range(1, 6)
            .SelectMany(day =>
                ((string[])["Ada", "Bob"]).Select(name =>
                    $$"""{"who": "{{name}}", "when": "2024-01-0{{day}}", "subject": "s {{day}}", "body": "the text {{day}} of {{name}}", "more": {{new string('[', 2000)}}{{new string(']', 2000)}}}"""
                )
            )
            .ToList();
        File.WriteAllText(_folder.At("mails.jsonl"), string.Join('\n', [.. rows, Half, "[1]"]));
        File.WriteAllText(_folder.At("mails.json"), $"[{string.Join(",\n", [.. rows, Half, "[1]"])}]");

        var lines = DataImport.Run(Options("mails.jsonl"));
        var array = DataImport.Run(Options("mails.json"));

        Assert.Equal((12, 2, 12, 2), (lines.Rows, lines.ProblemCount, array.Rows, array.ProblemCount));
        Assert.Contains(
            "mails.jsonl, line 13: found half of a surrogate pair",
            lines.Problems[0],
            StringComparison.Ordinal
        );
        Assert.Contains(
            "mails.jsonl, line 14: found an array, expected an object",
            lines.Problems[1],
            StringComparison.Ordinal
        );
        Assert.Contains(
            "mails.json, item number 13, field \"body\": found text that is no valid Unicode",
            array.Problems[0],
            StringComparison.Ordinal
        );
        Assert.Contains(
            "mails.json, item number 14: found an array, expected an object",
            array.Problems[1],
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void Nothing_but_the_task_stays_in_the_target()
    {
        Import(Csv(day => $"2024-01-{day + 10}"));

        Assert.Equal(["mails"], Directory.EnumerateFileSystemEntries(_folder.At("out")).Select(Path.GetFileName));
        Assert.Equal(
            ["task.yaml", LampFiles.OthersFile, LampFiles.UsersFile, LampFiles.LabelsFile],
            Directory
                .EnumerateFileSystemEntries(_folder.At("out/mails"))
                .Select(Path.GetFileName)
                .Order(StringComparer.Ordinal)
        );
    }

    static List<string> Lines() =>
        [
            .. from day in Enumerable.Range(1, 6)
            from name in (string[])["Ada", "Bob"]
            select $$"""{"who": "{{name}}", "when": "2024-01-0{{day}}", "subject": "topic {{day}}", "body": "the text {{day}} of {{name}} here"}""",
        ];

    [Theory]
    [InlineData("who", "", "found null, expected a text. The row is left out", 11)]
    [InlineData("body", "", "found null, expected a text. The row is left out", 11)]
    [InlineData("when", "", "found no date", 11)]
    [InlineData("subject", "", "found null, expected a text. The row is kept with an empty one", 12)]
    [InlineData("body", "{}", "found no text or number of this name", 11)]
    [InlineData(
        "subject",
        "[1]",
        "found no text or number of this name, expected a text. The row is kept with an empty one",
        12
    )]
    public void A_null_or_an_object_in_the_place_of_a_text_is_named_even_in_the_first_row(
        string field,
        string value,
        string found,
        int rows
    )
    {
        var lines = Lines();
        lines[0] = System.Text.RegularExpressions.Regex.Replace(
            lines[0],
            $"\"{field}\": \"[^\"]*\"",
            $"\"{field}\": {(value.Length == 0 ? "null" : value)}"
        );
        File.WriteAllLines(_folder.At("mails.jsonl"), lines);
        File.WriteAllText(_folder.At("mails.json"), $"[{string.Join(',', lines)}]");

        foreach (var (file, place) in new[] { ("mails.jsonl", "line 1"), ("mails.json", "item number 1") })
        {
            var report = DataImport.Run(Options(file));
            Assert.Equal(rows, report.Rows);
            Assert.Contains(
                $"{file}, {place}, field \"{field}\": {found}",
                Assert.Single(report.Problems),
                StringComparison.Ordinal
            );
        }
    }

    [Fact]
    public void A_field_that_stands_twice_costs_its_row_and_what_follows_an_array_is_refused()
    {
        var twice = Lines()
            .Select(
                (line, place) => place == 3 ? line.Replace("{", "{\"who\": \"Eve\", ", StringComparison.Ordinal) : line
            )
            .ToList();
        File.WriteAllLines(_folder.At("mails.jsonl"), twice);
        File.WriteAllText(_folder.At("mails.json"), $"[{string.Join(',', twice)}]");

        Assert.Contains(
            "mails.jsonl, line 4, field \"who\": found the field twice",
            Assert.Single(DataImport.Run(Options("mails.jsonl")).Problems),
            StringComparison.Ordinal
        );
        Assert.Contains(
            "mails.json, item number 4, field \"who\": found the field twice",
            Assert.Single(DataImport.Run(Options("mails.json")).Problems),
            StringComparison.Ordinal
        );

        File.WriteAllText(_folder.At("mails.json"), $"[{string.Join(',', Lines())}] [{string.Join(',', Lines())}]");
        Assert.Contains(
            "mails.json",
            Assert.Throws<DataFileException>(() => DataImport.Run(Options("mails.json"))).Message,
            StringComparison.Ordinal
        );
    }

    public static TheoryData<byte[], string> Packed =>
        new()
        {
            { [0x1F, 0x8B, 8, 0, 0, 0, 0, 0], "gzip" },
            { [0x28, 0xB5, 0x2F, 0xFD, 1, 2, 3], "zstd" },
            { [(byte)'P', (byte)'K', 3, 4, 0xFF, 0xFE, 1], "zip" },
            { [.. "PAR1"u8, 0xFF, 0xFF, 0, 1], "parquet" },
        };

    [Theory]
    [MemberData(nameof(Packed))]
    public void A_packed_file_in_the_place_of_text_is_called_by_its_kind(byte[] bytes, string kind)
    {
        foreach (var file in (string[])["mails.csv", "mails.jsonl", "mails.json", "mails.gz"])
        {
            File.WriteAllBytes(_folder.At(file), bytes);
            var message = Assert.Throws<DataFileException>(() => DataImport.Run(Options(file))).Message;
            Assert.Contains(file, message, StringComparison.Ordinal);
            Assert.Contains(kind, message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Nothing_to_use_is_refused_with_the_first_thing_that_was_left_out()
    {
        File.WriteAllText(_folder.At("mails.jsonl"), $"[{string.Join(',', Lines())}]");

        Assert.Contains(
            "(one entry left out or changed, the first: " + _folder.At("mails.jsonl") + ", line 1: found an array",
            Assert.Throws<DataFileException>(() => DataImport.Run(Options("mails.jsonl"))).Message,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void Where_the_check_leaves_nobody_the_refusal_says_what_it_took_out()
    {
        File.WriteAllLines(
            _folder.At("mails.jsonl"),
            Lines()
                .Select(line =>
                    System.Text.RegularExpressions.Regex.Replace(line, "the text . of", "always the same text of")
                )
        );

        Assert.Contains(
            "x leak_text, first " + LampFiles.UsersFile + ", user Ada",
            Assert.Throws<DataFileException>(() => DataImport.Run(Options("mails.jsonl"))).Message,
            StringComparison.Ordinal
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
            _folder.Write(
                $"texts/{author}/2024-01-0{day}.txt",
                $"Note {day} of {author}\n\nAt length about thing {day} of {author}."
            );
        }

        _folder.Write("texts/ada/letter.docx", "PK");
        var told = new RecordedStages();

        var report = DataImport.Run(
            new()
            {
                Source = _folder.At("texts"),
                TaskName = "mails",
                AuthorColumn = "folder",
                DateColumn = "date",
                IdColumn = "file",
                InputColumns = ["heading"],
                OutputColumn = "body",
                Target = _folder.At("out"),
                Progress = told,
            }
        );

        Assert.Contains(
            "letter.docx: found a file of another kind",
            Assert.Single(report.Problems),
            StringComparison.Ordinal
        );
        Assert.Equal(["read", "write", "check"], told.Names);
        Assert.Throws<OperationCanceledException>(() =>
            DataImport.Run(
                Options("mails.jsonl") with
                {
                    Source = _folder.At("texts"),
                    AuthorColumn = "folder",
                    DateColumn = null,
                    InputColumns = ["heading"],
                    CancellationToken = new(true),
                }
            )
        );
    }

    [Fact]
    public void Bytes_that_are_no_text_are_refused_with_the_line()
    {
        File.WriteAllBytes(
            _folder.At("mails.csv"),
            [.. Encoding.UTF8.GetBytes("who,when,subject,body\nAda,2024,a,"), 0xE9, (byte)'\n']
        );

        Assert.Contains(
            "mails.csv, line 2: found bytes that are neither UTF-8 nor UTF-16, the first at byte 34,",
            Assert.Throws<DataFileException>(() => DataImport.Run(Options("mails.csv"))).Message,
            StringComparison.Ordinal
        );
    }
}
