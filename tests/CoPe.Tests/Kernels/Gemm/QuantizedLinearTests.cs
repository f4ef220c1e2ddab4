using CoPe.Kernels.Gemm;
using CoPe.Testing;
using static TorchSharp.torch;

namespace CoPe.Tests.Kernels.Gemm;

/// <summary>Layers of rounded weights against the same layer over the dequantized weights.</summary>
[Collection("torch")]
public unsafe class QuantizedLinearTests
{
    const int Outputs = 70;
    const int Inputs = 100;

    public static TheoryData<string> Types => new("int8", "q4");

    static QuantizedWeights Quantize(string type, Tensor weights) =>
        type == "q4" ? Q4Weights.Quantize(weights, "w") : Int8Weights.Quantize(weights, "w");

    static QuantizedWeights Create(string type, int outputs = Outputs, int inputs = Inputs)
    {
        using var generator = new Generator(7, CPU);
        using var weights = randn([outputs, inputs], generator: generator);
        using var rounded = weights.to(ScalarType.BFloat16);
        return Quantize(type, rounded);
    }

    static Tensor Dequantize(QuantizedWeights weights)
    {
        var numbers = new float[weights.Rows * weights.Inputs];
        fixed (float* to = numbers)
        {
            weights.Dequantize(0, weights.Rows, to);
        }

        return tensor(numbers).view(weights.Rows, weights.Inputs);
    }

    [Theory]
    [MemberData(nameof(Types))]
    public void Results_and_gradients_in_float32_equal_those_over_the_dequantized_weights(string type)
    {
        using var scope = NewDisposeScope();
        // Several pieces: 2^20 weights are dequantized at once.
        using var weights = Create(type, outputs: 1300, inputs: 1030);
        using var generator = new Generator(8, CPU);
        var (bias, direction) = (randn(1300, generator: generator), randn([2, 3, 1300], generator: generator));
        var x = randn([2, 3, 1030], generator: generator).requires_grad_();
        var same = x.detach().clone().requires_grad_();
        var linear = new QuantizedLinear(weights, bias);

        var y = linear.Multiply(x);
        var expected = nn.functional.linear(same, Dequantize(weights), bias);
        (y * direction).sum().backward();
        (expected * direction).sum().backward();

        TinyModels.AssertClose(expected.detach(), y.detach(), 2e-4);
        TinyModels.AssertClose(same.grad!, x.grad!, 2e-4);
    }

    [Theory]
    [MemberData(nameof(Types))]
    public void In_bf16_a_tracked_pass_gives_the_bits_of_an_untracked_one_and_the_gradient_of_the_weights(string type)
    {
        using var scope = NewDisposeScope();
        using var weights = Create(type);
        using var generator = new Generator(9, CPU);
        var x = randn([5, Inputs], generator: generator).to(ScalarType.BFloat16).requires_grad_();
        var linear = new QuantizedLinear(weights, null);

        var y = linear.Multiply(x);
        y.sum().backward();

        Assert.True(y.detach().eq(linear.Multiply(x.detach())).all().item<bool>());
        var expected = ones([5, Outputs]).mm(Dequantize(weights));
        // bf16 keeps 8 bits.
        Assert.InRange(Relative(expected, x.grad!), 0, 1 / 256.0);
        var exact = nn.functional.linear(x.detach().to(ScalarType.Float32), Dequantize(weights));
        Assert.InRange(Relative(exact, y), 0, .02);
    }

    [Theory]
    [MemberData(nameof(Types))]
    public void A_step_leaks_nothing(string type)
    {
        using var weights = Create(type);
        var linear = new QuantizedLinear(weights, null);
        Step();
        var before = Tensor.TotalCount;
        Step();
        Assert.Equal(before, Tensor.TotalCount);

        void Step()
        {
            using var scope = NewDisposeScope();
            var x = ones([3, Inputs]).requires_grad_();
            linear.Multiply(x).sum().backward();
        }
    }

    [Theory]
    [MemberData(nameof(Types))]
    public void Other_inputs_are_refused(string type)
    {
        using var scope = NewDisposeScope();
        using var weights = Create(type);
        var linear = new QuantizedLinear(weights, null);
        Assert.Contains("[..., 100]", Assert.Throws<ArgumentException>(() => linear.Multiply(ones([2, 99]))).Message);
        var wide = ones([2, Inputs], dtype: ScalarType.Float64);
        Assert.Contains("Float64", Assert.Throws<ArgumentException>(() => linear.Multiply(wide)).Message);
        Assert.Throws<ArgumentException>(() => linear.Multiply(ones([Inputs, 4]).t()));
    }

    static double Relative(Tensor expected, Tensor actual) =>
        actual.detach().to(ScalarType.Float32).sub(expected).norm().item<float>() / expected.norm().item<float>();
}
