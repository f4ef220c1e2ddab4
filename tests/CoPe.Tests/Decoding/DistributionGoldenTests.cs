using System.Text.Json;
using CoPe.Decoding;
using CoPe.Modeling.Safetensors;
using CoPe.Testing;
using static TorchSharp.torch;

namespace CoPe.Tests.Decoding;

/// <summary>
/// Distributions of single steps: of the reference's contrastive decoding and of Hugging Face's sampling.
/// </summary>
[Collection("torch")]
public class DistributionGoldenTests(ITestOutputHelper output)
{
    [Fact]
    public void Scores_and_probabilities_of_every_contrastive_step_are_the_references()
    {
        foreach (var (root, golden) in GoldenModel.DecodeFiles())
        {
            var path = Path.Combine(root, "decode", golden.GetProperty("model").GetString() + "_cd_steps.safetensors");
            if (!File.Exists(path))
            {
                continue;
            }

            using var file = SafetensorsFile.Open(path);
            foreach (var step in golden.GetProperty("steps").EnumerateArray())
            {
                for (var i = 0; i < step.GetProperty("tokens_taken_argmax").GetArrayLength(); i++)
                {
                    AssertStep(file, step, i);
                }
            }

            output.WriteLine(path);
        }
    }

    [Fact]
    public void Probabilities_of_every_sampling_step_are_Hugging_Faces()
    {
        foreach (var path in GoldenFolders.Entries("decode", "*_generate_sampling.safetensors"))
        {
            using var scope = NewDisposeScope();
            using var file = SafetensorsFile.Open(path);
            var (prompts, answers, logits, expected) = (
                file.Read("input_ids"),
                file.Read("new_tokens"),
                file.Read("raw_logits"),
                file.Read("probs")
            );
            for (var t = 0; t < answers.shape[1]; t++)
            {
                // The padding too, which Hugging Face also penalizes.
                var soFar = cat([prompts, answers.narrow(1, 0, t)], 1);
                var scores = RepetitionPenalty.Apply(logits.select(1, t), soFar, 1.3);
                var probabilities = TokenSampler.Warp(scores, .3, 50, .95).softmax(-1);
                Assert.True(
                    (probabilities - expected.select(1, t)).abs().max().item<float>() < 1e-5,
                    $"{path}, step {t}"
                );
            }
            output.WriteLine(path);
        }
    }

    static void AssertStep(SafetensorsFile file, JsonElement step, int i)
    {
        using var scope = NewDisposeScope();
        Tensor Read(string what) => file.Read($"case{step.GetProperty("case")}.step{i}.{what}").unsqueeze(0);
        double Number(string what) => step.GetProperty(what).GetDouble();
        var ids = GoldenModel
            .Ids(step.GetProperty("prompt"))
            .Concat(GoldenModel.Ids(step.GetProperty("tokens_taken_argmax")).Take(i))
            .Select(id => (long)id)
            .ToArray();
        var scores = ContrastiveScore.Compute(
            Read("expert_logits"),
            Read("amateur_logits"),
            Number("contrastive_alpha"),
            Number("plausability_alpha"),
            referenceEpsilon: true
        );
        scores = RepetitionPenalty.Apply(scores, tensor(ids).unsqueeze(0), Number("repetition_penalty"));
        if (step.GetProperty("do_sample").GetBoolean())
        {
            scores = TokenSampler.Warp(
                scores,
                Number("temperature"),
                step.GetProperty("top_k").GetInt32(),
                Number("top_p")
            );
        }

        var expected = Read("processed_logits");
        var name = $"case {step.GetProperty("case")}, step {i}";
        Assert.True(isinf(expected).Equals(isinf(scores)), $"{name}: other tokens are cut");
        Assert.True(allclose(scores, expected, rtol: 1e-5, atol: 1e-4), $"{name}: scores differ");
        Assert.True(
            (scores.softmax(-1) - Read("probs")).abs().max().item<float>() < 1e-5,
            $"{name}: probabilities differ"
        );
        Assert.Equal(step.GetProperty("tokens_taken_argmax")[i].GetInt64(), scores.argmax(-1).item<long>());
    }
}
