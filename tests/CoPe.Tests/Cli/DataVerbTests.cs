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
        Assert.Equal(0, cope.Run("run", "first", "--set", "data=made", "--quiet"));
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
