using CoPe.Experiments.Runs;
using CoPe.Testing;

namespace CoPe.Experiments.Tests.Runs;

public sealed class StageMarkerTests : IDisposable
{
    readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Users_whose_ids_differ_in_how_an_accent_is_written_are_two()
    {
        var path = _folder.Write(
            "marker.json",
            """
            {"stage": "train sft", "inputs": {}, "hash": "ab", "seconds": 1,
             "users": {"caf\u00e9": {"hash": "1", "made": "2026-01-01T00:00:00+00:00"},
                       "cafe\u0301": {"hash": "2", "made": "2026-01-01T00:00:00+00:00"}},
             "outputs": {"sft/caf\u00e9": 1, "sft/cafe\u0301": 2}, "started": "2026-01-01T00:00:00+00:00"}
            """
        );

        var marker = StageMarker.Read(path)!;

        Assert.Equal("1", marker.Users!["caf\u00e9"].Hash);
        Assert.Equal("2", marker.Users["cafe\u0301"].Hash);
        Assert.Equal(2, marker.Outputs.Count);
    }

    [Theory]
    [InlineData("0", 0.0)]
    [InlineData("90.5", 90.5)]
    [InlineData("-1", null)]
    [InlineData("4e9", null)]
    [InlineData("9223372036854775808.5", null)]
    public void A_time_that_no_stage_takes_makes_it_no_marker(string seconds, double? expected)
    {
        var path = _folder.Write(
            "marker.json",
            $$"""
            {"stage": "train sft", "inputs": {}, "hash": "ab", "outputs": {},
             "started": "2026-01-01T00:00:00+00:00", "seconds": {{seconds}}}
            """
        );

        Assert.Equal(expected, StageMarker.Read(path)?.Seconds);
    }
}
