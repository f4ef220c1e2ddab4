using System.Runtime.InteropServices;
using CoPe.Training;
using TorchSharp;

namespace CoPe.Tests.Training;

[Collection("torch")]
public class OutOfMemoryGuardTests
{
    static string MessageOf(Func<int> pass, int rows, MemoryOptionNames? names = null, bool recompute = false)
    {
        using var model = TinyTraining.Model();
        var options = TinyTraining.Options with { RecomputeLayers = recompute };
        var context = new TrainingContext
        {
            Model = model,
            Options = options,
            Stage = "train sft",
            MemoryOptionNames = names ?? MemoryOptionNames.InCode,
        };
        var row = new PlannedRow(
            0,
            0,
            TrainingRow.FromExample(new SupervisedExample("x", [1, 2, 3], [4, 5]), 100)!,
            1,
            1
        );
        return Assert
            .Throws<InsufficientMemoryException>(() =>
                OutOfMemoryGuard.Run<int>(context, [.. Enumerable.Repeat(row, rows)], pass)
            )
            .Message;
    }

    [Theory]
    [InlineData("std::bad_alloc")]
    [InlineData("CUDA out of memory. Tried to allocate 2.00 GiB.")]
    public void A_pass_that_does_not_fit_says_which_key_of_the_recipe_to_lower(string message) =>
        Assert.Equal(
            "train sft: a pass of 3 rows of 4 tokens does not fit into memory; "
                + "lower sft.tokens_per_pass (now 2048), or set sft.recompute_layers to true.",
            MessageOf(() => throw new NativeFailure(message), 3, MemoryOptionNames.OfSection("sft"))
        );

    [Fact]
    public void What_libtorch_really_says_is_understood()
    {
        static int Huge()
        {
            using var huge = torch.empty(1L << 50);
            return 0;
        }
        Assert.Contains("lower TokensPerPass", MessageOf(Huge, 2), StringComparison.Ordinal);
    }

    [Fact]
    public void For_a_single_row_it_is_the_cut_off() =>
        Assert.Equal(
            "train sft: a pass of one row of 4 tokens does not fit into memory; lower CutOff (now 2048).",
            MessageOf(() => new byte[int.MaxValue].Length, 1, recompute: true)
        );

    [Fact]
    public void Any_other_failure_is_rethrown()
    {
        using var model = TinyTraining.Model();
        var context = new TrainingContext { Model = model };
        Assert.Throws<NativeFailure>(() =>
            OutOfMemoryGuard.Run<int>(
                context,
                [],
                () => throw new NativeFailure("shape '[2, 3]' is invalid for input of size 5")
            )
        );
    }

    sealed class NativeFailure(string message) : ExternalException(message);
}
