using System.Text.Json.Nodes;
using CoPe.Modeling;
using CoPe.Modeling.Safetensors;
using static TorchSharp.torch;

namespace CoPe.Tests.Modeling;

/// <summary>Checkpoints in two shards: whole ones are read, others refused with shard and tensor.</summary>
[Collection("torch")]
public class ShardedFolderTests
{
    const string First = "model-00001-of-00002.safetensors", Second = "model-00002-of-00002.safetensors", Index = "model.safetensors.index.json";
    const string Norm = "model.norm.weight", Embedding = "model.embed_tokens.weight";

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

    public static TheoryData<string, string, string> Disagreements => new()
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
        { "is cut off", Index, "is no valid JSON" },
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
        File.WriteAllText(folder.At(Index), what == "is cut off" ? text[..^9] : what == "is a pointer of git's" ? "version https://git-lfs.github.com/spec/v1\n" : text);
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
        using (var shard = File.OpenWrite(folder.At(Second))) shard.SetLength(shard.Length - 4);
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
            SafetensorsWriter.Write(folder.At(file), part.Append(inBoth).OfType<string>().Distinct().ToDictionary(name => name, name => model.Weights[name]));
            foreach (var name in part) map[name] = file;
        }
        File.WriteAllText(folder.At(Index), new JsonObject { ["weight_map"] = map }.ToJsonString());
        return new JsonObject(map.Select(entry => KeyValuePair.Create(entry.Key, entry.Value?.DeepClone())));
    }
}
