using CoPe.Adapters;
using CoPe.Modeling;
using CoPe.Testing;
using static TorchSharp.torch;

namespace CoPe.Tests.Modeling;

/// <summary>Logits against Hugging Face's for every model and case of the golden folders.</summary>
[Collection("torch")]
public class ForwardGoldenTests(ITestOutputHelper output)
{
    const double Tolerance = 1e-4;

    public static TheoryData<string> Files => [.. GoldenFolders.Entries("forward", "*.safetensors")];

    [Theory]
    [MemberData(nameof(Files))]
    public void Float32_logits_equal_the_originals_in_every_case(string file)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using var model = CausalLm.Load(ModelOf(file), ScalarType.Float32);
        var golden = new GoldenTensors(file);
        Check("no mask", GoldenTensors.Difference(Logits(model, golden["ids"]), golden["logits"]));
        var left = golden["left_mask"];
        Check(
            "left, default positions",
            GoldenTensors.Difference(
                Logits(model, golden["left_ids"], mask: left),
                golden["left_logits_defaultpos"],
                left
            )
        );
        Check(
            "left, generation's positions",
            GoldenTensors.Difference(
                Logits(model, golden["left_ids"], golden["left_position_ids"], left),
                golden["left_logits_genpos"],
                left
            )
        );
        var right = golden["right_mask"];
        Check(
            "right",
            GoldenTensors.Difference(Logits(model, golden["right_ids"], mask: right), golden["right_logits"], right)
        );
        Check(
            "right, unmasked",
            GoldenTensors.Difference(Logits(model, golden["right_ids"]), golden["right_logits"], right)
        );
        var longLogits = Logits(model, golden["long_ids"])
            .index_select(1, golden["long_positions"].to(ScalarType.Int64));
        Check("300 tokens", GoldenTensors.Difference(longLogits, golden["long_logits"]));

        void Check(string name, double difference)
        {
            output.WriteLine($"{file}: {name}: {difference:e2}");
            Assert.True(
                difference <= Tolerance,
                $"{file}: {name}: logits differ by {difference:e2}, allowed {Tolerance:e0}."
            );
        }
    }

    [Theory]
    [MemberData(nameof(Files))]
    public void Bf16_logits_stay_near_the_originals(string file)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using var model = CausalLm.Load(ModelOf(file), ScalarType.BFloat16);
        var golden = new GoldenTensors(file);
        var logits = Logits(model, golden["ids"]);
        var agreement = logits.argmax(-1).eq(golden["logits"].argmax(-1)).to(ScalarType.Float32).mean().item<float>();
        var difference = GoldenTensors.Difference(logits, golden["logits"]);
        output.WriteLine($"{file}: bf16: difference {difference:f3}, argmax agreement {agreement:p1}");
        Assert.True(
            difference <= 0.5 && agreement >= 0.9,
            $"{file}: bf16 logits differ by {difference:f3}, argmax agreement {agreement:p1}."
        );
    }

    internal static string ModelOf(string file) =>
        Path.Combine(
            Path.GetDirectoryName(Path.GetDirectoryName(file))!,
            "models",
            Path.GetFileNameWithoutExtension(file)
        );

    internal static Tensor Logits(
        CausalLm model,
        Tensor ids,
        Tensor? positions = null,
        Tensor? mask = null,
        AdapterRows? adapters = null
    )
    {
        var seq = ids.shape[1];
        var visible = mask is null
            ? null
            : ones([1, seq, seq], dtype: ScalarType.Bool).tril().logical_and(mask.to(ScalarType.Bool).unsqueeze(1));
        using var batch = new TokenBatch(
            ids.to(ScalarType.Int64).clone(),
            positions?.to(ScalarType.Int64).clone(),
            visible
        );
        return model.ComputeLogits(model.Forward(batch, adapters));
    }
}
