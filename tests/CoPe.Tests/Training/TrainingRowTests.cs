using CoPe.Scoring;
using CoPe.Training;

namespace CoPe.Tests.Training;

[Collection("torch")]
public class TrainingRowTests
{
    static PlannedRow Planned(int user, int length) =>
        new(
            user,
            0,
            TrainingRow.FromExample(new SupervisedExample("x", [1], Enumerable.Range(0, length).ToArray()), 100)!,
            1,
            1
        );

    [Fact]
    public void The_last_token_of_an_answer_is_a_label_but_no_column()
    {
        var row = TrainingRow.FromExample(new SupervisedExample("x", [5, 6], [7, 8, 9]), 100)!;
        Assert.Equal([5, 6, 7, 8], row.Prompt.Ids);
        Assert.Equal([1, 2, 3], row.Prompt.LabelColumns);
        Assert.Equal([7, 8, 9], row.Prompt.Labels);
    }

    [Fact]
    public void The_cut_off_counts_prompt_and_answer_and_an_answer_beyond_it_is_dropped()
    {
        Assert.Equal([7], TrainingRow.FromExample(new SupervisedExample("x", [5, 6], [7, 8, 9]), 3)!.Prompt.Labels);
        Assert.Null(TrainingRow.FromExample(new SupervisedExample("x", [5, 6], [7, 8, 9]), 2));
        Assert.Throws<ArgumentException>(() => TrainingRow.FromExample(new SupervisedExample("x", [], [7]), 9));
    }

    [Fact]
    public void A_pair_shares_its_prompt_and_the_rejected_answer_does_not_see_the_chosen_one()
    {
        // columns: 5 6 | 7 8 | 1 2; chosen 7 8 9 is predicted from 1 2 3, rejected 1 2 3 from 1 4 5.
        var row = TrainingRow.FromExample(new PreferenceExample("x", [5, 6], [7, 8, 9], [1, 2, 3]), 100)!;
        Assert.Equal([5, 6, 7, 8, 1, 2], row.Prompt.Ids);
        Assert.Equal([1, 2, 3, 1, 4, 5], row.Prompt.LabelColumns);
        using var batch = new PackedBatch([row.Prompt], TorchSharp.torch.CPU);
        Assert.Equal([0L, 1, 2, 3, 2, 3], batch.Tokens.Positions.data<long>().ToArray());
        var visible = batch.Tokens.Visible!.data<bool>().ToArray().Chunk(6).ToArray();
        Assert.Equal([true, true, true, true, false, false], visible[3]);
        Assert.Equal([true, true, false, false, true, true], visible[5]);
    }

    [Fact]
    public void Passes_keep_to_the_budget_and_hold_every_row_once()
    {
        var rows = new[] { Planned(0, 10), Planned(0, 9), Planned(0, 8), Planned(1, 3), Planned(1, 2), Planned(2, 30) };
        var passes = TrainingBatch.SplitIntoPasses(rows, 24);
        Assert.Equal(
            rows.OrderBy(row => row.Row.Prompt.Length),
            passes.SelectMany(pass => pass).OrderBy(row => row.Row.Prompt.Length)
        );
        foreach (var pass in passes)
        {
            Assert.True(pass.Count == 1 || pass.Count * pass.Max(row => row.Row.Prompt.Length) <= 24);
        }
    }

    [Theory]
    [InlineData(8, 90, 2, 2)] // 720 tokens: a half each
    [InlineData(2, 90, 2, 2)]
    [InlineData(1, 90, 2, 1)]
    [InlineData(60, 90, 2, 4)] // 5,400 tokens: three passes within the budget, and one more so that nobody waits
    public void Work_is_shared_evenly_among_workers(int rows, int length, int workers, int expected)
    {
        var passes = TrainingBatch.SplitIntoPasses(
            Enumerable.Range(0, rows).Select(row => Planned(row, length)),
            2048,
            workers
        );
        Assert.Equal(expected, passes.Count);
        Assert.InRange(passes.Max(pass => pass.Count) - passes.Min(pass => pass.Count), 0, 4);
    }

    [Fact]
    public void Short_rows_are_not_padded_to_the_longest_where_a_pass_more_costs_less()
    {
        // Two equal halves would have 384 and 80 padded tokens, so that one worker waits for the other.
        var passes = TrainingBatch.SplitIntoPasses(
            new[] { 96, 48, 48, 20, 20, 20, 20, 20 }.Select(length => Planned(0, length)),
            2048,
            2
        );
        Assert.Equal([96], passes[0].Select(row => row.Row.Prompt.Length));
        Assert.InRange(passes.Sum(pass => pass.Count * pass.Max(row => row.Row.Prompt.Length)), 292, 320);
    }

    [Fact]
    public void Each_epoch_visits_every_example_once_in_an_order_of_its_own()
    {
        var order = new BatchSampler(10, 4, shuffle: true, seed: 5);
        var epochs = Enumerable
            .Range(0, 2)
            .Select(epoch =>
                Enumerable.Range(0, 3).SelectMany(step => order.ExamplesOfStep(epoch * 3 + step).ToArray()).ToArray()
            )
            .ToArray();
        foreach (var epoch in epochs)
        {
            Assert.Equal(Enumerable.Range(0, 10), epoch.Order());
        }

        Assert.NotEqual(epochs[0], epochs[1]);
        Assert.Equal([4, 5, 6, 7], new BatchSampler(10, 4, shuffle: false, seed: 5).ExamplesOfStep(4).ToArray());
    }
}
