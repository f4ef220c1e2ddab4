using System.Text;
using System.Text.Json;
using CoPe.Experiments.Data;
using CoPe.Experiments.Tasks;
using CoPe.Testing;

namespace CoPe.Experiments.Tests.Data;

/// <summary>NaN and Infinity, as Python's json writes them, in files of data.</summary>
public sealed class PythonNumbersTests : IDisposable
{
    const string Text = """[{"a": NaN, "b":-Infinity ,"c": [Infinity,NaN, -1.5,"NaN"]}, NaN]""";

    readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    public static TheoryData<int> BufferSizes => [.. Enumerable.Range(1, 24)];

    [Theory]
    [MemberData(nameof(BufferSizes))]
    public void They_are_null_and_numbers_wherever_a_buffer_ends(int bufferSize)
    {
        using var tokens = new JsonTokenStream(_folder.Write("a.json", Text), bufferSize);
        var scalars = new List<string>();
        while (tokens.Read())
        {
            if (tokens.TokenType is JsonTokenType.Null or JsonTokenType.Number or JsonTokenType.String)
            {
                scalars.Add(tokens.TokenType == JsonTokenType.Null ? "null" : tokens.Text);
            }
        }

        Assert.Equal(["null", "-Infinity", "Infinity", "null", "-1.5", "NaN", "null"], scalars);
    }

    [Theory]
    [MemberData(nameof(BufferSizes))]
    public void They_are_copied_as_they_stand_in_the_file(int bufferSize)
    {
        using var tokens = new JsonTokenStream(_folder.Write("a.json", Text), bufferSize);
        tokens.Read();
        tokens.Read();
        using var copy = new MemoryStream();
        tokens.CopyObject(copy);
        Assert.Equal(Text[1..Text.LastIndexOf(',')], Encoding.UTF8.GetString(copy.ToArray()));
    }

    [Theory]
    [InlineData("[NaNs]")]
    [InlineData("[-NaN]")]
    [InlineData("[1 NaN]")]
    [InlineData("[1NaN]")]
    [InlineData("[Infinity5]")]
    [InlineData("[nan]")]
    [InlineData("{NaN: 1}")]
    [InlineData("[N")]
    [InlineData("[-")]
    public void Other_words_are_no_numbers(string text)
    {
        using var tokens = new JsonTokenStream(_folder.Write("a.json", text));
        Assert.Throws<DataFileException>(() =>
        {
            while (tokens.Read()) { }
        });
    }
}
