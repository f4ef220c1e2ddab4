using CoPe.Kernels.Threads;
using CoPe.Modeling;

namespace CoPe.Experiments.Runs.Stages;

/// <summary>
/// Works through a stage's items in chunks and keeps each on the disk once it is whole. Rows that share a pass share
/// its rounding, so an interrupted chunk is rebuilt as a whole: the same items then decode together as in an
/// undisturbed run, and the result is the same to the bit. No chunk has users of two blocks.
/// </summary>
/// <typeparam name="TLine">What is made of the items, a line or several of each.</typeparam>
/// <param name="context">The running stage.</param>
/// <param name="stage">Which stage it is.</param>
sealed class ChunkedWork<TLine>(StageContext context, StageId stage)
{
    readonly string _file = GetFile(context, stage);
    readonly List<Chunk> _completed = ReadChunks(GetFile(context, stage));

    /// <summary>Items completed in earlier sessions.</summary>
    public int CompletedItems => _completed.Sum(chunk => chunk.Items);

    /// <summary>Makes what is not there yet and returns the lines of all items, chunk by chunk.</summary>
    /// <param name="items">The items, in the same order in every session.</param>
    /// <param name="getUser">The user of an item.</param>
    /// <param name="size">Most items of a chunk.</param>
    /// <param name="make">Makes the lines of a chunk.</param>
    public IReadOnlyList<TLine> Run<TItem>(
        IReadOnlyList<TItem> items,
        Func<TItem, string> getUser,
        int size,
        Func<IReadOnlyList<TItem>, IEnumerable<TLine>> make
    )
    {
        var groups = context
            .Workspace.Blocks.Split(items.Skip(CompletedItems), getUser)
            .SelectMany(block => context.Recipe.IsolatesUsers ? ChunkByUser(block, getUser, size) : block.Chunk(size));
        foreach (var group in groups.ToList())
        {
            context.Cancellation.ThrowIfCancellationRequested();
            var chunk = new Chunk(group.Count, [.. make(group)]) { First = CompletedItems };
            JsonLines.Append(_file, [chunk]);
            _completed.Add(chunk);
        }

        return [.. _completed.SelectMany(chunk => chunk.Lines)];
    }

    /// <summary>Where a stage's chunks are kept.</summary>
    public static string GetFile(StageContext context, StageId stage) =>
        Path.Combine(context.Run.Checkpoints(stage), "chunks.jsonl");

    static List<Chunk> ReadChunks(string file)
    {
        var chunks = new List<Chunk>();
        foreach (var chunk in JsonLines.Enumerate<Chunk>(file))
        {
            // Two processes at one block may each have written the same chunk.
            if (chunk.First is null || chunk.First == chunks.Sum(one => one.Items))
            {
                chunks.Add(chunk);
            }
        }

        return chunks.TrueForAll(chunk => chunk.Items > 0)
            ? chunks
            : throw RunJson.CreateDamagedError(file, "a chunk of no items", "delete the file and run again");
    }

    /// <summary>
    /// Chunks that hold items of one user each, so that nobody's results depend on who else there is.
    /// </summary>
    static IEnumerable<IReadOnlyList<TItem>> ChunkByUser<TItem>(
        IEnumerable<TItem> items,
        Func<TItem, string> getUser,
        int size
    )
    {
        var chunk = new List<TItem>();
        foreach (var item in items)
        {
            if (chunk.Count > 0 && (chunk.Count == size || getUser(chunk[0]) != getUser(item)))
            {
                yield return chunk;
                chunk = [];
            }

            chunk.Add(item);
        }

        if (chunk.Count > 0)
        {
            yield return chunk;
        }
    }

    sealed record Chunk(int Items, IReadOnlyList<TLine> Lines)
    {
        /// <summary>Items before it; null in a file of an earlier version.</summary>
        public int? First { get; init; }
    }
}

/// <summary>How many items to decode between two writes to the disk.</summary>
static class ChunkSize
{
    /// <summary>
    /// Tokens that each row of a running batch generates in a chunk, about: a large model takes a second or more for
    /// one, a small model a hundredth.
    /// </summary>
    const int TokensOfSmall = 1600,
        TokensOfLarge = 400;

    /// <summary>
    /// Items that fill the running batches several times over, so that the last ones of a chunk, which leave rows
    /// idle, cost little:
    /// <code>batches * rows / rows per item * clamp(tokens / new tokens, 1, 16)</code>
    /// </summary>
    /// <param name="model">The model.</param>
    /// <param name="rows">Most rows of a pass.</param>
    /// <param name="rowsPerItem">Rows that an item takes.</param>
    /// <param name="maxNewTokens">Most tokens of an answer.</param>
    public static int Compute(CausalLm model, int rows, int rowsPerItem, int maxNewTokens)
    {
        var batches = TorchThreads.CountForPasses(model.Device, model.Weights.Bytes);
        var waves = Math.Clamp((batches > 1 ? TokensOfSmall : TokensOfLarge) / maxNewTokens, 1, 16);
        return Math.Max(1, waves * batches * rows / rowsPerItem);
    }
}

/// <summary>Shows the items done of a stage, with the figures that the engine below reports.</summary>
/// <param name="inner">Who shows it.</param>
/// <param name="stage">The stage.</param>
/// <param name="done">Items done before.</param>
/// <param name="total">Items in all.</param>
sealed class ItemProgress(IProgress<StageProgress> inner, string stage, long done, long total)
    : IProgress<StageProgress>
{
    IReadOnlyDictionary<string, double> _figures = new Dictionary<string, double>();
    string? _latest;

    public void Report(StageProgress value)
    {
        _figures = value.Figures;
        ReportProgress();
    }

    /// <summary>One item more is done.</summary>
    public void ReportFinished(string user)
    {
        _latest = user;
        done++;
        ReportProgress();
    }

    void ReportProgress() =>
        inner.Report(
            new StageProgress
            {
                Stage = stage,
                User = _latest,
                Done = done,
                Total = total,
                Unit = "items",
                Figures = _figures,
            }
        );
}
