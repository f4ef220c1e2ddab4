using CoPe.Modeling;
using CoPe.Modeling.Safetensors;
using CoPe.Testing;
using static TorchSharp.torch;

namespace CoPe.Tests.Modeling;

/// <summary>What fails half-way leaves no tensor, no file handle and no mapping behind.</summary>
[Collection("torch")]
public class ModelLeakTests
{
    [Fact]
    public void Loading_onto_another_device_leaves_nothing_mapped()
    {
        using var folder = new TemporaryFolder();
        using (var model = TinyModels.Random(TinyModels.Plain))
        {
            ModelFolder.Save(folder.Path, model.Config, model.Weights, ScalarType.Float32);
        }

        var (tensors, mappings) = (TensorCount.AfterGarbageCollection(), MappedFile.OpenCount);

        using (var model = CausalLm.Load(folder.Path, device: META))
        {
            Assert.Equal(TorchSharp.DeviceType.META, model.Device.type);
            Assert.Equal(mappings, MappedFile.OpenCount);
        }

        Assert.Equal((tensors, mappings), (Tensor.TotalCount, MappedFile.OpenCount));
    }

    [Fact]
    public void A_model_without_an_embedding_leaks_nothing()
    {
        var before = TensorCount.AfterGarbageCollection();
        using (var weights = new ModelWeights(TinyModels.Plain, []))
        {
            Assert.Throws<KeyNotFoundException>(() => new CausalLm(TinyModels.Plain, weights));
        }

        Assert.Equal(before, Tensor.TotalCount);
    }

    [Fact]
    public void Replacing_a_weight_that_is_not_there_replaces_none()
    {
        using var model = TinyModels.Random(TinyModels.Plain);
        using var replacement = zeros(1);
        var name = model.Weights.Names[0];
        var original = model.Weights[name];

        Assert.Throws<KeyNotFoundException>(() =>
            model.Weights.Replace(
                new Dictionary<string, Tensor> { [name] = replacement, ["no such weight"] = replacement }
            )
        );

        Assert.Same(original, model.Weights[name]);
        Assert.False(original.IsInvalid);
    }

    [Fact]
    public void A_batch_outside_of_a_dispose_scope_leaks_nothing()
    {
        var before = TensorCount.AfterGarbageCollection();

        using (var counted = new TokenBatch(TinyModels.Ids(2, 5)))
        {
            Assert.Equal([2, 5], counted.Positions.shape);
        }

        using (var ids = TinyModels.Ids(2, 5))
        {
            Assert.Throws<ArgumentException>(() => new TokenBatch(ids, new long[9]));
            Assert.Throws<ArgumentException>(() =>
                new TokenBatch(
                    ids,
                    outputColumns:
                    [
                        [0],
                        [5],
                    ]
                )
            );
        }

        Assert.Equal(before, Tensor.TotalCount);
    }
}
