using System.IO.Compression;
using System.Text;
using CoPe.Experiments.Runs.Erasure;
using CoPe.Testing;

namespace CoPe.Experiments.Tests.Runs.Erasure;

public sealed class TextSearchTests : IDisposable
{
    const string Text = "Grüße \"aus\" der Stadt & vom Meer";

    readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    string? Find(byte[] content, string text = Text)
    {
        var path = _folder.At("file");
        File.WriteAllBytes(path, content);
        var found = new TextSearch([text, "A text that stands nowhere"]).FindInFile(path, out var isWhole);
        Assert.True(isWhole);
        return found;
    }

    [Theory]
    [InlineData(0)]
    [InlineData((1 << 20) - 7)]
    [InlineData((1 << 20) + 3)]
    [InlineData((3 << 20) - 31)]
    public void A_text_is_found_wherever_it_stands(int place)
    {
        byte[] content = [.. new byte[place], .. Encoding.UTF8.GetBytes(Text), .. new byte[5000]];

        Assert.Equal(Text, Find(content));
        content[place + 3] ^= 1;
        Assert.Null(Find(content));
    }

    [Theory]
    [InlineData("Gr\\u00fc\\u00dfe \\\"aus\\\" der Stadt & vom Meer")]
    [InlineData("Gr\\u00FC\\u00DFe \\u0022aus\\u0022 der Stadt \\u0026 vom Meer")]
    [InlineData("Grüße \\\"aus\\\" der Stadt & vom Meer")]
    [InlineData("Gr&#252;&#223;e &quot;aus&quot; der Stadt &amp; vom Meer")]
    [InlineData("Gr%C3%BC%C3%9Fe%20%22aus%22%20der%20Stadt%20%26%20vom%20Meer")]
    [InlineData("Grüße \"\"aus\"\" der Stadt & vom Meer")]
    public void A_text_is_found_in_every_form_that_files_have(string form)
    {
        Assert.Equal(Text, Find(Encoding.UTF8.GetBytes($"before{form}after")));
        Assert.Null(Find(Encoding.UTF8.GetBytes(form[..^2])));
    }

    [Fact]
    public void A_text_is_found_in_utf_16_and_when_it_is_packed()
    {
        Assert.Equal(Text, Find([1, .. Encoding.Unicode.GetBytes(Text)]));
        Assert.Equal(Text, Find(Encoding.BigEndianUnicode.GetBytes("x" + Text)));
        using var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.Optimal, leaveOpen: true))
        {
            gzip.Write(Encoding.UTF8.GetBytes(Text));
        }

        Assert.Equal(Text, Find(packed.ToArray()));
        Assert.Null(Find([0x1f, 0x8b, 1, 2, 3]));
        Assert.Null(Find("PK no zip"u8.ToArray()));
    }

    [Fact]
    public void A_long_text_is_found_where_it_is_cut_and_texts_that_begin_alike_are_told_apart()
    {
        var text = string.Join(' ', Enumerable.Range(0, 200));

        Assert.Equal(text, Find(Encoding.UTF8.GetBytes(text[..250]), text));
        Assert.Null(Find(Encoding.UTF8.GetBytes(text[..150] + "other"), text));
        Assert.Equal(
            ["A text of Ada", "A text of Ad"],
            new TextSearch(["A text of Ada", "A text of Ad", "A text of Bob"])
                .FindAllIn("<A text of Ada>")
                .Order()
                .Reverse()
        );
    }

    [Theory]
    [InlineData("Ada", true)]
    [InlineData("(Ada)", true)]
    [InlineData("…Ada—", true)]
    [InlineData("before\\nAda", true)]
    [InlineData("gr\\u00fcAda", true)]
    [InlineData("%20Ada%20", true)]
    [InlineData("Adam", false)]
    [InlineData("adAda", false)]
    [InlineData("Ada1", false)]
    [InlineData("Adam and Ada", true)]
    public void A_short_text_is_searched_for_as_words(string content, bool isFound)
    {
        File.WriteAllText(_folder.At("file"), content);
        var search = new TextSearch(["Ada"], isOfWords: true);
        Assert.Equal(isFound ? "Ada" : null, search.FindInFile(_folder.At("file"), out _));
        File.WriteAllText(_folder.At("file"), "Adam", Encoding.Unicode);
        Assert.Equal("Ada", search.FindInFile(_folder.At("file"), out _));
    }

    [Fact]
    public void Nothing_is_found_where_nothing_is_searched_for()
    {
        Assert.Empty(new TextSearch([]).FindAllIn(Text));
        File.WriteAllText(_folder.At("file"), Text);
        Assert.Null(new TextSearch([]).FindInFile(_folder.At("file"), out _));
    }
}
