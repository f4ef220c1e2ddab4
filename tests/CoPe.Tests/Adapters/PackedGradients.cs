using CoPe.Adapters;
using CoPe.Modeling;
using CoPe.Scoring;
using static TorchSharp.torch;

namespace CoPe.Tests.Adapters;

/// <summary>Gradients of two adapters through packed responses, against finite differences.</summary>
static class PackedGradients
{
    static readonly BranchedPrompt[] Texts = [new([3, 4, 5], [6, 7, 8], [9, 2]), new([5, 6], [1, 3])];

    /// <summary>Each parameter's gradient in a random direction; none may be zero.</summary>
    public static void AssertEqualFiniteDifferences(CausalLm model, AdapterBank bank)
    {
        bank.RequireGrad(true);
        ComputeLoss(model, bank).backward();
        using var noGrad = no_grad();
        using var generator = new Generator(4, CPU);
        foreach (var parameter in bank.Parameters())
        {
            var direction = randn(parameter.shape, generator: generator);
            direction.div_(direction.norm());
            var expected = parameter.grad!.mul(direction).sum().item<float>();
            const float Step = 5e-3f;
            parameter.add_(direction, Step);
            var above = ComputeLoss(model, bank).item<float>();
            parameter.add_(direction, -2 * Step);
            var below = ComputeLoss(model, bank).item<float>();
            parameter.add_(direction, Step);
            Assert.NotEqual(0, parameter.grad.norm().item<float>());
            Assert.Equal(expected, (above - below) / (2 * Step), 0.03 * parameter.grad.norm().item<float>());
        }
    }

    static Tensor ComputeLoss(CausalLm model, AdapterBank bank)
    {
        using var batch = new PackedBatch(Texts, CPU);
        using var rows = AdapterRows.ForRows(bank, [1, 0]);
        return model.ComputeLogits(model.Forward(batch.Tokens, rows), rows, batch.RowOfLabel).mul(0.1).sin().sum();
    }
}
