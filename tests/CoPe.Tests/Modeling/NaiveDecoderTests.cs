using System.Text.Json.Nodes;
using CoPe.Modeling;
using CoPe.Modeling.Safetensors;
using CoPe.Testing;
using static TorchSharp.torch;

namespace CoPe.Tests.Modeling;

/// <summary>
/// Families and settings of which no golden file exists, against <see cref="NaiveDecoder"/>, which is itself held
/// against the golden files.
/// </summary>
[Collection("torch")]
public class NaiveDecoderTests(ITestOutputHelper output)
{
    const double Tolerance = 1e-4;
    const int Vocab = 50;

    public static TheoryData<string> Names => [.. NaiveCases.All.Keys];

    public static TheoryData<string> Goldens => [.. GoldenFolders.Entries("forward", "*.safetensors")];

    [Theory]
    [MemberData(nameof(Goldens))]
    public void The_naive_decoder_has_the_golden_logits(string file)
    {
        using var scope = NewDisposeScope();
        var naive = new NaiveDecoder(ForwardGoldenTests.ModelOf(file));
        var golden = new GoldenTensors(file);
        var expected = golden["logits"];
        var ids = golden["ids"].to(ScalarType.Int64);
        for (var row = 0; row < ids.shape[0]; row++)
        {
            AssertClose(naive.Logits(ids[row].data<long>().ToArray()), expected[row], $"{file} row {row}");
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Passes_with_any_padding_equal_the_definition(string name)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using var folder = new TemporaryFolder();
        using var model = Write(folder, NaiveCases.All[name]);
        var naive = new NaiveDecoder(folder.Path);
        var ids = Ids(2, 21);
        AssertClose(naive, ids, ForwardGoldenTests.Logits(model, ids), name);
        // Seven pads on the left of the second row: numbered as they stand, or from the first real token on.
        var mask = ones([2, 21], dtype: ScalarType.Int64);
        mask[1, ..7] = 0;
        AssertClose(naive, ids, ForwardGoldenTests.Logits(model, ids, mask: mask), name, mask: mask);
        var positions = mask.cumsum(1).sub(1).clamp_min(0);
        AssertClose(naive, ids, ForwardGoldenTests.Logits(model, ids, positions, mask), name, positions, mask);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Steps_over_the_cache_equal_the_definition_far_past_the_window(string name)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using var folder = new TemporaryFolder();
        using var model = Write(folder, NaiveCases.All[name]);
        var naive = new NaiveDecoder(folder.Path);
        var ids = Ids(2, 24);
        // The second row is three tokens behind the first, as rows of different prompts are.
        long[] lengths = [9, 6];
        using var cache = new KvCache(model, 2, 24);
        for (var row = 0; row < 2; row++)
        {
            using var prompt = new TokenBatch(ids.narrow(0, row, 1).narrow(1, 0, lengths[row]).clone());
            model.Forward(prompt, null, cache.Slice(row, 1, (int)lengths[row])).Dispose();
        }
        var expected = Enumerable.Range(0, 2).Select(row => naive.Logits(ids[row].data<long>().ToArray())).ToList();
        for (; lengths[0] < 24; lengths[0]++, lengths[1]++)
        {
            var next = stack([ids[0, lengths[0]], ids[1, lengths[1]]]).unsqueeze(1);
            using var batch = new TokenBatch(next, tensor(lengths).unsqueeze(1));
            var logits = model.ComputeLogits(model.Forward(batch, null, cache.Slice(0, 2, (int)lengths.Max() + 1)));
            for (var row = 0; row < 2; row++)
            {
                AssertClose([expected[row][lengths[row]]], logits[row], $"{name}, row {row}, position {lengths[row]}");
            }
        }
    }

    [Theory]
    [InlineData(ScalarType.BFloat16, 0.4)]
    [InlineData(ScalarType.Float16, 0.05)]
    public void Checkpoints_of_two_bytes_a_number_compute_in_their_own_type(ScalarType dtype, double tolerance)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        foreach (var name in NaiveCases.All.Keys)
        {
            using var folder = new TemporaryFolder();
            using (var wide = Write(folder, NaiveCases.All[name]))
            {
                ModelFolder.Save(folder.Path, wide.Config, wide.Weights, dtype);
            }

            using var model = CausalLm.Load(folder.Path);
            Assert.Equal(dtype, model.Dtype);
            AssertClose(
                new NaiveDecoder(folder.Path),
                Ids(2, 21),
                ForwardGoldenTests.Logits(model, Ids(2, 21)),
                name,
                tolerance: tolerance
            );
        }
    }

    static CausalLm Write(TemporaryFolder folder, string keys)
    {
        var config = JsonNode.Parse($"{{{keys}}}")!.AsObject();
        var isWrapped = config["text_config"] is JsonObject;
        var decoder = isWrapped ? config["text_config"]!.AsObject() : config;
        foreach (var (key, value) in JsonNode.Parse($"{{{NaiveCases.Sizes}}}")!.AsObject())
        {
            decoder.TryAdd(key, value?.DeepClone());
        }

        File.WriteAllText(folder.At("config.json"), config.ToJsonString());
        using var random = TinyModels.Random(DecoderConfig.Read(folder.Path));
        SafetensorsWriter.Write(
            folder.At("model.safetensors"),
            random.Weights.Names.ToDictionary(
                name => isWrapped ? $"language_model.{name}" : name,
                name => random.Weights[name]
            )
        );
        return CausalLm.Load(folder.Path);
    }

    static Tensor Ids(int rows, int seq)
    {
        using var generator = new Generator(4, CPU);
        return randint(0, Vocab, [rows, seq], dtype: ScalarType.Int64, generator: generator);
    }

    void AssertClose(
        NaiveDecoder naive,
        Tensor ids,
        Tensor logits,
        string what,
        Tensor? positions = null,
        Tensor? mask = null,
        double tolerance = Tolerance
    )
    {
        for (var row = 0; row < ids.shape[0]; row++)
        {
            var seen = mask?[row].data<long>().Select(m => m == 1).ToArray();
            var expected = naive.Logits(ids[row].data<long>().ToArray(), positions?[row].data<long>().ToArray(), seen);
            var first = seen is null ? 0 : Array.IndexOf(seen, true);
            AssertClose(
                expected[first..],
                logits[row].narrow(0, first, ids.shape[1] - first),
                $"{what}, row {row}",
                tolerance
            );
        }
    }

    void AssertClose(double[][] expected, Tensor actual, string what, double tolerance = Tolerance)
    {
        var found = actual.to(ScalarType.Float64).flatten().data<double>().ToArray();
        var worst = expected.SelectMany(row => row).Zip(found, (e, f) => Math.Abs(e - f)).Max();
        output.WriteLine($"{what}: {worst:e2}");
        Assert.Equal(found.Length, expected.Sum(row => row.Length));
        Assert.True(worst <= tolerance, $"{what}: logits differ by {worst:e2}, allowed {tolerance:e0}.");
    }
}
