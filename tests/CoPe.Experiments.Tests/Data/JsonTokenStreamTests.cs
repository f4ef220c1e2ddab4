using System.Text;
using System.Text.Json;
using CoPe.Experiments.Data;
using CoPe.Experiments.Tasks;
using CoPe.Testing;

namespace CoPe.Experiments.Tests.Data;

public sealed class JsonTokenStreamTests : IDisposable
{
    readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    public static TheoryData<string> Encodings => ["utf-8", "utf-16", "utf-16BE", "utf-32", "utf-32BE"];

    string Write(string text, string encoding)
    {
        File.WriteAllText(_folder.At("x.json"), text, Encoding.GetEncoding(encoding));
        return _folder.At("x.json");
    }

    static List<(JsonTokenType Type, string Text)> Tokens(string path, int bufferSize)
    {
        using var tokens = new JsonTokenStream(path, bufferSize);
        var read = new List<(JsonTokenType Type, string Text)>();
        while (tokens.Read())
        {
            read.Add((tokens.TokenType, tokens.Text));
        }

        return read;
    }

    [Theory]
    [MemberData(nameof(Encodings))]
    public void The_size_of_the_buffer_makes_no_difference(string encoding)
    {
        var path = Write(
            "[{\"a\": \"text ☃ 😀\", \"b\": [1.50, true, null]}, \"" + new string('ö', 100) + "\"]\r\n",
            encoding
        );
        var expected = Tokens(path, 1 << 16);

        Assert.Equal(13, expected.Count);
        foreach (var size in Enumerable.Range(1, 40).Append(256))
        {
            Assert.Equal(expected, Tokens(path, size));
        }
    }

    [Theory]
    [MemberData(nameof(Encodings))]
    public void A_text_of_many_megabytes_is_read_from_every_encoding(string encoding)
    {
        var text = new string('x', 8_000_000);
        Assert.Equal((JsonTokenType.String, text), Assert.Single(Tokens(Write($"\"{text}\"", encoding), 1 << 16)));
    }

    [Fact]
    public void What_stands_before_bytes_that_are_no_text_is_read()
    {
        // The text is longer than what a transcoding stream decodes at once; behind it comes half of a surrogate pair.
        File.WriteAllBytes(
            _folder.At("x.json"),
            [
                .. Encoding.Unicode.GetBytes($"[\"first\", \"{new string('x', 20_000)}"),
                0x3D,
                0xD8,
                (byte)'"',
                0,
                (byte)']',
                0,
            ]
        );
        using var tokens = new JsonTokenStream(_folder.At("x.json"));

        Assert.True(tokens.Read() && tokens.Read());
        Assert.Equal("first", tokens.Text);
        Assert.Contains(
            "bytes that are no text",
            Assert.Throws<DataFileException>(() => tokens.Read()).Message,
            StringComparison.Ordinal
        );
        Assert.True(tokens.IsBroken);
    }

    [Theory]
    [InlineData("")]
    [InlineData("[\"cut")]
    public void A_file_that_ends_early_is_broken_whatever_the_size_of_the_buffer(string text)
    {
        var path = Write(text, "utf-16");
        foreach (var size in (int[])[1, 2, 5, 6, 64])
        {
            Assert.Throws<DataFileException>(() => Tokens(path, size));
        }
    }
}
