using System.Globalization;

namespace CoPe.Experiments.Runs.Blocks;

/// <summary>
/// A part of a run's blocks: block b is in shard b mod N. Which shard makes a block changes nothing of it, and N may
/// be another at every start.
/// </summary>
/// <param name="Index">Its number, from 0.</param>
/// <param name="Count">How many there are.</param>
sealed record Shard(int Index, int Count)
{
    /// <summary>The blocks of the shard, of so many.</summary>
    public IEnumerable<int> SelectBlocks(int blocks) => Enumerable.Range(0, blocks).Where(b => b % Count == Index);

    /// <summary>Reads <c>I/N</c>; null where it is none.</summary>
    public static Shard? TryParse(string text)
    {
        var parts = text.Split('/');
        return
            parts.Length == 2
            && int.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out var index)
            && int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out var count)
            && index < count
            ? new(index, count)
            : null;
    }

    /// <summary>
    /// The shard of a task of a Slurm array or of a pod of an Indexed Job, by their variables; null in neither.
    /// </summary>
    /// <param name="read">Reads a variable of the environment.</param>
    /// <exception cref="RunException">The variables do not tell.</exception>
    public static Shard? FromEnvironment(Func<string, string?> read)
    {
        if (read("SLURM_ARRAY_TASK_ID") is { } task)
        {
            return TryFindInArray(read)
                ?? throw new RunException(
                    $"task {task} is of an array whose numbers have gaps and are no shards of N: give --shard I/N"
                );
        }

        return read("JOB_COMPLETION_INDEX") is { } index
            ? TryParse($"{index}/{read("JOB_COMPLETIONS")}")
                ?? throw new RunException(
                    $"JOB_COMPLETION_INDEX is {index}, JOB_COMPLETIONS '{read("JOB_COMPLETIONS")}': set the second to "
                        + "the completions of the job, or give --shard I/N"
                )
            : null;
    }

    static Shard? TryFindInArray(Func<string, string?> read)
    {
        int? ReadNumber(string name) =>
            int.TryParse(read(name), NumberStyles.None, CultureInfo.InvariantCulture, out var value) ? value : null;

        var first = ReadNumber("SLURM_ARRAY_TASK_MIN");
        var count = ReadNumber("SLURM_ARRAY_TASK_COUNT");
        var isWhole = ReadNumber("SLURM_ARRAY_TASK_MAX") - first + 1 == count;
        return isWhole ? TryParse($"{ReadNumber("SLURM_ARRAY_TASK_ID") - first}/{count}") : null;
    }
}

/// <summary>Numbers as schedulers list them: <c>0,3-5</c>.</summary>
static class ArrayExpression
{
    /// <summary>The expression of some numbers.</summary>
    public static string Format(IEnumerable<int> numbers)
    {
        var ranges = new List<(int First, int Last)>();
        foreach (var number in numbers.Distinct().Order())
        {
            if (ranges is [.., var (first, last)] && last == number - 1)
            {
                ranges[^1] = (first, number);
            }
            else
            {
                ranges.Add((number, number));
            }
        }

        return string.Join(
            ',',
            ranges.Select(range => range.First == range.Last ? $"{range.First}" : $"{range.First}-{range.Last}")
        );
    }
}
