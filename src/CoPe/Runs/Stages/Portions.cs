namespace CoPe.Runs.Stages;

/// <summary>
/// Works through a stage's items in portions and keeps each on the disk once it is whole. Rows that share a pass share its rounding, so an interrupted portion is made again as a whole: the same items
/// then decode together as in an undisturbed run, and the result is the same to the bit.
/// </summary>
/// <typeparam name="TLine">What is made of the items, a line or several of each.</typeparam>
/// <param name="context">The stage at work.</param>
/// <param name="stage">Its name.</param>
sealed class Portions<TLine>(StageContext context, string stage)
{
    readonly string file = FileOf(context, stage);
    readonly List<Portion> whole = [.. JsonLines.Read<Portion>(FileOf(context, stage))];

    /// <summary>Items done in earlier sittings.</summary>
    public int Done => whole.Sum(portion => portion.Items);

    /// <summary>Makes what is not there yet and returns the lines of all items, portion by portion.</summary>
    /// <param name="items">The items, in the same order in every sitting.</param>
    /// <param name="size">Items of a portion.</param>
    /// <param name="make">Makes the lines of a portion.</param>
    public IReadOnlyList<TLine> Run<TItem>(IReadOnlyList<TItem> items, int size, Func<IReadOnlyList<TItem>, IEnumerable<TLine>> make)
    {
        foreach (var group in items.Skip(Done).Chunk(size).ToList())
        {
            context.Cancellation.ThrowIfCancellationRequested();
            var portion = new Portion(group.Length, [.. make(group)]);
            JsonLines.Append(file, [portion]);
            whole.Add(portion);
        }

        return [.. whole.SelectMany(portion => portion.Lines)];
    }

    /// <summary>Where a stage's portions are kept.</summary>
    public static string FileOf(StageContext context, string stage) => Path.Combine(context.Run.Checkpoints(stage), "portions.jsonl");

    sealed record Portion(int Items, IReadOnlyList<TLine> Lines);
}
