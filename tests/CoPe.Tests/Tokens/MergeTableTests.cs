using CoPe.Tokens.Pipeline;

namespace CoPe.Tests.Tokens;

public class MergeTableTests
{
    [Fact]
    public void Every_pair_that_was_set_is_found_and_no_other()
    {
        var table = new MergeTable();
        for (var i = 0; i < 5000; i++) table.Set(i, i ^ 77, (i, 10 * i)); // all of one hash by .NET's rule
        for (var i = 0; i < 5000; i++)
        {
            Assert.True(table.TryGet(i, i ^ 77, out var merge));
            Assert.Equal((i, 10 * i), merge);
            Assert.False(table.TryGet(i, i ^ 78, out _));
        }
        Assert.Equal(5000, table.Pairs.Distinct().Count());
        Assert.All(table.Pairs, pair => Assert.Equal(77, pair.Left ^ pair.Right));
    }

    [Fact]
    public void A_pair_set_again_merges_to_the_last()
    {
        var table = new MergeTable();
        table.Set(1, 2, (5, 6));
        table.Set(1, 2, (7, 8));
        Assert.True(table.TryGet(1, 2, out var merge));
        Assert.Equal((7, 8), merge);
        Assert.Single(table.Pairs);
        Assert.False(table.TryGet(2, 1, out _));
    }

    [Fact]
    public void Long_words_and_short_ones_merge_alike()
    {
        var merges = new MergeTable();
        for (var id = 0; id < 6; id++) merges.Set(id, id, (id, id + 1)); // 0 0 -> 1, 1 1 -> 2, ...
        merges.Set(2, 1, (9, 20));
        foreach (var length in (int[])[1, 2, 3, 7, 47, 48, 49, 50, 64, 100])
        {
            var output = new List<int>();
            new BpeMerger().Merge([.. Enumerable.Repeat(0, length)], merges, output);
            // The binary digits of the length: runs of 64, 32, ..., and a 2 before a 1 only where 4 + 2 are left.
            var expected = new List<int>(Enumerable.Repeat(6, length / 64));
            for (var bit = 5; bit >= 0; bit--)
                if ((length % 64 & 1 << bit) != 0) expected.Add(bit);
            if (expected.Count > 1 && expected[^2] == 2 && expected[^1] == 1) expected = [.. expected[..^2], 20];
            else if (expected.Count > 2 && expected[^3] == 2 && expected[^2] == 1) expected = [.. expected[..^3], 20, 0];
            Assert.Equal(expected, output);
        }
    }
}
