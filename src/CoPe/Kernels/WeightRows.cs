namespace CoPe.Kernels;

/// <summary>Shares the rows of a weight matrix among the threads of a kernel.</summary>
static class WeightRows
{
    /// <summary>
    /// Most bytes of a piece: half of a second cache, so that what is read once can be met by all columns. A smaller one is read at its beginning and fetched past its end too often for nothing,
    /// a larger one delays the end on a busy core.
    /// </summary>
    const long MostBytes = 512 * 1024;

    /// <summary>Fewer bytes are read by the time that another thread has heard of them.</summary>
    const long LeastBytes = 96 * 1024;

    /// <summary>Rows per piece are a multiple of this, as the kernels take them.</summary>
    const int Together = 4;

    /// <summary>Runs the body for pieces <c>[first, end)</c> that make up all rows, as many for each thread.</summary>
    public static void Share(int rows, long bytesPerRow, int threads, Action<int, int> body)
    {
        var bytes = rows * bytesPerRow;
        var pieces = bytes < LeastBytes ? 1 : threads * ((bytes - 1) / (threads * MostBytes) + 1);
        var rowsPerPiece = (int)((rows + pieces - 1) / pieces + Together - 1) / Together * Together;
        // Pieces go to whoever is free: with a fixed half for each the slower core would decide.
        KernelTeam.Run(threads, (rows + rowsPerPiece - 1) / rowsPerPiece, piece => body(piece * rowsPerPiece, Math.Min(rows, (piece + 1) * rowsPerPiece)));
    }
}
