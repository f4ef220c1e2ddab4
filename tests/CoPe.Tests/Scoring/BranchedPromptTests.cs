using CoPe.Scoring;
using CoPe.Testing;
using static TorchSharp.torch;

namespace CoPe.Tests.Scoring;

[Collection("torch")]
public class BranchedPromptTests
{
    [Fact]
    public void Responses_continue_from_the_prompt_and_their_last_tokens_have_no_column()
    {
        // columns: 5 6 | 7 8 | 1: of the responses 7 8 3, 9 and 1 2 the last tokens 3, 9 and 2 are labels only.
        var prompt = new BranchedPrompt([5, 6], [7, 8, 3], [9], [1, 2]);
        Assert.Equal([5, 6, 7, 8, 1], prompt.Ids);
        Assert.Equal([0, 1, 2, 3, 2], prompt.Positions);
        Assert.Equal([0, 0, 1, 1, 3], prompt.Segments);
        Assert.Equal([7, 8, 3, 9, 1, 2], prompt.Labels);
        Assert.Equal([1, 2, 3, 1, 1, 4], prompt.LabelColumns);
    }

    [Fact]
    public void An_empty_response_has_neither_labels_nor_columns()
    {
        var prompt = new BranchedPrompt([5], [], [6]);
        Assert.Equal([5], prompt.Ids);
        Assert.Equal([6], prompt.Labels);
        Assert.Equal([0, 1], prompt.ResponseLengths);
    }

    [Fact]
    public void Responses_of_a_pass_are_numbered_row_by_row()
    {
        using var batch = new PackedBatch([new([5], [6, 7], []), new([5, 6], [7])], CPU);
        Assert.Equal(3, batch.ResponseCount);
        Assert.Equal(4, batch.TokenCount);
        Assert.Equal([6L, 7, 7], batch.Labels.data<long>().ToArray());
        Assert.Equal([0L, 0, 2], batch.ResponseOfLabel.data<long>().ToArray());
    }

    [Fact]
    public void A_column_attends_to_the_prompt_and_its_own_response_and_never_to_padding()
    {
        using var batch = new PackedBatch([new([5, 6], [7, 8], [9, 1]), new([5], [6])], CPU);
        var visible = batch.Tokens.Visible!.data<bool>().ToArray().Chunk(4).ToArray();
        Assert.Equal([true, true, true, false], visible[2]);
        Assert.Equal([true, true, false, true], visible[3]);
        Assert.Equal([true, false, false, false], visible[4]);
    }

    [Fact]
    public void Rows_of_one_response_need_no_mask()
    {
        using var batch = new PackedBatch([new([5, 6], [7, 8]), new([5], [6])], CPU);
        Assert.Null(batch.Tokens.Visible);
    }

    [Fact]
    public void Packing_leaves_no_tensor_behind()
    {
        var before = TensorCount.AfterGarbageCollection();
        new PackedBatch([new([5, 6], [7, 8], [9, 1]), new([5], [6])], CPU).Dispose();
        Assert.Equal(before, Tensor.TotalCount);
    }
}
