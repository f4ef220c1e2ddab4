using CoPe.Experiments.Runs;
using CoPe.Experiments.Runs.Recipes;
using CoPe.Experiments.Runs.Stages;
using CoPe.Experiments.Tasks;
using CoPe.Testing;

namespace CoPe.Experiments.Tests.Runs.Stages;

public sealed class ChunkedWorkTests : IDisposable
{
    readonly TemporaryFolder _folder = new();

    StageContext Context(Recipe? recipe = null, CancellationToken cancellation = default)
    {
        const string history = """[{"id": "h", "text": "t", "title": "t"}]""";
        var users = "123".Select(id =>
            $$"""
                {"user_id": "{{id}}", "profile": {{history}}, "query": [{"id": "q{{id}}", "input": "i", "gold": "g"}]}
                """
        );
        _folder.Write("data/user_top_100_history.json", $"[{string.Join(',', users)}]");
        _folder.Write(
            "data/user_others.json",
            """[{"user_id": "o", "profile": [], "query": [{"id": "x", "input": "i", "gold": "g"}]}]"""
        );
        var inputs = new InputPaths
        {
            Model = "m",
            Data = _folder.At("data"),
            TaskPath = _folder.Write("task.yaml", TaskFile.ToYaml(TaskFile.LoadShipped("news_headline"))),
        };
        return new()
        {
            Workspace = new(recipe ?? new Recipe(), new(_folder.Path), inputs),
            Cancellation = cancellation,
        };
    }

    [Fact]
    public void An_interrupted_chunk_is_rebuilt_with_the_same_items_and_complete_ones_are_kept()
    {
        int[] items = [1, 2, 3, 4, 5, 6, 7];
        var seen = new List<string>();
        IEnumerable<int> Make(IReadOnlyList<int> chunk, int failAt)
        {
            seen.Add(string.Join(' ', chunk));
            foreach (var item in chunk)
            {
                yield return item == failAt ? throw new IOException("gone") : item * 10;
            }
        }

        Assert.Throws<IOException>(() =>
            new ChunkedWork<int>(Context(), StageId.Predict(PredictionMethod.Find("cope"))).Run(
                items,
                GetUser,
                3,
                chunk => Make(chunk, 5)
            )
        );
        var again = new ChunkedWork<int>(Context(), StageId.Predict(PredictionMethod.Find("cope")));
        Assert.Equal(3, again.CompletedItems);
        Assert.Equal([10, 20, 30, 40, 50, 60, 70], again.Run(items, GetUser, 3, chunk => Make(chunk, 0)));
        Assert.Equal(["1 2 3", "4 5 6", "4 5 6", "7"], seen);
    }

    [Fact]
    public void Cancellation_is_honored_between_chunks()
    {
        using var stop = new CancellationTokenSource();
        var chunks = new ChunkedWork<int>(Context(cancellation: stop.Token), StageId.WriteProfiles);
        Assert.Throws<OperationCanceledException>(() =>
            chunks.Run(
                [1, 2],
                GetUser,
                1,
                chunk =>
                {
                    stop.Cancel();
                    return chunk;
                }
            )
        );
        Assert.Equal(1, new ChunkedWork<int>(Context(), StageId.WriteProfiles).CompletedItems);
    }

    [Fact]
    public void Users_who_are_trained_alone_share_no_chunk()
    {
        var seen = new List<string>();
        var recipe = new Recipe
        {
            Sft = new() { UsersAtOnce = 1 },
            Dpo = new() { UsersAtOnce = 1 },
        };
        new ChunkedWork<int>(Context(recipe: recipe), StageId.WriteProfiles).Run(
            [10, 11, 12, 20, 30, 31],
            item => $"{item / 10}",
            2,
            chunk =>
            {
                seen.Add(string.Join(' ', chunk));
                return chunk;
            }
        );

        Assert.Equal(["10 11", "12", "20", "30 31"], seen);
    }

    [Fact]
    public void Users_of_two_blocks_share_no_chunk()
    {
        var seen = new List<string>();
        new ChunkedWork<int>(Context(new Recipe { BlockUsers = 2 }), StageId.WriteProfiles).Run(
            [10, 11, 12, 20, 30, 31],
            item => $"{item / 10}",
            3,
            chunk =>
            {
                seen.Add(string.Join(' ', chunk));
                return chunk;
            }
        );

        Assert.Equal(["10 11 12", "20", "30 31"], seen);
    }

    static string GetUser(int item) => "1";

    public void Dispose() => _folder.Dispose();
}
