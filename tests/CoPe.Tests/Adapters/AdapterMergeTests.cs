using System.Text.Json.Nodes;
using CoPe.Adapters;
using CoPe.Modeling;
using CoPe.Modeling.Safetensors;
using CoPe.Testing;
using static TorchSharp.torch;

namespace CoPe.Tests.Adapters;

[Collection("torch")]
public class AdapterMergeTests
{
    [Theory]
    [InlineData(AdapterMerge.DefaultShardBytes, 1)]
    [InlineData(4000, 6)] // 4 bytes for each of 5,328 weights
    public void A_merged_folder_computes_what_the_base_with_the_adapters_computes(long maxShardBytes, int leastFiles)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using var folder = new TemporaryFolder();
        using var model = TinyModels.Random(TinyModels.Plain);
        using var lower = TinyModels.Adapters(TinyModels.Plain, 1);
        using var upper = TinyModels.Adapters(
            TinyModels.Plain,
            1,
            new LoraConfig
            {
                Rank = 2,
                Alpha = 6,
                TargetModules = ["all-linear"],
                Dropout = 0,
                UseRsLora = true,
            }
        );
        ModelFolder.Save(folder.At("base"), model.Config, model.Weights, ScalarType.Float32);

        AdapterMerge.WriteModelFolder(folder.At("base"), [lower, upper], folder.At("merged"), maxShardBytes);

        var files = Directory.GetFiles(folder.At("merged"), "*.safetensors");
        Assert.True(files.Length >= leastFiles && leastFiles == 1 == (files.Length == 1), $"{files.Length} files");
        Assert.Equal(files.Length > 1, File.Exists(folder.At("merged/model.safetensors.index.json")));
        // The header is no weight.
        Assert.All(files.Skip(1), file => Assert.True(new FileInfo(file).Length < 4000 + 2000));
        using var merged = CausalLm.Load(folder.At("merged"));
        using var selected = AdapterRows.All(lower).With(AdapterRows.All(upper));
        var ids = TinyModels.Ids(2, 7);
        TinyModels.AssertClose(TinyModels.Logits(model, ids, selected), TinyModels.Logits(merged, ids), 2e-4);
    }

    [Fact]
    public void Changes_that_rounding_undoes_are_counted_and_float32_keeps_them_all()
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using var folder = new TemporaryFolder();
        using var random = TinyModels.Random(TinyModels.Plain);
        var shape = new LoraConfig
        {
            Rank = 2,
            Alpha = 1e-3,
            TargetModules = ["all-linear"],
            Dropout = 0,
        };
        using var bank = TinyModels.Adapters(TinyModels.Plain, 1, shape);
        ModelFolder.Save(folder.At("base"), random.Config, random.Weights, ScalarType.BFloat16);

        var rounded = AdapterMerge.WriteModelFolder(folder.At("base"), [bank], folder.At("rounded"));
        var kept = AdapterMerge.WriteModelFolder(
            folder.At("base"),
            [bank],
            folder.At("kept"),
            dtype: ScalarType.Float32
        );

        Assert.InRange(rounded.LostShare, 0.8, 1);
        Assert.Equal((rounded.Changed, 0), (kept.Changed, kept.Lost));
        var config = JsonNode.Parse(File.ReadAllText(folder.At("kept/config.json")))!;
        Assert.Equal("float32", (string?)(config["torch_dtype"] ?? config["dtype"]));
        using var model = CausalLm.Load(folder.At("base"), ScalarType.Float32);
        using var merged = CausalLm.Load(folder.At("kept"));
        using var selected = AdapterRows.All(bank);
        var ids = TinyModels.Ids(2, 7);
        TinyModels.AssertClose(TinyModels.Logits(model, ids, selected), TinyModels.Logits(merged, ids), 1e-4);
    }

    [Fact]
    public void An_adapter_with_a_number_that_is_not_finite_is_not_merged()
    {
        using var noGrad = no_grad();
        using var folder = new TemporaryFolder();
        using var model = TinyModels.Random(TinyModels.Plain);
        using var bank = TinyModels.Adapters(TinyModels.Plain, 1);
        ModelFolder.Save(folder.At("base"), model.Config, model.Weights, ScalarType.Float32);
        bank.Pairs[bank.LayerNames[^1]].B.fill_(double.NaN);

        var error = Assert.Throws<ArgumentException>(() =>
            AdapterMerge.WriteModelFolder(folder.At("base"), [bank], folder.At("merged"))
        );
        Assert.Contains(bank.LayerNames[^1], error.Message, StringComparison.Ordinal);
        Assert.False(Directory.Exists(folder.At("merged")));
    }

    [Fact]
    public void An_index_names_every_tensor_and_the_bytes_of_all()
    {
        using var folder = new TemporaryFolder();
        using var model = TinyModels.Random(TinyModels.Plain);
        using var bank = TinyModels.Adapters(TinyModels.Plain, 1);
        ModelFolder.Save(folder.At("base"), model.Config, model.Weights, ScalarType.BFloat16);
        AdapterMerge.WriteModelFolder(folder.At("base"), [bank], folder.At("merged"), 3000);

        var index = JsonNode.Parse(File.ReadAllText(folder.At("merged/model.safetensors.index.json")))!;
        Assert.Equal(2 * ModelInfo.CountParameters(TinyModels.Plain), (long)index["metadata"]!["total_size"]!);
        Assert.Equal(
            model.Weights.Names.Order(StringComparer.Ordinal),
            index["weight_map"]!.AsObject().Select(entry => entry.Key).Order(StringComparer.Ordinal)
        );
    }

    [Fact]
    public void What_the_adapters_do_not_change_is_carried_over_to_the_byte()
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using var folder = new TemporaryFolder();
        using var model = TinyModels.Random(TinyModels.Plain);
        using var bank = TinyModels.Adapters(TinyModels.Plain, 1);
        ModelFolder.Save(folder.At("base"), model.Config, model.Weights, ScalarType.Float32);
        var tensors = model.Weights.Names.ToDictionary(name => "language_model." + name, name => model.Weights[name]);
        tensors["vision_tower.patch.weight"] = arange(5, dtype: ScalarType.Int64);
        var quantized = new TensorSource(
            "vision_tower.patch.quantized",
            SafetensorsDtype.Find("F8_E4M3")!,
            [5],
            () => arange(5, dtype: ScalarType.Byte)
        );
        SafetensorsWriter.Write(
            folder.At("base/model.safetensors"),
            tensors
                .Select(pair => new TensorSource(
                    pair.Key,
                    SafetensorsDtype.Of(pair.Value.dtype),
                    pair.Value.shape,
                    pair.Value.alias
                ))
                .Append(quantized)
        );
        foreach (
            var file in (string[])
                [
                    "tokenizer.json",
                    "chat_template.jinja",
                    "LICENSE",
                    "pytorch_model.bin",
                    "pytorch_model.bin.index.json",
                    "README.md",
                ]
        )
        {
            folder.Write("base/" + file, file);
        }

        AdapterMerge.WriteModelFolder(folder.At("base"), [bank], folder.At("merged"));

        Assert.Equal(
            [
                "LICENSE",
                "chat_template.jinja",
                "config.json",
                "generation_config.json",
                "model.safetensors",
                "tokenizer.json",
            ],
            Directory.GetFiles(folder.At("merged")).Select(Path.GetFileName).Order(StringComparer.Ordinal)
        );
        Assert.Equal(
            File.ReadAllText(folder.At("base/config.json")),
            File.ReadAllText(folder.At("merged/config.json"))
        );
        using var before = SafetensorsFile.Open(folder.At("base/model.safetensors"));
        using var after = SafetensorsFile.Open(folder.At("merged/model.safetensors"));
        Assert.Equal(
            before.Entries.Select(entry => (entry.Name, entry.Dtype)),
            after.Entries.Select(entry => (entry.Name, entry.Dtype))
        );
        var changed = before
            .Entries.Select(entry => entry.Name)
            .Where(name => !Bytes(before, name).SequenceEqual(Bytes(after, name)));
        Assert.Equal(
            bank.LayerNames.Select(name => $"language_model.{name}.weight").Order(StringComparer.Ordinal),
            changed.Order(StringComparer.Ordinal)
        );

        static byte[] Bytes(SafetensorsFile file, string name)
        {
            using var tensor = file.ReadBytes(name);
            return tensor.bytes.ToArray();
        }
    }

    [Fact]
    public void A_folder_that_holds_something_is_left_alone()
    {
        using var folder = new TemporaryFolder();
        using var model = TinyModels.Random(TinyModels.Plain);
        ModelFolder.Save(folder.At("base"), model.Config, model.Weights, ScalarType.Float32);
        folder.Write("out/mine.txt", "mine");
        Assert.Contains(
            "holds files already",
            Assert
                .Throws<ArgumentException>(() => AdapterMerge.WriteModelFolder(folder.At("base"), [], folder.At("out")))
                .Message,
            StringComparison.Ordinal
        );
        Assert.Equal("mine", File.ReadAllText(folder.At("out/mine.txt")));
    }

    [Fact]
    public void Nothing_stays_in_memory_or_mapped()
    {
        using var folder = new TemporaryFolder();
        using var model = TinyModels.Random(TinyModels.Plain);
        using var bank = TinyModels.Adapters(TinyModels.Plain, 1);
        ModelFolder.Save(folder.At("base"), model.Config, model.Weights, ScalarType.BFloat16);
        var before = (Tensor.TotalCount, MappedFile.OpenCount);
        AdapterMerge.WriteModelFolder(folder.At("base"), [bank], folder.At("merged"));
        Assert.Equal(before, (Tensor.TotalCount, MappedFile.OpenCount));
    }
}
