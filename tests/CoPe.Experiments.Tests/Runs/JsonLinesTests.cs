using CoPe.Experiments.Runs;
using CoPe.Testing;

namespace CoPe.Experiments.Tests.Runs;

public sealed class JsonLinesTests : IDisposable
{
    readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    sealed record Line(int Step, double LearningRate, string Text);

    [Fact]
    public void Lines_appended_are_lines_read()
    {
        var path = _folder.At("m/x.jsonl");

        JsonLines.Append(path, [new Line(1, 0.5, "a\nb"), new Line(2, double.NaN, "é")]);
        JsonLines.Append(path, [new Line(3, 0, "")]);

        Assert.Equal(
            [new Line(1, 0.5, "a\nb"), new Line(2, double.NaN, "é"), new Line(3, 0, "")],
            JsonLines.Read<Line>(path)
        );
        Assert.StartsWith("{\"step\":1,\"learning_rate\":0.5,", File.ReadAllText(path), StringComparison.Ordinal);
    }

    [Fact]
    public void A_line_cut_by_a_crash_is_dropped_on_reading_and_before_the_next_append()
    {
        var path = _folder.At("x.jsonl");
        JsonLines.Append(path, [new Line(1, 0, "a")]);
        File.AppendAllText(path, "{\"step\":2,\"lear");

        Assert.Equal([new Line(1, 0, "a")], JsonLines.Read<Line>(path));
        JsonLines.Append(path, [new Line(2, 0, "b")]);
        Assert.Equal([new Line(1, 0, "a"), new Line(2, 0, "b")], JsonLines.Read<Line>(path));
    }

    [Fact]
    public void A_whole_line_that_is_damaged_is_named() =>
        Assert.Contains(
            "x.jsonl is damaged (line 1",
            Assert.Throws<RunException>(() => JsonLines.Read<Line>(_folder.Write("x.jsonl", "{nonsense\n"))).Message,
            StringComparison.Ordinal
        );

    [Fact]
    public void A_file_that_does_not_exist_has_no_lines() =>
        Assert.Empty(JsonLines.Read<Line>(_folder.At("none.jsonl")));
}
