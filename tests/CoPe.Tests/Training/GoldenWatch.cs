using System.Text.Json;
using CoPe.Adapters;
using CoPe.Modeling.Safetensors;
using CoPe.Training;

namespace CoPe.Tests.Training;

/// <summary>Compares a training with its golden while it runs.</summary>
sealed class GoldenWatch(TrainGolden golden, AdapterBank adapters, string name)
{
    readonly JsonElement[] steps = golden.Steps;
    long seen;

    /// <summary>Compares one step: norm, rate, what the loss adds, and the weights where the golden has them.</summary>
    public void Step(MetricRow row, Action<JsonElement> compare)
    {
        seen = row.Step;
        var step = steps[row.Step - 1];
        compare(step);
        Assert.True(Math.Abs(row.Figures["lr"] - step.GetProperty("lr").GetDouble()) <= 1e-12, $"{name} step {row.Step}: rate {row.Figures["lr"]}");
        NearValue(step.GetProperty("grad_norm_before_clipping").GetDouble(), row.Figures["grad_norm"], 2e-5, $"step {row.Step} gradient norm");
        CompareWeights($"step{row.Step}.");
    }

    /// <summary>Every step was taken, and the weights are the final ones.</summary>
    public void Finish()
    {
        Assert.Equal(steps.Length, seen);
        Assert.Equal(adapters.Pairs.Count * 2, CompareWeights("final."));
    }

    public void Near(JsonElement step, MetricRow row, string figure, double relative) =>
        NearValue(step.GetProperty(figure).GetDouble(), row.Figures[figure], relative, $"step {row.Step} {figure}");

    public void Within(JsonElement step, MetricRow row, string figure, double absolute)
    {
        var (expected, actual) = (step.GetProperty(figure).GetDouble(), row.Figures[figure]);
        Assert.True(Math.Abs(expected - actual) <= absolute, $"{name} step {row.Step} {figure}: {actual}, expected {expected}");
    }

    void NearValue(double expected, double actual, double relative, string what) =>
        Assert.True(Math.Abs(expected - actual) <= relative * Math.Max(1e-3, Math.Abs(expected)), $"{name} {what}: {actual}, expected {expected}");

    int CompareWeights(string prefix)
    {
        using var file = SafetensorsFile.Open(Path.Combine(golden.Folder, "weights.safetensors"));
        var compared = 0;
        foreach (var (layer, pair) in adapters.Pairs)
            foreach (var (factor, side) in new[] { (pair.A, "A"), (pair.B, "B") })
            {
                var entry = $"{prefix}base_model.model.{layer}.lora_{side}.weight";
                if (!file.Contains(entry)) continue;
                using var scope = TorchSharp.torch.NewDisposeScope();
                var worst = (factor.detach()[0] - file.Read(entry)).abs().max().item<float>();
                Assert.True(worst <= 1e-5, $"{name} {entry} is off by {worst}");
                compared++;
            }
        return compared;
    }
}
