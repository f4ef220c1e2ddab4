using System.Text;
using System.Text.Json;
using CoPe.Json;
using CoPe.Testing;

namespace CoPe.Tests.Json;

public sealed class StrictJsonTests
{
    static byte[] Utf8(string text) => Encoding.UTF8.GetBytes(text);

    /// <summary>The text in Latin-1, so that "ÿ" is a byte that UTF-8 does not have.</summary>
    static byte[] Bytes(string text) => Encoding.Latin1.GetBytes(text);

    static string Fault(ReadOnlySpan<byte> text, StrictJsonOptions? options = null)
    {
        try
        {
            StrictJson.Parse(text, options);
        }
        catch (InvalidJsonException error)
        {
            return error.Message;
        }

        return "";
    }

    [Theory]
    [InlineData("", "line 1, column 1")]
    [InlineData("{\"a\": ", "line 1, column 7")]
    [InlineData("{\"a\":\n  1 2}", "line 2, column 5")]
    [InlineData("{}\n{}", "line 2, column 1")]
    [InlineData("{\"é\": [1, x]}", "line 1, column 11, at é[0]")]
    [InlineData("[\n{\"a\": {\"b\": 1,\n\"b\": 2}}]", "line 3, column 1, at [0].a.b: the key \"b\" stands twice")]
    [InlineData("{\"a\": 1, \"\\u0061\": 2}", "line 1, column 10, at a: the key \"a\" stands twice")]
    [InlineData("{\"a\": [\"x\", \"\\ud800\"]}", "line 1, column 13, at a[1]: text with half of a surrogate pair")]
    [InlineData("{\"\\udc00\": 1}", "line 1, column 2: a key is text with half of a surrogate pair")]
    [InlineData("[NaN]", "line 1, column 2, at [0]: NaN or Infinity")]
    [InlineData("[1,]", "line 1, column 4")]
    [InlineData("{} // and more", "line 1, column 4")]
    [InlineData("{'a': 1}", "line 1, column 2")]
    public void What_is_wrong_is_told_with_its_place(string text, string expected) =>
        Assert.StartsWith(expected, Fault(Utf8(text)), StringComparison.Ordinal);

    [Theory]
    [InlineData("{\"a\":\n\"xÿ\"}", "line 2: byte 9 is not UTF-8 text")]
    [InlineData("{\"ÿ\": 1}", "line 1: byte 3 is not UTF-8 text")]
    [InlineData("ÿþ{\0}\0", "line 1: byte 1 is not UTF-8 text")]
    public void Bytes_that_are_no_utf8_are_told_with_their_place(string text, string expected) =>
        Assert.StartsWith(expected, Fault(Bytes(text)), StringComparison.Ordinal);

    [Fact]
    public void Keys_that_a_culture_takes_for_the_same_are_two()
    {
        const string Text = "{\"caf\u00e9\": 1, \"cafe\u0301\": 2, \"\u200bx\": 3, \"x\": 4}";

        var read = StrictJson.Deserialize<SortedDictionary<string, int>>(Utf8(Text))!;

        Assert.Equal(["cafe\u0301", "caf\u00e9", "x", "\u200bx"], read.Keys.Order(StringComparer.Ordinal));
        Assert.Equal((1, 2), (read["caf\u00e9"], read["cafe\u0301"]));
    }

    [Fact]
    public void What_is_nested_too_deeply_is_refused_and_what_is_not_is_read()
    {
        Assert.Equal("", Fault(Utf8(new string('[', 64) + new string(']', 64))));
        Assert.Contains("nested too deeply", Fault(Utf8(new string('[', 65) + new string(']', 65))));
        Assert.Contains("nested too deeply", Fault(Utf8(new string('[', 100_000))));
    }

    [Fact]
    public void A_byte_order_mark_and_pairs_of_surrogates_are_read()
    {
        var root = StrictJson.Parse([0xEF, 0xBB, 0xBF, .. Utf8("""{"a": "\ud83d\ude00 \\ud800"}""")]);
        Assert.Equal("\U0001F600 \\ud800", root.GetProperty("a").GetString());
    }

    [Theory]
    [InlineData(" \n", "the text is blank")]
    [InlineData("[1,]", "a comma stands behind the last element")]
    [InlineData("{\"a\": [1]", "the text ends inside an object or a list")]
    public void What_is_no_json_is_named_without_words_of_the_parser(string text, string expected) =>
        Assert.Contains($"no valid JSON ({expected})", Fault(Utf8(text)), StringComparison.Ordinal);

    [Fact]
    public void A_message_is_one_line_whatever_the_text_holds()
    {
        var name = "a\\n\\u001b[31m" + new string('x', 10_000);
        var fault = Fault(Utf8($$"""{"{{name}}": 1, "{{name}}": 2}"""));
        Assert.DoesNotContain('\n', fault);
        Assert.DoesNotContain('\u001b', fault);
        Assert.InRange(fault.Length, 20, 300);
    }

    [Fact]
    public void Numbers_of_python_are_read_where_they_are_allowed()
    {
        var root = StrictJson.Parse(
            Utf8("""{"a": NaN, "b": [Infinity, -Infinity,NaN], "NaN": "NaN, \"Infinity"}"""),
            StrictJsonOptions.Python
        );
        Assert.Equal(JsonValueKind.Null, root.GetProperty("a").ValueKind);
        Assert.Equal(double.PositiveInfinity, root.GetProperty("b")[0].GetDouble());
        Assert.Equal(double.NegativeInfinity, root.GetProperty("b")[1].GetDouble());
        Assert.Equal(JsonValueKind.Null, root.GetProperty("b")[2].ValueKind);
        Assert.Equal("NaN, \"Infinity", root.GetProperty("NaN").GetString());
    }

    [Theory]
    [InlineData("[NaN, NaN,\nNaN, x]", "line 2, column 6")]
    [InlineData("[NaN, NaN, x]", "line 1, column 12")]
    [InlineData("[5Infinity]", "line 1")]
    [InlineData("[Infinity5]", "line 1")]
    [InlineData("[NaNs]", "line 1")]
    [InlineData("[-NaN]", "line 1")]
    [InlineData("[nan]", "line 1")]
    public void The_place_beside_numbers_of_python_is_that_of_the_text(string text, string expected) =>
        Assert.StartsWith(expected, Fault(Utf8(text), StrictJsonOptions.Python), StringComparison.Ordinal);

    [Fact]
    public void A_file_that_is_too_large_is_not_read()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder.At("a.json"), "[1, 2, 3]");
        var error = Assert.Throws<InvalidJsonException>(() => _ = StrictJson.ParseFile(folder.At("a.json"), 8));
        Assert.Contains("9 bytes", error.Message, StringComparison.Ordinal);
        Assert.Equal(3, StrictJson.ParseFile(folder.At("a.json"), maxBytes: 9).GetArrayLength());
    }

    [Theory]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("""{"Name": null, "Tags": [], "Scores": {}}""")]
    [InlineData("""{"Name": "a", "Tags": null, "Scores": {}}""")]
    [InlineData("""{"Name": "a", "Tags": ["a", null], "Scores": {}}""")]
    [InlineData("""{"Name": "a", "Tags": [], "Scores": {"a": null}}""")]
    [InlineData("""{"Name": "a", "Tags": [], "Scores": {"a": 1e400}}""")]
    [InlineData("""{"Name": "a", "Tags": [], "Scores": {"a": NaN}}""")]
    [InlineData("""{"Name": "a", "Tags": [], "Scores": {"a": "1"}}""")]
    [InlineData("""{"Name": "a", "Tags": [], "Scores": {}, "Count": 2147483648}""")]
    [InlineData("""{"Name": "a", "Tags": [], "Scores": {}, "Inner": {}}""")]
    [InlineData("""{"Name": "a", "Tags": [], "Scores": {}, "Inner": {"Text": null}}""")]
    [InlineData("""{"Name": "a", "Name": "b", "Tags": [], "Scores": {}}""")]
    [InlineData("""{"Name": "\ud800", "Tags": [], "Scores": {}}""")]
    [InlineData("""{"Name": "a", "Tags": [], "Scores": {}} {}""")]
    public void An_object_that_is_not_what_its_type_says_is_refused(string text) =>
        Assert.Throws<InvalidJsonException>(() => StrictJson.Deserialize<Sample>(Utf8(text)));

    [Fact]
    public void An_object_that_is_what_its_type_says_is_read_and_what_it_may_lack_stays_empty()
    {
        var text = """{"Name": "a", "Tags": ["b"], "Scores": {"c": 0.5}, "Inner": {"Text": "d"}, "Note": null}""";
        var sample = StrictJson.Deserialize<Sample>(Utf8(text));
        Assert.Equal("d", sample.Inner!.Text);
        Assert.Equal(0, sample.Inner.Length);
        Assert.Equal(0.5, sample.Scores["c"]);
        Assert.Null(sample.Note);
    }

    [Theory]
    [InlineData("""{"Name": 5, "Tags": [], "Scores": {}}""", "line 1, column 11, at Name: ")]
    [InlineData("""{"Name": "a", "Scores": {}}""", "lacks 'Tags'")]
    public void What_its_type_refuses_is_told_with_its_place(string text, string expected)
    {
        var error = Assert.Throws<InvalidJsonException>(() => StrictJson.Deserialize<Sample>(Utf8(text)));
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }

    sealed record Sample
    {
        public required string Name { get; init; }

        public required IReadOnlyList<string> Tags { get; init; }

        public required IReadOnlyDictionary<string, double> Scores { get; init; }

        public int Count { get; init; }

        public string? Note { get; init; }

        public Inner? Inner { get; init; }
    }

    sealed record Inner(string Text, int Length);
}
