using System.Text.Json.Nodes;
using CoPe.Modeling;
using CoPe.Modeling.Safetensors;
using CoPe.Testing;
using static TorchSharp.torch;

namespace CoPe.Tests.Modeling;

/// <summary>Model folders written and read, and checkpoints that must be refused.</summary>
[Collection("torch")]
public class ModelFolderTests
{
    public static TheoryData<string> Models => [.. GoldenFolders.Entries("models", "*")];

    [Theory]
    [MemberData(nameof(Models))]
    public void A_model_written_again_is_the_same_model(string original)
    {
        using var folder = new TemporaryFolder();
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using var model = CausalLm.Load(original);
        ModelFolder.Save(folder.Path, model.Config, model.Weights, model.Dtype);
        using var again = CausalLm.Load(folder.Path);
        Assert.Equal(JsonOf(model.Config), JsonOf(again.Config));
        var ids = randint(
            0,
            model.Config.VocabSize,
            [2, 30],
            dtype: ScalarType.Int64,
            generator: new Generator(1, CPU)
        );
        TinyModels.AssertClose(TinyModels.Logits(model, ids), TinyModels.Logits(again, ids), 0);
    }

    static string JsonOf(DecoderConfig config) => System.Text.Json.JsonSerializer.Serialize(config);

    [Fact]
    public void Traits_that_the_model_type_contradicts_are_not_written()
    {
        using var folder = new TemporaryFolder();
        using var model = TinyModels.Random(TinyModels.Everything);
        Assert.Contains(
            "llama",
            Assert
                .Throws<ArgumentException>(() =>
                    ModelFolder.Save(folder.Path, model.Config, model.Weights, ScalarType.BFloat16)
                )
                .Message,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void Weights_with_a_prefix_are_read_and_those_of_a_vision_tower_skipped()
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using var model = TinyModels.Random(TinyModels.Plain);
        foreach (var prefix in new[] { "language_model.model.", "model.language_model." })
        {
            using var folder = new TemporaryFolder();
            Write(folder, model, rename: name => prefix + name["model.".Length..], extra: "vision_tower.patch.weight");
            using var again = CausalLm.Load(folder.Path);
            var ids = TinyModels.Ids(1, 4);
            TinyModels.AssertClose(TinyModels.Logits(model, ids), TinyModels.Logits(again, ids), 0);
        }
    }

    [Theory]
    [InlineData("model.layers.1.mlp.up_proj.weight", null, "model.layers.1.mlp.up_proj.weight: no weights file")]
    [InlineData("model.layers.1.mlp.up_proj.weight", "model.layers.1.mlp.up_proj.extra", "up_proj.extra: config.json")]
    [InlineData(
        "model.layers.1.mlp.up_proj.weight",
        "model.layers.7.mlp.up_proj.weight",
        "layers.7.mlp.up_proj.weight: config.json"
    )]
    public void A_checkpoint_that_does_not_fit_its_config_is_refused(string name, string? renamed, string expected)
    {
        using var folder = new TemporaryFolder();
        using var model = TinyModels.Random(TinyModels.Plain);
        Write(folder, model, n => n == name ? renamed : n);
        Assert.Contains(
            expected,
            Assert.Throws<ModelFileException>(() => CausalLm.Load(folder.Path)).Message,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void A_weight_of_another_shape_or_dtype_is_refused()
    {
        using var folder = new TemporaryFolder();
        using var model = TinyModels.Random(TinyModels.Plain);
        Write(folder, model, n => n);
        Rewrite(folder, json => json["intermediate_size"] = 25);
        Assert.Contains(
            "has shape [24, 16]",
            Assert.Throws<ModelFileException>(() => CausalLm.Load(folder.Path)).Message,
            StringComparison.Ordinal
        );
        Write(folder, model, n => n, dtype: ScalarType.Float64);
        Assert.Contains(
            "F64",
            Assert.Throws<ModelFileException>(() => CausalLm.Load(folder.Path)).Message,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void A_config_that_names_no_number_type_leaves_the_weights_in_theirs()
    {
        using var folder = new TemporaryFolder();
        using var model = TinyModels.Random(TinyModels.Plain);
        ModelFolder.Save(folder.Path, model.Config, model.Weights, ScalarType.BFloat16);
        Rewrite(folder, json => json.AsObject().Remove("torch_dtype"));
        using (var again = CausalLm.Load(folder.Path))
        {
            Assert.Equal(ScalarType.BFloat16, again.Dtype);
        }

        File.Delete(folder.At("model.safetensors"));
        Assert.Equal(ScalarType.Float32, DecoderConfig.Read(folder.Path).Dtype);
    }

    [Fact]
    public void A_folder_without_weights_that_are_read_is_refused()
    {
        using var folder = new TemporaryFolder();
        using var model = TinyModels.Random(TinyModels.Plain);
        Write(folder, model, n => n);
        File.Move(folder.At("model.safetensors"), folder.At("pytorch_model.bin"));
        Assert.Contains(
            "neither",
            Assert.Throws<ModelFileException>(() => CausalLm.Load(folder.Path)).Message,
            StringComparison.Ordinal
        );
        File.CreateSymbolicLink(folder.At("model.safetensors"), folder.At("gone"));
        Assert.Contains(
            "model.safetensors: is a link to a file that is gone",
            Assert.Throws<ModelFileException>(() => CausalLm.Load(folder.Path)).Message,
            StringComparison.Ordinal
        );
    }

    [Theory]
    [InlineData("config.json")]
    [InlineData("model.safetensors")]
    public void What_git_leaves_of_a_file_that_was_not_fetched_is_told_as_that(string name)
    {
        using var folder = new TemporaryFolder();
        using var model = TinyModels.Random(TinyModels.Plain);
        Write(folder, model, n => n);
        File.WriteAllText(folder.At(name), "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 12\n");
        var error = Assert.Throws<ModelFileException>(() => CausalLm.Load(folder.Path));
        Assert.Equal(folder.At(name), error.File);
        Assert.Contains("is a Git LFS pointer", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_refused_checkpoint_leaves_nothing_mapped()
    {
        using var folder = new TemporaryFolder();
        using var model = TinyModels.Random(TinyModels.Plain);
        Write(folder, model, n => n == "model.norm.weight" ? null : n);
        var (tensors, mappings) = (Tensor.TotalCount, MappedFile.OpenCount);
        Assert.Throws<ModelFileException>(() => CausalLm.Load(folder.Path));
        Assert.Equal((tensors, mappings), (Tensor.TotalCount, MappedFile.OpenCount));
    }

    static void Write(
        TemporaryFolder folder,
        CausalLm model,
        Func<string, string?> rename,
        ScalarType? dtype = null,
        string? extra = null
    )
    {
        ModelFolder.Save(folder.Path, model.Config, model.Weights, ScalarType.Float32);
        using var scope = NewDisposeScope();
        var tensors = model
            .Weights.Names.Where(n => rename(n) is not null)
            .ToDictionary(n => rename(n)!, n => model.Weights[n]);
        if (extra is not null)
        {
            tensors[extra] = ones(3);
        }

        SafetensorsWriter.Write(folder.At("model.safetensors"), tensors, dtype);
    }

    static void Rewrite(TemporaryFolder folder, Action<JsonNode> change)
    {
        var json = JsonNode.Parse(File.ReadAllText(folder.At("config.json")))!;
        change(json);
        File.WriteAllText(folder.At("config.json"), json.ToJsonString());
    }
}

/// <summary>Checkpoints in two shards: whole ones are read, others refused with shard and tensor.</summary>
[Collection("torch")]
public class ShardedFolderTests
{
    const string First = "model-00001-of-00002.safetensors",
        Second = "model-00002-of-00002.safetensors",
        Index = "model.safetensors.index.json";
    const string Norm = "model.norm.weight",
        Embedding = "model.embed_tokens.weight";

    [Fact]
    public void Shards_are_one_model_and_a_single_file_goes_before_an_index()
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using var folder = new TemporaryFolder();
        using var model = TinyModels.Random(TinyModels.Plain);
        Write(folder, model);
        using var sharded = CausalLm.Load(folder.Path);
        var ids = TinyModels.Ids(2, 5);
        TinyModels.AssertClose(TinyModels.Logits(model, ids), TinyModels.Logits(sharded, ids), 0);
        using var other = TinyModels.Random(TinyModels.Plain, seed: 2);
        ModelFolder.Save(folder.Path, other.Config, other.Weights, ScalarType.Float32);
        using var single = CausalLm.Load(folder.Path);
        TinyModels.AssertClose(TinyModels.Logits(other, ids), TinyModels.Logits(single, ids), 0);
    }

    public static TheoryData<string, string, string> Disagreements =>
        new()
        {
            { "names another shard for a tensor", First, $"{Norm}: this shard has no such tensor" },
            { "names a tensor that is nowhere", Second, "model.layers.9.ghost.weight: this shard has no such tensor" },
            { "leaves a tensor out", First, $"{Embedding}: {Index} does not name this tensor" },
            { "names a missing shard", "model-3.safetensors", $"is missing; {Index} names it" },
            { "names a file elsewhere", Index, "../model.safetensors: a shard must lie beside the index" },
            { "names nothing", Index, $"{Norm}: names no file" },
            { "names a number", Index, $"{Norm}: names no file" },
            { "has no map", Index, "weight_map: is missing" },
            { "has an empty map", Index, "weight_map: names no tensor" },
            { "is cut off", Index, "no valid JSON" },
            { "is a pointer of git's", Index, "is a Git LFS pointer" },
        };

    [Theory]
    [MemberData(nameof(Disagreements))]
    public void An_index_that_does_not_fit_its_shards_is_refused(string what, string file, string expected)
    {
        using var folder = new TemporaryFolder();
        using var model = TinyModels.Random(TinyModels.Plain);
        var map = Write(folder, model);
        Action? damage = what switch
        {
            "names another shard for a tensor" => () => map[Norm] = First,
            "names a tensor that is nowhere" => () => map["model.layers.9.ghost.weight"] = Second,
            "leaves a tensor out" => () => map.Remove(Embedding),
            "names a missing shard" => () => map[Norm] = "model-3.safetensors",
            "names a file elsewhere" => () => map[Norm] = "../model.safetensors",
            "names nothing" => () => map[Norm] = "",
            "names a number" => () => map[Norm] = 2,
            "has an empty map" => map.Clear,
            _ => null,
        };
        damage?.Invoke();
        var text = new JsonObject { [what == "has no map" ? "other" : "weight_map"] = map }.ToJsonString();
        File.WriteAllText(
            folder.At(Index),
            what == "is cut off" ? text[..^9]
                : what == "is a pointer of git's" ? "version https://git-lfs.github.com/spec/v1\n"
                : text
        );
        var error = Assert.Throws<ModelFileException>(() => CausalLm.Load(folder.Path));
        Assert.Equal(folder.At(file), error.File);
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_tensor_in_two_shards_is_refused()
    {
        using var folder = new TemporaryFolder();
        using var model = TinyModels.Random(TinyModels.Plain);
        Write(folder, model, inBoth: Norm);
        var error = Assert.Throws<ModelFileException>(() => CausalLm.Load(folder.Path));
        Assert.Equal((folder.At(Second), Norm), (error.File, error.Part));
        Assert.Contains("occurs twice in the checkpoint", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_shard_that_was_cut_off_is_refused_with_its_first_missing_tensor()
    {
        using var folder = new TemporaryFolder();
        using var model = TinyModels.Random(TinyModels.Plain);
        Write(folder, model);
        using (var shard = File.OpenWrite(folder.At(Second)))
        {
            shard.SetLength(shard.Length - 4);
        }

        var error = Assert.Throws<ModelFileException>(() => CausalLm.Load(folder.Path));
        Assert.Equal(folder.At(Second), error.File);
        Assert.Contains("it is truncated", error.Message, StringComparison.Ordinal);
    }

    /// <summary>Writes the model in two shards and an index, whose map is returned.</summary>
    static JsonObject Write(TemporaryFolder folder, CausalLm model, string? inBoth = null)
    {
        ModelFolder.Save(folder.Path, model.Config, model.Weights, ScalarType.Float32);
        File.Delete(folder.At("model.safetensors"));
        var names = model.Weights.Names;
        var map = new JsonObject();
        foreach (var (file, part) in new[] { (First, names.Take(5)), (Second, names.Skip(5)) })
        {
            SafetensorsWriter.Write(
                folder.At(file),
                part.Append(inBoth).OfType<string>().Distinct().ToDictionary(name => name, name => model.Weights[name])
            );
            foreach (var name in part)
            {
                map[name] = file;
            }
        }
        File.WriteAllText(folder.At(Index), new JsonObject { ["weight_map"] = map }.ToJsonString());
        return new JsonObject(map.Select(entry => KeyValuePair.Create(entry.Key, entry.Value?.DeepClone())));
    }
}
