using System.Text;
using CoPe.Experiments.Data;
using CoPe.Experiments.Data.Importing;
using CoPe.Experiments.Tasks;

namespace CoPe.Experiments.Tests.Data.Importing;

/// <summary>Rows, files and sources that cannot be imported.</summary>
public sealed class ImportFaultsTests : ImportTestBase
{
    static List<string> Lines() =>
        [
            .. from day in Enumerable.Range(1, 6)
            from name in (string[])["Ada", "Bob"]
            select $$"""{"who": "{{name}}", "when": "2024-01-0{{day}}", "subject": "topic {{day}}","""
                + $$""" "body": "the text {{day}} of {{name}} here"}""",
        ];

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
        var nested = new string('[', 2000) + new string(']', 2000);
        const string Half = "{\"who\": \"Ada\", \"when\": \"2024\", \"subject\": \"s\", \"body\": \"half \\ud83d\"}";
        var rows = Enumerable
            .Range(1, 6)
            .SelectMany(day =>
                ((string[])["Ada", "Bob"]).Select(name =>
                    $$"""{"who": "{{name}}", "when": "2024-01-0{{day}}", "subject": "s {{day}}","""
                    + $$""" "body": "the text {{day}} of {{name}}", "more": {{nested}}}"""
                )
            )
            .ToList();
        File.WriteAllText(Folder.At("mails.jsonl"), string.Join('\n', [.. rows, Half, "[1]"]));
        File.WriteAllText(Folder.At("mails.json"), $"[{string.Join(",\n", [.. rows, Half, "[1]"])}]");

        var lines = DataImport.Run(Options("mails.jsonl"));
        var array = DataImport.Run(Options("mails.json"));

        Assert.Equal((12, 2, 12, 2), (lines.Rows, lines.ProblemCount, array.Rows, array.ProblemCount));
        Assert.Contains(
            "mails.jsonl, line 13, field \"body\": found text that is no valid Unicode",
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
        File.WriteAllLines(Folder.At("mails.jsonl"), lines);
        File.WriteAllText(Folder.At("mails.json"), $"[{string.Join(',', lines)}]");

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
        File.WriteAllLines(Folder.At("mails.jsonl"), twice);
        File.WriteAllText(Folder.At("mails.json"), $"[{string.Join(',', twice)}]");

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

        File.WriteAllText(Folder.At("mails.json"), $"[{string.Join(',', Lines())}] [{string.Join(',', Lines())}]");
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
            File.WriteAllBytes(Folder.At(file), bytes);
            var message = Assert.Throws<DataFileException>(() => DataImport.Run(Options(file))).Message;
            Assert.Contains(file, message, StringComparison.Ordinal);
            Assert.Contains(kind, message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Nothing_to_use_is_refused_with_the_first_thing_that_was_left_out()
    {
        File.WriteAllText(Folder.At("mails.jsonl"), $"[{string.Join(',', Lines())}]");

        Assert.Contains(
            "(one entry left out or changed, the first: " + Folder.At("mails.jsonl") + ", line 1: found an array",
            Assert.Throws<DataFileException>(() => DataImport.Run(Options("mails.jsonl"))).Message,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void Where_the_check_leaves_nobody_the_refusal_says_what_it_took_out()
    {
        File.WriteAllLines(
            Folder.At("mails.jsonl"),
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
    public void Bytes_that_are_no_text_are_refused_with_the_line()
    {
        File.WriteAllBytes(
            Folder.At("mails.csv"),
            [.. Encoding.UTF8.GetBytes("who,when,subject,body\nAda,2024,a,"), 0xE9, (byte)'\n']
        );

        Assert.Contains(
            "mails.csv, line 2: found bytes that are neither UTF-8 nor UTF-16, the first at byte 34,",
            Assert.Throws<DataFileException>(() => DataImport.Run(Options("mails.csv"))).Message,
            StringComparison.Ordinal
        );
    }
}
