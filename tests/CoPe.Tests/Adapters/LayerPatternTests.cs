using CoPe.Adapters;
using CoPe.Modeling;
using CoPe.Modeling.Safetensors;
using CoPe.Testing;
using static TorchSharp.torch;

namespace CoPe.Tests.Adapters;

/// <summary>PEFT's ways to say which layers an adapter has, of which rank and alpha.</summary>
[Collection("torch")]
public sealed class LayerPatternTests : IDisposable
{
    readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Layers_have_the_rank_and_alpha_of_the_first_pattern_that_their_name_ends_with()
    {
        using var bank = Read(
            """
            "r": 2, "lora_alpha": 4, "target_modules": ["q_proj", "down_proj"],
            "rank_pattern": {"^model.layers.0.self_attn.q_proj": 5, "q_proj": 3},
            "alpha_pattern": {"1.mlp.down_pro.": 7}
            """,
            layer =>
                layer.Contains("0.self_attn.q", StringComparison.Ordinal) ? 5
                : layer.Contains("q_proj", StringComparison.Ordinal) ? 3
                : layer.Contains("down_proj", StringComparison.Ordinal) ? 2
                : 0
        );

        Assert.Equal(4.0 / 5, bank.GetScaling("model.layers.0.self_attn.q_proj"));
        Assert.Equal(4.0 / 3, bank.GetScaling("model.layers.1.self_attn.q_proj"));
        Assert.Equal(4.0 / 2, bank.GetScaling("model.layers.0.mlp.down_proj"));
        Assert.Equal(7.0 / 2, bank.GetScaling("model.layers.1.mlp.down_proj"));
    }

    [Fact]
    public void They_are_used_merged_trained_and_written_with_these()
    {
        using var scope = NewDisposeScope();
        using var model = TinyModels.Random(TinyModels.Plain);
        using var bank = Read(
            """ "r": 2, "lora_alpha": 4, "target_modules": ["q_proj", "v_proj"], "rank_pattern": {"v_proj": 3} """,
            layer =>
                layer.Contains("v_proj", StringComparison.Ordinal) ? 3
                : layer.Contains("q_proj", StringComparison.Ordinal) ? 2
                : 0
        );
        var ids = TinyModels.Ids(2, 6);
        bank.RequireGrad(true);
        using var rows = AdapterRows.All(bank);
        var logits = TinyModels.Logits(model, ids, rows);
        logits.sum().backward();
        Assert.All(bank.Parameters(), factor => Assert.NotEqual(0, factor.grad!.norm().item<float>()));

        using var noGrad = no_grad();
        using var copy = new TemporaryFolder();
        AdapterFile.Write(copy.Path, bank, 0, "");
        using var again = AdapterFile.Read(copy.Path, model.Config);
        using var stacked = AdapterBank.Stack([bank, again]);
        using var second = AdapterRows.All(stacked, 1);
        TinyModels.AssertClose(logits, TinyModels.Logits(model, ids, second));
        Assert.Equal(bank.Config.CountParameters(model.Config), bank.Parameters().Sum(factor => factor.numel()));

        AdapterMerge.MergeInto(model, again);
        TinyModels.AssertClose(logits, TinyModels.Logits(model, ids), 1e-4);
    }

    [Theory]
    [InlineData(
        """ "target_modules": ["q_proj", "v_proj"], "layers_to_transform": [1] """,
        "1.self_attn.q",
        "1.self_attn.v"
    )]
    [InlineData(
        """ "target_modules": ["q_proj"], "layers_to_transform": 0, "layers_pattern": "layers" """,
        "0.self_attn.q"
    )]
    [InlineData(
        """ "target_modules": ["model.layers.0.mlp.up_proj", "q_proj"], "layers_to_transform": [1] """,
        "0.mlp.up",
        "1.self_attn.q"
    )]
    [InlineData(
        """ "target_modules": "all-linear", "exclude_modules": ["mlp.up_proj", "down_proj", "gate_proj", "o_proj"] """,
        "0.self_attn.q",
        "0.self_attn.k",
        "0.self_attn.v",
        "1.self_attn.q",
        "1.self_attn.k",
        "1.self_attn.v"
    )]
    [InlineData(
        """ "target_modules": ["q_proj"], "exclude_modules": "model\\.language_model\\.layers\\.1.*" """,
        "0.self_attn.q"
    )]
    public void An_adapter_of_some_layers_is_read_and_written_for_these(string keys, params string[] layers)
    {
        List<string> names = [.. layers.Select(layer => $"model.layers.{layer}_proj")];
        using var bank = Read($"\"r\": 2, \"lora_alpha\": 2, {keys}", layer => names.Contains(layer) ? 2 : 0);
        Assert.Equal(names.Order(), bank.LayerNames.Order());
        using var copy = new TemporaryFolder();
        AdapterFile.Write(copy.Path, bank, 0, "");
        using var again = AdapterFile.Read(copy.Path, TinyModels.Plain);
        Assert.Equal(bank.LayerNames, again.LayerNames);
    }

    /// <summary>Reads an adapter with random factors of each layer's rank; 0 is none.</summary>
    AdapterBank Read(string keys, Func<string, int> rank)
    {
        using var scope = NewDisposeScope();
        var tensors = new Dictionary<string, Tensor>();
        foreach (var layer in WeightLayout.ListLinearLayers(TinyModels.Plain).Where(layer => rank(layer.Name) > 0))
        {
            var prefix = $"base_model.model.{layer.Name}.lora_";
            tensors[$"{prefix}A.weight"] = randn(rank(layer.Name), layer.Inputs);
            tensors[$"{prefix}B.weight"] = randn(layer.Outputs, rank(layer.Name));
        }

        SafetensorsWriter.Write(_folder.At("adapter_model.safetensors"), tensors);
        File.WriteAllText(_folder.At("adapter_config.json"), $"{{\"peft_type\": \"LORA\", {keys}}}");
        return AdapterFile.Read(_folder.Path, TinyModels.Plain);
    }
}
