namespace CoPe.Tests.Cli;

public sealed class DataVerbTests : IDisposable
{
    readonly CopeProcess cope = new();

    public void Dispose() => cope.Dispose();

    [Fact]
    public void Sample_data_is_written_and_read_by_a_run()
    {
        Assert.Equal(0, cope.Run("data", "sample", "made", "--users", "2", "--other-users", "1", "--queries", "1", "--documents", "3", "--instructions", "2"));

        Assert.Equal(3, File.ReadAllLines(cope.At("made/corpus/neutral.txt")).Length);
        Directory.CreateDirectory(cope.At("models/cope-tiny"));
        Assert.Equal(0, cope.Run("run", "first", "--set", "data=made", "--model", "models/cope-tiny", "--quiet"));
        Assert.Equal("", cope.Error);
    }

    [Fact]
    public void Sample_data_are_written_over_sample_data_alone()
    {
        string[] sample = ["data", "sample", "made", "--users", "2", "--other-users", "1", "--queries", "1", "--documents", "0", "--instructions", "0"];
        Assert.Equal(0, cope.Run(sample));
        Assert.Equal(0, cope.Run([.. sample, "--seed", "2"]));

        Directory.CreateDirectory(cope.At("real/news_headline"));
        File.WriteAllText(cope.At("real/news_headline/user_others.json"), "[]");
        Assert.Equal(1, cope.Run("data", "sample", "real"));
        Assert.Contains("news_headline holds data that are no sample data and would be written over: name another folder", Assert.Single(cope.ErrorLines), StringComparison.Ordinal);
        Assert.Equal("[]", File.ReadAllText(cope.At("real/news_headline/user_others.json")));
        Assert.False(File.Exists(cope.At("real/sample.json")));
        Directory.CreateDirectory(cope.At("made/real/news_headline"));
        Assert.Equal(1, cope.Run("data", "sample", "made/real"));
    }

    [Theory]
    [InlineData("0", "--users is 0, expected 1 to 2147483647")]
    [InlineData("x", "see 'cope data sample --help'")]
    public void A_number_out_of_range_is_a_usage_error(string users, string message)
    {
        Assert.Equal(2, cope.Run("data", "sample", "made", "--users", users));
        Assert.Contains(message, Assert.Single(cope.ErrorLines), StringComparison.Ordinal);
        Assert.False(Directory.Exists(cope.At("made")));
    }
}
