using CoPe.Adapters;
using CoPe.Modeling;
using CoPe.Testing;
using static TorchSharp.torch;

namespace CoPe.Tests.Adapters;

[Collection("torch")]
public class LoraGradientTests
{
    static Tensor Loss(CausalLm model, Tensor ids, AdapterRows rows) =>
        TinyModels.Logits(model, ids, rows).mul(0.1).sin().sum();

    [Theory]
    [InlineData(0, 0, 1, 1)]
    [InlineData(1, -1, 0, 1)]
    [InlineData(-1, 0, 0, -1)]
    public void Gradients_of_the_factors_equal_finite_differences(params int[] indices)
    {
        using var scope = NewDisposeScope();
        using var model = TinyModels.Random(TinyModels.Plain);
        using var bank = TinyModels.Adapters(model.Config, 2);
        bank.RequireGrad(true);
        using var rows = AdapterRows.ForRows(bank, indices);
        var ids = TinyModels.Ids(4, 5);
        Loss(model, ids, rows).backward();
        using var noGrad = no_grad();
        using var generator = new Generator(4, CPU);
        foreach (var factor in bank.Parameters())
        {
            // Along a random direction the loss changes by gradient . direction.
            var direction = randn(factor.shape, generator: generator);
            direction.div_(direction.norm());
            var expected = factor.grad!.mul(direction).sum().item<float>();
            const float step = 5e-3f;
            factor.add_(direction, step);
            var above = Loss(model, ids, rows).item<float>();
            factor.add_(direction, -2 * step);
            var below = Loss(model, ids, rows).item<float>();
            factor.add_(direction, step);
            Assert.Equal(expected, (above - below) / (2 * step), 0.02 * factor.grad.norm().item<float>());
        }
    }

    [Fact]
    public void Users_that_train_in_one_pass_get_the_gradients_of_separate_passes()
    {
        using var scope = NewDisposeScope();
        using var model = TinyModels.Random(TinyModels.Everything);
        using var bank = TinyModels.Adapters(model.Config, 2);
        bank.RequireGrad(true);
        var ids = TinyModels.Ids(4, 5);
        using (var rows = AdapterRows.ForRows(bank, [0, 0, 1, 1]))
        {
            TinyModels.Logits(model, ids, rows).sin().sum().backward();
        }

        for (var user = 0; user < 2; user++)
        {
            using var alone = bank.Extract(user);
            alone.RequireGrad(true);
            using var rows = AdapterRows.All(alone);
            TinyModels.Logits(model, ids.narrow(0, 2 * user, 2), rows).sin().sum().backward();
            foreach (var (one, all) in alone.Parameters().Zip(bank.Parameters()))
            {
                TinyModels.AssertClose(one.grad![0], all.grad![user], 1e-3);
            }
        }
    }

    [Fact]
    public void Gradients_reach_float32_factors_through_a_bf16_pass()
    {
        using var scope = NewDisposeScope();
        using var exact = TinyModels.Random(TinyModels.Plain);
        using var rounded = new CausalLm(TinyModels.Plain, Same(exact), ScalarType.BFloat16);
        using var bank = TinyModels.Adapters(exact.Config, 2);
        bank.RequireGrad(true);
        var ids = TinyModels.Ids(2, 5);
        using var rows = AdapterRows.ForRows(bank, [1, 0]);
        Loss(exact, ids, rows).backward();
        var expected = bank.Parameters().Select(p => p.grad!.clone()).ToList();
        foreach (var parameter in bank.Parameters())
        {
            parameter.grad!.zero_();
        }

        Loss(rounded, ids, rows).backward();
        foreach (var (parameter, gradient) in bank.Parameters().Zip(expected))
        {
            Assert.Equal(ScalarType.Float32, parameter.grad!.dtype);
            Assert.True(
                parameter.grad.sub(gradient).norm().item<float>() <= 0.15f * gradient.norm().item<float>() + 1e-3f
            );
        }

        static ModelWeights Same(CausalLm model)
        {
            var copy = ModelWeights.Initialize(model.Config, 1);
            using var noGrad = no_grad();
            foreach (var name in copy.Names)
            {
                copy[name].copy_(model.Weights[name]).requires_grad_(false);
            }

            return copy;
        }
    }
}
