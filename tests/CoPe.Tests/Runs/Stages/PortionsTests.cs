using CoPe.Runs;
using CoPe.Runs.Recipes;
using CoPe.Runs.Stages;

namespace CoPe.Tests.Runs.Stages;

public sealed class PortionsTests : IDisposable
{
    readonly TemporaryFolder folder = new();

    StageContext Context(CancellationToken cancellation = default) => new()
    {
        Recipe = new Recipe(), Run = new(folder.Path), Inputs = new() { Model = "m", Data = "d", TaskFile = "t" }, Shared = new(), Cancellation = cancellation,
    };

    [Fact]
    public void An_interrupted_portion_is_made_again_with_the_same_items_and_whole_ones_are_kept()
    {
        int[] items = [1, 2, 3, 4, 5, 6, 7];
        var seen = new List<string>();
        IEnumerable<int> Make(IReadOnlyList<int> portion, int failAt)
        {
            seen.Add(string.Join(' ', portion));
            foreach (var item in portion) yield return item == failAt ? throw new IOException("gone") : item * 10;
        }

        Assert.Throws<IOException>(() => new Portions<int>(Context(), "predict cope").Run(items, 3, portion => Make(portion, 5)));
        var again = new Portions<int>(Context(), "predict cope");
        Assert.Equal(3, again.Done);
        Assert.Equal([10, 20, 30, 40, 50, 60, 70], again.Run(items, 3, portion => Make(portion, 0)));
        Assert.Equal(["1 2 3", "4 5 6", "4 5 6", "7"], seen);
    }

    [Fact]
    public void A_request_to_stop_is_heard_between_portions()
    {
        using var stop = new CancellationTokenSource();
        var portions = new Portions<int>(Context(stop.Token), "profile");
        Assert.Throws<OperationCanceledException>(() => portions.Run([1, 2], 1, portion =>
        {
            stop.Cancel();
            return portion;
        }));
        Assert.Equal(1, new Portions<int>(Context(), "profile").Done);
    }

    public void Dispose() => folder.Dispose();
}
