using System.Text.Json.Nodes;
using CoPe.Adapters;
using CoPe.Modeling;
using CoPe.Modeling.Safetensors;
using CoPe.Testing;
using static TorchSharp.torch;

namespace CoPe.Tests.Adapters;

/// <summary>PEFT's files of adapters that have an embedding or a head of their own, or adapt both as one.</summary>
[Collection("torch")]
public sealed class SavedModulesFileTests : IDisposable
{
    const string SavedEmbedding = "base_model.model.model.embed_tokens.weight";
    const string SavedHead = "base_model.model.lm_head.weight";

    static readonly DecoderConfig Tied = TinyModels.Plain;
    static readonly DecoderConfig Untied = TinyModels.Plain with { TiedHead = false };

    readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(false, "embed_tokens", false, SavedEmbedding)]
    [InlineData(false, "embed_tokens lm_head", false, SavedHead, SavedEmbedding)]
    [InlineData(true, "lm_head", false, SavedHead)]
    [InlineData(true, "embed_tokens", true, SavedHead, SavedEmbedding)]
    public void What_is_written_has_PEFT_s_names_and_is_read_again(
        bool isTied,
        string names,
        bool ensuresTying,
        params string[] expected
    )
    {
        using var scope = NewDisposeScope();
        using var model = TinyModels.Random(isTied ? Tied : Untied);
        using var bank = SavedModulesTests.Create(model, names, ensuresTying, 2);
        AdapterFile.Write(_folder.Path, bank, 1, "base");
        var json = JsonNode.Parse(File.ReadAllText(_folder.At("adapter_config.json")))!;
        Assert.Equal(names.Split(' '), json["modules_to_save"]!.AsArray().Select(name => (string)name!));
        Assert.Equal(ensuresTying, (bool?)json["ensure_weight_tying"] ?? false);
        var tensors = ReadTensors();
        Assert.Equal(expected.Order(), tensors.Keys.Where(name => !name.Contains("lora_")).Order());

        using var read = AdapterFile.Read(_folder.Path, model.Config);
        using var second = bank.Extract(1);
        Assert.Equal(bank.Saved!.AreTied, read.Saved!.AreTied);
        Assert.Equal(second.Parameters().Count, read.Parameters().Count);
        Assert.All(
            second.Parameters().Zip(read.Parameters()),
            pair => TinyModels.AssertClose(pair.First, pair.Second, 0)
        );
        using var all = AdapterFile.ReadAll([_folder.Path, _folder.Path], model.Config);
        Assert.All(
            second.Parameters().Zip(all.Parameters()),
            pair => TinyModels.AssertClose(pair.First[0], pair.Second[1], 0)
        );
    }

    [Theory]
    [InlineData("model.language_model.embed_tokens")]
    [InlineData("model.embed_tokens")]
    [InlineData("embed_tokens")]
    public void A_module_may_be_named_by_any_end_of_its_full_name(string name)
    {
        using var model = TinyModels.Random(Untied);
        using var bank = SavedModulesTests.Create(model, "embed_tokens", ensuresTying: false, 1);
        AdapterFile.Write(_folder.Path, bank, 0, "base");
        Change("modules_to_save", $"[\"{name}\"]");
        using var read = AdapterFile.Read(_folder.Path, model.Config);
        Assert.Equal(["embed_tokens"], read.Config.ModulesToSave);
    }

    /// <summary>PEFT ties only where the model does, and older versions wrote one of the two.</summary>
    [Theory]
    [InlineData(true, SavedHead)]
    [InlineData(true, SavedEmbedding)]
    [InlineData(false, "")]
    public void Tying_means_what_it_means_to_PEFT(bool isTied, string left)
    {
        using var scope = NewDisposeScope();
        using var model = TinyModels.Random(isTied ? Tied : Untied);
        using var bank = SavedModulesTests.Create(model, "embed_tokens lm_head", ensuresTying: isTied, 1);
        AdapterFile.Write(_folder.Path, bank, 0, "base");
        Change("ensure_weight_tying", "true");
        if (left.Length > 0)
        {
            Rewrite(tensors => tensors.Remove(left == SavedHead ? SavedEmbedding : SavedHead));
        }

        using var read = AdapterFile.Read(_folder.Path, model.Config);
        Assert.Equal(isTied, read.Saved!.AreTied);
        TinyModels.AssertClose(bank.Saved!.Head!, read.Saved.Head!, 0);
        TinyModels.AssertClose(bank.Saved.Embedding!, read.Saved.Embedding!, 0);
    }

    [Fact]
    public void Files_that_do_not_fit_are_refused_by_name()
    {
        using var scope = NewDisposeScope();
        using var model = TinyModels.Random(Tied);
        using var bank = SavedModulesTests.Create(model, "embed_tokens", ensuresTying: true, 1);
        AdapterFile.Write(_folder.Path, bank, 0, "base");
        AssertRefused("modules_to_save", "[\"embed_tokens\", \"norm\"]", "norm is not supported; supported: embed_tok");
        AssertRefused("modules_to_save", "\"embed_tokens\"", "modules_to_save: is \"embed_tokens\"");
        AssertRefused("modules_to_save", "null", ".weight: is not supported in an adapter");
        AssertRefused("alora_invocation_tokens", "[3]", "embedding or a head of its own");
        AssertRefused("target_modules", "[\"q_proj\", \"down_proj\", \"lm_head\"]", "lm_head");
        AssertRefused("ensure_weight_tying", "3", "ensure_weight_tying: is 3");

        Rewrite(tensors => tensors[SavedHead] = tensors[SavedHead].mul(2));
        AssertRefused("r", "3", "lm_head.weight: differs from that of model.embed_tokens");
        Rewrite(tensors => tensors[SavedHead] = zeros(3, 4));
        AssertRefused("r", "3", "lm_head.weight: has shape [3, 4]; model imply [40, 16]");
        Rewrite(tensors => tensors[SavedHead] = zeros([40, 16], ScalarType.Int32));
        AssertRefused("r", "3", "lm_head.weight: has dtype I32");
        Rewrite(tensors => tensors.Remove(SavedHead));
        AssertRefused("ensure_weight_tying", "false", "");
        Rewrite(tensors => tensors.Remove(SavedEmbedding));
        AssertRefused("r", "3", "lm_head.weight: is missing, though modules_to_save names");
    }

    [Theory]
    [InlineData("[\"embed_tokens\", \"q_proj\"]")]
    [InlineData("[\"lm_head\", \"q_proj\"]")]
    [InlineData("[\"embed_tokens\", \"lm_head\", \"q_proj\"]")]
    public void Factors_of_a_tied_embedding_and_head_are_one_adapter(string targets)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using var model = TinyModels.Random(Tied);
        using var bank = CreateTiedFactors();
        AdapterFile.Write(_folder.Path, bank, 0, "base");
        Change("target_modules", targets);
        Change("ensure_weight_tying", "true");
        using var read = AdapterFile.Read(_folder.Path, Tied);
        Assert.True(read.KeepsHeadTied);
        Assert.Equal(bank.LayerNames, read.LayerNames);

        var ids = TinyModels.Ids(2, 6);
        using var batch = new TokenBatch(ids);
        using var rows = AdapterRows.All(read);
        var expected = model.ComputeLogits(model.Forward(batch, rows), rows);
        AdapterMerge.MergeInto(model, read);
        Assert.True(model.Config.TiedHead);
        TinyModels.AssertClose(expected, TinyModels.Logits(model, ids), 1e-4);

        Rewrite(tensors => tensors["base_model.model.lm_head.lora_A.weight"].mul_(2));
        var error = Assert.Throws<ModelFileException>(() => AdapterFile.Read(_folder.Path, Tied));
        Assert.Contains("lm_head: differs from that of model.embed_tokens", error.Message, StringComparison.Ordinal);
    }

    static AdapterBank CreateTiedFactors()
    {
        using var noGrad = no_grad();
        var bank = TinyModels.Adapters(
            Tied,
            1,
            new LoraConfig
            {
                Rank = 3,
                TargetModules = ["embed_tokens", "q_proj", "lm_head"],
                Dropout = 0,
            }
        );
        var (embedding, head) = (bank.Pairs[WeightLayout.EmbeddingLayer], bank.Pairs[WeightLayout.HeadLayer]);
        head.A.copy_(embedding.B.transpose(1, 2));
        embedding.A.copy_(head.B.normal_().transpose(1, 2));
        return bank;
    }

    void AssertRefused(string key, string value, string expected)
    {
        var before = File.ReadAllText(_folder.At("adapter_config.json"));
        Change(key, value);
        if (expected.Length == 0)
        {
            AdapterFile.Read(_folder.Path, Tied).Dispose();
        }
        else
        {
            var error = Assert.Throws<ModelFileException>(() => AdapterFile.Read(_folder.Path, Tied));
            Assert.Contains(expected, error.Message, StringComparison.Ordinal);
        }

        File.WriteAllText(_folder.At("adapter_config.json"), before);
    }

    void Change(string key, string value)
    {
        var json = JsonNode.Parse(File.ReadAllText(_folder.At("adapter_config.json")))!;
        json[key] = JsonNode.Parse(value);
        File.WriteAllText(_folder.At("adapter_config.json"), json.ToJsonString());
    }

    void Rewrite(Action<Dictionary<string, Tensor>> change)
    {
        var tensors = ReadTensors();
        change(tensors);
        SafetensorsWriter.Write(_folder.At("adapter_model.safetensors"), tensors);
    }

    Dictionary<string, Tensor> ReadTensors()
    {
        using var file = SafetensorsFile.Open(_folder.At("adapter_model.safetensors"));
        return file.Entries.ToDictionary(entry => entry.Name, entry => file.Read(entry.Name).clone());
    }
}
