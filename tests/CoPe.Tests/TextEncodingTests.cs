using System.Text;
using CoPe.Testing;

namespace CoPe.Tests;

public sealed class TextEncodingTests : IDisposable
{
    const string Json = "[{\"é\": \"日本 🎉\"}]\n";

    readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    public static TheoryData<string, bool> Encodings() =>
        new()
        {
            { "utf-8", false },
            { "utf-8", true },
            { "utf-16", false },
            { "utf-16", true },
            { "utf-16BE", false },
            { "utf-16BE", true },
            { "utf-32", false },
            { "utf-32", true },
            { "utf-32BE", false },
            { "utf-32BE", true },
        };

    [Theory]
    [MemberData(nameof(Encodings))]
    public void A_text_is_read_in_every_encoding_with_and_without_a_mark(string name, bool hasMark)
    {
        var path = Write(Json, name, hasMark);

        Assert.Equal(Json, TextEncoding.ReadAllText(path));

        using var reader = TextEncoding.OpenText(path);
        Assert.Equal(Json, reader.ReadToEnd());

        using var utf8 = TextEncoding.OpenAsUtf8(File.OpenRead(path));
        using var copy = new MemoryStream();
        utf8.CopyTo(copy);
        Assert.Equal(Encoding.UTF8.GetBytes(Json), copy.ToArray());
    }

    [Theory]
    [InlineData("")]
    [InlineData("7")]
    [InlineData("[]")]
    [InlineData("a日")]
    public void A_short_text_is_read_too(string text)
    {
        Assert.Equal(text, TextEncoding.ReadAllText(Write(text, "utf-8", hasMark: false)));
        Assert.Equal(text, TextEncoding.ReadAllText(Write(text, "utf-16", hasMark: false)));
        Assert.Equal(text, TextEncoding.ReadAllText(Write(text, "utf-16BE", hasMark: false)));
    }

    [Fact]
    public void Bytes_that_are_not_text_are_refused_with_their_place()
    {
        var path = _folder.At("x.yaml");
        File.WriteAllBytes(path, [.. "name: "u8, 0xE9, (byte)'\n']);

        var error = Assert.Throws<InvalidDataException>(() => TextEncoding.ReadAllText(path));
        Assert.StartsWith($"{path}: byte 7 ", error.Message, StringComparison.Ordinal);

        using var reader = TextEncoding.OpenText(path);
        Assert.Throws<DecoderFallbackException>(reader.ReadToEnd);
    }

    string Write(string text, string encodingName, bool hasMark)
    {
        var encoding = Encoding.GetEncoding(encodingName);
        var path = _folder.At("x");
        File.WriteAllBytes(path, [.. hasMark ? encoding.GetPreamble() : [], .. encoding.GetBytes(text)]);
        return path;
    }
}
