using CoPe.Decoding;
using CoPe.Modeling;

namespace CoPe.Serving;

/// <summary>
/// The running batch as a server holds it: made when rows come, grown with what they hold, not with what answers might
/// come to, and given back when nothing runs. For one thread.
/// </summary>
/// <param name="model">The model; still the caller's.</param>
/// <param name="options">The engine's, with the most rows that there can be.</param>
sealed class GrowingBatch(CausalLm model, EngineOptions options) : IDisposable
{
    /// <summary>Rows of a batch that has just begun, and positions beside its prompts.</summary>
    const int FirstRows = 8,
        FirstAnswer = 128;

    RunningBatch? _batch;

    /// <summary>Rows that are being decoded.</summary>
    public int RowCount => _batch?.RowCount ?? 0;

    /// <summary>Adds sequences and computes their prompts.</summary>
    /// <param name="sequences">The sequences.</param>
    /// <param name="rows">Rows with theirs.</param>
    public void Add(IReadOnlyList<RunningSequence> sequences, int rows) =>
        MakeRoom(rows, sequences.Max(sequence => sequence.Request.Prompt.Count) + 1).Add(sequences);

    /// <summary>Computes a token of every row; returns the sequences that end with it.</summary>
    /// <param name="positions">Positions of the longest row after it.</param>
    public IEnumerable<RunningSequence> Step(int positions) => MakeRoom(RowCount, positions).Step();

    /// <summary>Frees a sequence's rows.</summary>
    public void Cancel(RunningSequence sequence) => _batch!.Cancel(sequence);

    /// <summary>Gives the rows and their cache back; the next sequences begin anew.</summary>
    public void Release()
    {
        _batch?.Dispose();
        _batch = null;
    }

    public void Dispose() => Release();

    RunningBatch MakeRoom(int rows, int positions)
    {
        var (mostRows, capacity) = (_batch?.MostRows ?? 0, _batch?.Capacity ?? 0);
        if (_batch is not null && rows <= mostRows && positions <= capacity)
        {
            return _batch;
        }

        var newRows = rows <= mostRows ? mostRows : Math.Min(options.MaxRows, Math.Max(FirstRows, 2 * rows));
        var newCapacity =
            positions <= capacity
                ? capacity
                : Math.Min(model.Config.MaxPositions, positions + Math.Max(FirstAnswer, positions / 2));
        if (_batch is null)
        {
            return _batch = new RunningBatch(model, options, newRows, newCapacity);
        }

        _batch.Grow(newRows, newCapacity);
        return _batch;
    }
}
