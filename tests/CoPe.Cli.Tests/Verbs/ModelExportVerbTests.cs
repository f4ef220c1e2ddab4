using CoPe.Adapters;
using CoPe.Gguf;
using CoPe.Modeling;
using CoPe.Testing;
using CoPe.Tokens.Training;
using static TorchSharp.torch;

namespace CoPe.Cli.Tests.Verbs;

/// <summary>GGUF files as the command writes and reads them.</summary>
[Collection("torch")]
public sealed class ModelExportVerbTests : IDisposable
{
    static readonly DecoderConfig Config = TinyModels.Plain with
    {
        VocabSize = 276,
        HiddenSize = 64,
        IntermediateSize = 96,
        HeadDim = 16,
    };

    readonly InProcessCommand _cope = new();

    public ModelExportVerbTests()
    {
        using var model = TinyModels.Random(Config);
        ModelFolder.Save(_cope.At("tiny"), model.Config, model.Weights, ScalarType.Float32);
        BpeTrainer
            .Train(["the red sky and the blue sky, then the rain"], new() { VocabularySize = 276 })
            .Save(_cope.At("tiny"));
        using var bank = TinyModels.Adapters(Config, 1);
        AdapterFile.Write(_cope.At("adapter"), bank, 0, "tiny");
        var answer = bank.Config with { Active = ActivePositions.Answer, InvocationTokens = [5, 6] };
        using var answerOnly = TinyModels.Adapters(Config, 1, answer);
        AdapterFile.Write(_cope.At("answer"), answerOnly, 0, "tiny");
    }

    public void Dispose() => _cope.Dispose();

    [Fact]
    public void A_model_with_an_adapter_merged_is_the_folder_that_merge_writes()
    {
        Assert.Equal(0, _cope.Run("model", "merge", "tiny", "adapter", "--output", "merged"));
        Assert.Equal(0, _cope.Run("model", "export", "tiny", "adapter", "--gguf", "merged.gguf", "--type", "f32"));
        using var scope = NewDisposeScope();
        using var folder = CausalLm.Load(_cope.At("merged"));
        using var file = CausalLm.Load(_cope.At("merged.gguf"));
        Assert.All(
            folder.Weights.Names,
            name => Assert.Equal(0, GoldenTensors.Difference(folder.Weights[name], file.Weights[name]))
        );
    }

    [Fact]
    public void A_file_is_scored_described_quantized_and_merged_like_the_folder_it_was_made_of()
    {
        Assert.Equal(0, _cope.Run("model", "export", "tiny", "--gguf", "tiny.gguf", "--type", "f32"));
        Assert.Equal(0, _cope.Run("score", "the red sky", "--model", "tiny"));
        var scored = _cope.Output;
        Assert.Equal(0, _cope.Run("score", "the red sky", "--model", "tiny.gguf"));
        Assert.Equal(scored, _cope.Output);
        Assert.Equal(0, _cope.Run("model", "info", "tiny.gguf"));
        Assert.Contains("tensors in F32", _cope.Output, StringComparison.Ordinal);
        Assert.Equal(0, _cope.Run("model", "quantize", "tiny.gguf", "--to", "int8", "--output", "int8"));
        Assert.Equal(0, _cope.Run("score", "the red sky", "--model", "int8"));
        Assert.Equal(0, _cope.Run("model", "merge", "tiny.gguf", "adapter", "--output", "from-file"));
        Assert.Equal(0, _cope.Run("score", "the red sky", "--model", "from-file"));
    }

    [Fact]
    public void Adapters_alone_have_llama_cpps_names_and_give_the_same_product()
    {
        Assert.Equal(
            0,
            _cope.Run("model", "export", "tiny", "adapter", "adapter", "--gguf", "a.gguf", "--adapter-only")
        );
        var file = GgufFile.Open(_cope.At("a.gguf"));
        Assert.Equal("adapter", file.GetString("general.type"));
        Assert.Equal("lora", file.GetString("adapter.type"));
        var names = file.Tensors.Select(one => one.Name).ToList();
        Assert.Contains("blk.0.attn_q.weight.lora_a", names);
        Assert.Contains("blk.1.ffn_down.weight.lora_b", names);

        using var scope = NewDisposeScope();
        using var bank = AdapterFile.Read(_cope.At("adapter"), Config);
        const string Layer = "model.layers.0.mlp.down_proj";
        var pair = bank.Pairs[Layer];
        var expected = pair.B[0].matmul(pair.A[0]) * (float)(2 * bank.GetScaling(Layer));
        var (a, b) = (
            ReadTensor(file, "blk.0.ffn_down.weight.lora_a"),
            ReadTensor(file, "blk.0.ffn_down.weight.lora_b")
        );
        var scale = file.GetNumber("adapter.lora.alpha")!.Value / b.shape[1];
        Assert.InRange(GoldenTensors.Difference(expected, b.matmul(a) * (float)scale), 0, 1e-4);
    }

    [Fact]
    public void An_adapter_of_the_answer_alone_says_from_which_tokens_on()
    {
        Assert.Equal(0, _cope.Run("model", "export", "tiny", "answer", "--gguf", "a.gguf", "--adapter-only"));
        Assert.Equal([5, 6], GgufFile.Open(_cope.At("a.gguf")).GetNumbers("adapter.alora.invocation_tokens")!);
        Assert.NotEqual(0, _cope.Run("model", "export", "tiny", "answer", "--gguf", "b.gguf"));
        Assert.NotEqual(
            0,
            _cope.Run("model", "export", "tiny", "adapter", "answer", "--gguf", "b.gguf", "--adapter-only")
        );
        Assert.False(File.Exists(_cope.At("b.gguf")));
    }

    [Theory]
    [InlineData("model", "export", "tiny", "--gguf", "x.gguf", "--adapter-only")]
    [InlineData("model", "export", "tiny", "--gguf", "x.gguf", "--type", "q4_k")]
    [InlineData("model", "export", "tiny", "--gguf", "tiny/config.json")]
    [InlineData("model", "info", "missing.gguf")]
    [InlineData("score", "x", "--model", "tiny/config.json")]
    public void What_cannot_be_done_is_refused(params string[] arguments) => Assert.NotEqual(0, _cope.Run(arguments));

    static Tensor ReadTensor(GgufFile file, string name)
    {
        var found = file.Tensors.Single(one => one.Name == name);
        var bytes = File.ReadAllBytes(file.Path).AsSpan((int)found.Offset, (int)found.Bytes);
        return tensor(System.Runtime.InteropServices.MemoryMarshal.Cast<byte, float>(bytes).ToArray())
            .view([.. found.Shape]);
    }
}
