using System.Text;
using CoPe.Experiments.Data.Importing;
using CoPe.Experiments.Tasks;
using CoPe.Testing;

namespace CoPe.Experiments.Tests.Data.Importing;

public sealed class ImportSourceTests : IDisposable
{
    readonly TemporaryFolder _folder = new();
    readonly List<DataFileException> _problems = [];

    public void Dispose() => _folder.Dispose();

    List<ImportRow> Read(string name) => [.. ImportSource.Read(_folder.At(name), new(_problems.Add, new()))];

    string Refused(string name) => Assert.Throws<DataFileException>(() => Read(name)).Message;

    [Theory]
    [InlineData("who;text;;\nAda;one;;\nBob;two;x;y\n")]
    [InlineData(",who,text\n0,Ada,one\n1,Bob,two\n")]
    [InlineData("who\t \ttext\nAda\t\tone\nBob\tz\ttwo\n")]
    public void Columns_without_a_name_are_passed_over(string text)
    {
        _folder.Write("x.csv", text);

        var rows = Read("x.csv");

        Assert.All(rows, row => Assert.Equal(["text", "who"], row.Fields.Keys.Order(StringComparer.Ordinal)));
        Assert.Equal([("Ada", "one"), ("Bob", "two")], rows.Select(row => (row.Fields["who"]!, row.Fields["text"]!)));
        Assert.Empty(_problems);
    }

    [Theory]
    [InlineData("who;;who;\nAda;;Bob;\n", "x.csv, line 1: found the column \"who\" twice")]
    [InlineData(";;\nAda;one;\n", "x.csv, line 1: found a header without a name")]
    public void A_name_that_stands_twice_and_a_header_without_any_are_refused(string text, string found)
    {
        _folder.Write("x.csv", text);
        Assert.Contains(found, Refused("x.csv"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("x.csv", "who,text\nAda,a")]
    [InlineData("x.jsonl", "{\"a\": 1}\n{\"b\":\"")]
    public void Bytes_that_are_no_text_are_refused_behind_a_byte_order_mark_too(string name, string head)
    {
        byte[] before = [0xEF, 0xBB, 0xBF, .. Encoding.UTF8.GetBytes(head)];
        File.WriteAllBytes(_folder.At(name), [.. before, 0xE9, .. "\"}\n"u8]);

        Assert.Contains(
            $"{name}, line 2: found bytes that are neither UTF-8 nor UTF-16, the first at byte {before.Length + 1},",
            Refused(name),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void A_text_with_a_byte_order_mark_begins_behind_it_and_one_with_other_bytes_is_left_out_and_named()
    {
        Directory.CreateDirectory(_folder.At("texts"));
        File.WriteAllBytes(_folder.At("texts/a.txt"), [0xEF, 0xBB, 0xBF, .. "Dä"u8]);
        File.WriteAllBytes(_folder.At("texts/b.txt"), [0xEF, 0xBB, 0xBF, (byte)'D', 0xE4, (byte)'n']);

        Assert.Equal("Dä", Assert.Single(Read("texts")).Fields[TextFolder.TextColumn]);
        Assert.Contains(
            "b.txt, line 1: found bytes that are neither UTF-8 nor UTF-16, the first at byte 5,",
            Assert.Single(_problems).Message,
            StringComparison.Ordinal
        );
    }

    [Theory]
    [InlineData("2024-03-05 note.txt")]
    [InlineData("note_20240305.txt")]
    [InlineData("\u0662\u0660\u0662\u0664-\u0660\u0663-\u0660\u0665.txt")]
    public void The_date_in_a_files_name_may_be_in_digits_of_any_script(string name)
    {
        _folder.Write(Path.Combine("texts", name), "A text of some words.");
        Assert.Equal("2024-03-05", Assert.Single(Read("texts")).Fields[TextFolder.DateColumn]);
    }
}
