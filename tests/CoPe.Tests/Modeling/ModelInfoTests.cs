using CoPe.Adapters;
using CoPe.Modeling;
using CoPe.Modeling.Safetensors;
using CoPe.Testing;
using static TorchSharp.torch;

namespace CoPe.Tests.Modeling;

[Collection("torch")]
public class ModelInfoTests
{
    [Fact]
    public void Sizes_are_those_worked_by_hand()
    {
        using var folder = new TemporaryFolder();
        using var model = TinyModels.Random(TinyModels.Plain);
        ModelFolder.Save(folder.Path, model.Config, model.Weights, ScalarType.BFloat16);
        folder.Write("LICENSE.txt", "free");
        var info = ModelInfo.Read(folder.Path);
        // Embedding 40 * 16; each of 2 layers: q and o 16 * 24, k and v 16 * 12, three of 16 * 24, two norms of 16;
        // last norm 16.
        Assert.Equal(640 + 2 * (2 * 384 + 2 * 192 + 3 * 384 + 32) + 16, info.ParameterCount);
        Assert.Equal(new FileInfo(folder.At("model.safetensors")).Length, info.WeightFileBytes);
        Assert.Equal([ScalarType.BFloat16], info.Dtypes.Keys);
        Assert.Equal("LICENSE.txt", Path.GetFileName(info.LicenseFile));
        // q: 2 * (16 + 24), v: 2 * (16 + 12), in 2 layers.
        Assert.Equal(2 * (80 + 56), new LoraConfig { Rank = 2 }.CountParameters(info.Config));
        Assert.Equal(2 * 2 * 2 * 6 * 2, info.CacheBytesPerToken(ScalarType.BFloat16));
        Assert.Equal(2 * info.ParameterCount + 3 * (10 * 96 + 160), info.DecodingBytes(3, 10, ScalarType.BFloat16));
    }

    [Fact]
    public void Weights_of_the_checkpoints_type_stay_in_the_file_and_others_are_copied_once()
    {
        using var folder = new TemporaryFolder();
        using (var model = TinyModels.Random(TinyModels.Plain))
        {
            ModelFolder.Save(folder.Path, model.Config, model.Weights, ScalarType.BFloat16);
        }

        var before = MappedFile.OpenCount;
        using (var mapped = CausalLm.Load(folder.Path))
        {
            Assert.Equal(ScalarType.BFloat16, mapped.Dtype);
            Assert.Equal(before + 1, MappedFile.OpenCount);
        }
        Assert.Equal(before, MappedFile.OpenCount);
        using var copied = CausalLm.Load(folder.Path, ScalarType.Float32);
        Assert.Equal(before, MappedFile.OpenCount);
    }
}
