using CoPe.Kernels;

namespace CoPe.Tests.Kernels;

[Collection("torch")]
public class WeightRowsTests
{
    [Theory]
    [InlineData(1, 64, 2)]
    [InlineData(7, 1_000_000, 2)] // a row larger than a piece
    [InlineData(128, 1792, 2)]
    [InlineData(898, 1792, 3)]
    [InlineData(151_936, 1792, 2)]
    public void Pieces_make_up_all_rows_once_and_begin_at_multiples_of_four(int rows, long bytesPerRow, int threads)
    {
        var pieces = Pieces(rows, bytesPerRow, threads);
        Assert.Equal(0, pieces[0].First);
        Assert.Equal(rows, pieces[^1].End);
        Assert.All(pieces.Zip(pieces.Skip(1)), pair => Assert.Equal(pair.First.End, pair.Second.First));
        Assert.All(pieces, piece => Assert.True(piece.End > piece.First && piece.First % 4 == 0));
    }

    [Fact]
    public void Threads_get_as_many_pieces_and_a_small_matrix_is_one()
    {
        Assert.Single(Pieces(16, 1792, 2));
        Assert.Equal(2, Pieces(128, 1792, 2).Count);
        Assert.Equal(2, Pieces(256, 4096, 2).Count); // 1 MB
        Assert.Equal(4, Pieces(260, 4096, 2).Count);
        Assert.InRange(Pieces(1000, 4096, 2).Max(piece => piece.End - piece.First), 124, 128); // 512 kB
    }

    static List<(int First, int End)> Pieces(int rows, long bytesPerRow, int threads)
    {
        List<(int First, int End)> pieces = [];
        WeightRows.Share(rows, bytesPerRow, threads, (first, end) =>
        {
            lock (pieces) pieces.Add((first, end));
        });
        return [.. pieces.Order()];
    }
}
