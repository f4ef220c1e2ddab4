using CoPe.Adapters;
using CoPe.Decoding;
using CoPe.Modeling;
using CoPe.Scoring;
using CoPe.Testing;
using static TorchSharp.torch;

namespace CoPe.Tests.Modeling;

/// <summary>
/// What every golden model must do beside its forward pass, with adapters on all of its own linear layers.
/// </summary>
[Collection("torch")]
public sealed class ModelFamilyTests : IDisposable
{
    static readonly LoraConfig Lora = new()
    {
        Rank = 3,
        Alpha = 0.3,
        TargetModules = ["all-linear"],
        Dropout = 0,
    };

    readonly TemporaryFolder _folder = new();

    public static TheoryData<string> Models => [.. GoldenFolders.Entries("models", "*")];

    public void Dispose() => _folder.Dispose();

    [Theory]
    [MemberData(nameof(Models))]
    public void Cached_steps_equal_the_full_pass(string folder)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using var model = CausalLm.Load(folder, ScalarType.Float32);
        TinyModels.AssertClose(FullPass(model), CachedSteps(model), 2e-4);
    }

    [Theory]
    [MemberData(nameof(Models))]
    public void The_kernels_of_a_step_round_no_more_than_the_full_pass(string folder)
    {
        using var scope = NewDisposeScope();
        using var mode = inference_mode();
        using var exact = CausalLm.Load(folder, ScalarType.Float32);
        using var model = CausalLm.Load(folder, ScalarType.BFloat16);
        var expected = FullPass(exact);
        var (full, steps) = (Distance(expected, FullPass(model)), Distance(expected, CachedSteps(model)));
        Assert.True(steps <= 1.5 * full + 0.01, $"{folder}: steps are off by {steps:f3}, the full pass by {full:f3}.");
    }

    [Theory]
    [MemberData(nameof(Models))]
    public void Rounded_weights_are_near_the_exact_ones(string folder)
    {
        using var scope = NewDisposeScope();
        using var mode = inference_mode();
        using var exact = CausalLm.Load(folder, ScalarType.Float32);
        var expected = FullPass(exact);
        foreach (var (dtype, most) in new[] { (QuantizedDtype.Int8, .1), (QuantizedDtype.Q4, .5) })
        {
            using var rounded = CausalLm.LoadQuantized(folder, dtype);
            Assert.InRange(Distance(expected, FullPass(rounded)), 1e-4, most);
            Assert.InRange(Distance(expected, CachedSteps(rounded)), 1e-4, most);
        }
    }

    [Theory]
    [MemberData(nameof(Models))]
    public void Gradients_of_adapters_on_every_layer_equal_finite_differences(string folder)
    {
        using var scope = NewDisposeScope();
        using var model = CausalLm.Load(folder, ScalarType.Float32);
        using var bank = TinyModels.Adapters(model.Config, 1, Lora);
        bank.RequireGrad(true);
        using var rows = AdapterRows.All(bank);
        Loss().backward();
        Assert.All(bank.Parameters(), factor => Assert.NotEqual(0, factor.grad!.norm().item<float>()));

        using var noGrad = no_grad();
        var expected = bank.Parameters().Sum(factor => factor.grad!.norm().item<float>());
        const float Step = 1e-2f;
        Move(Step);
        var above = Loss().item<float>();
        Move(-2 * Step);
        var below = Loss().item<float>();
        Assert.Equal(expected, (above - below) / (2 * Step), 0.02 * expected);

        Tensor Loss() => TinyModels.Logits(model, Ids(model, 2, 9), rows).mul(0.05).sin().sum();

        // Along the gradient of each factor, where the loss changes by the gradient's length.
        void Move(float step)
        {
            foreach (var factor in bank.Parameters())
            {
                factor.add_(factor.grad!.div(factor.grad!.norm()), step);
            }
        }
    }

    [Theory]
    [MemberData(nameof(Models))]
    public void Responses_that_share_a_prompt_are_scored_as_alone_in_any_number_type_of_training(string folder)
    {
        using var scope = NewDisposeScope();
        using var model = CausalLm.Load(folder, ScalarType.Float32);
        using var rounded = CausalLm.Load(folder, ScalarType.BFloat16);
        using var bank = TinyModels.Adapters(model.Config, 1, Lora);
        bank.RequireGrad(true); // in bf16 another path
        int[] prompt = [5, 9, 30, 4, 7, 21, 8, 3, 60, 61];
        int[] chosen = [11, 45, 6, 7, 8];
        int[] rejected = [80, 12];
        var shared = LogProbs(model, new BranchedPrompt(prompt, chosen, rejected));
        var alone = cat([
            LogProbs(model, new BranchedPrompt(prompt, chosen)),
            LogProbs(model, new BranchedPrompt(prompt, rejected)),
        ]);
        TinyModels.AssertClose(alone, shared, 1e-4);
        TinyModels.AssertClose(alone, LogProbs(rounded, new BranchedPrompt(prompt, chosen, rejected)), 0.5);

        Tensor LogProbs(CausalLm of, BranchedPrompt row)
        {
            using var batch = new PackedBatch([row], CPU);
            using var rows = AdapterRows.All(bank);
            var logits = of.ComputeLogits(of.Forward(batch.Tokens, rows));
            return logits.log_softmax(-1).gather(1, batch.Labels.unsqueeze(1)).squeeze(1);
        }
    }

    [Theory]
    [MemberData(nameof(Models))]
    public void Adapters_are_written_read_and_merged_under_the_model_s_own_names(string folder)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using var model = CausalLm.Load(folder, ScalarType.Float32);
        using var bank = TinyModels.Adapters(model.Config, 1, Lora);
        AdapterFile.Write(_folder.Path, bank, 0, "base");
        using var read = AdapterFile.Read(_folder.Path, model.Config);
        Assert.Equal(bank.LayerNames, read.LayerNames);
        var ids = Ids(model, 2, 12);
        using var rows = AdapterRows.All(read);
        var expected = TinyModels.Logits(model, ids, rows);

        var output = _folder.At("merged");
        AdapterMerge.WriteModelFolder(folder, [read], output, dtype: ScalarType.Float32);
        using var merged = CausalLm.Load(output);
        TinyModels.AssertClose(expected, TinyModels.Logits(merged, ids), 1e-4);
        AdapterMerge.MergeInto(model, read);
        TinyModels.AssertClose(expected, TinyModels.Logits(model, ids), 1e-4);
    }

    [Theory]
    [MemberData(nameof(Models))]
    public void Its_sizes_are_those_of_its_weights(string folder)
    {
        using var model = CausalLm.Load(folder);
        var info = ModelInfo.Read(folder);
        Assert.Equal(model.Weights.Parameters().Sum(weight => weight.numel()), info.ParameterCount);
        foreach (var dtype in Enum.GetValues<QuantizedDtype>())
        {
            using var rounded = CausalLm.LoadQuantized(folder, dtype);
            var embedding = rounded.Weights[WeightLayout.Embedding];
            var lookedUp = embedding.numel() * embedding.element_size();
            Assert.Equal(rounded.Weights.Bytes - lookedUp, info.QuantizedWeightBytes(dtype));
        }
    }

    [Theory]
    [MemberData(nameof(Models))]
    public void Answers_are_the_same_alone_and_among_others_and_those_of_full_passes(string folder)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using var model = CausalLm.Load(folder, ScalarType.Float32);
        DecodingRequest[] requests =
        [
            .. new (int Prompt, int New)[] { (5, 6), (58, 5), (60, 12), (5, 70) }.Select(
                (size, i) =>
                    new DecodingRequest
                    {
                        Id = $"{i}",
                        Prompt = [.. Enumerable.Range(0, size.Prompt).Select(column => (column * 7 + i) % 100)],
                        Options = new DecodingOptions { MaxNewTokens = size.New },
                    }
            ),
        ];
        using var kept = new PromptCache();
        var engine = new DecodingEngine(model, null, null, [], new EngineOptions { PromptCache = kept });
        var answers = engine.InOrder(requests);
        foreach (var (request, answer) in requests.Zip(answers))
        {
            var alone = new DecodingEngine(model, null, null, []).InOrder([request])[0];
            Assert.Equal(alone.Ids, answer.Ids);
            long[] text = [.. request.Prompt.Concat(answer.Ids).Select(id => (long)id)];
            using var batch = new TokenBatch(tensor(text).unsqueeze(0));
            var chosen = model.ComputeLogits(model.Forward(batch)).argmax(-1).flatten();
            var first = request.Prompt.Count - 1;
            Assert.Equal(
                answer.Ids.Select(id => (long)id),
                chosen.narrow(0, first, answer.Ids.Count).data<long>().ToArray()
            );
        }
    }

    const int Columns = 22;

    static Tensor Ids(CausalLm model, int rows, int columns)
    {
        using var generator = new Generator(4, CPU);
        long[] shape = [rows, columns];
        return randint(3, model.Config.VocabSize, shape, dtype: ScalarType.Int64, generator: generator);
    }

    /// <summary>Logits of the last columns, <c>[2, columns, vocab]</c> float32.</summary>
    static Tensor FullPass(CausalLm model)
    {
        using var bank = TinyModels.Adapters(model.Config, 2, Lora);
        using var adapters = AdapterRows.ForRows(bank, [0, 1]);
        return TinyModels.Logits(model, Ids(model, 2, Columns), adapters).narrow(1, 5, Columns - 5);
    }

    /// <summary>The same, token by token after a prompt.</summary>
    static Tensor CachedSteps(CausalLm model)
    {
        using var bank = TinyModels.Adapters(model.Config, 2, Lora);
        using var adapters = AdapterRows.ForRows(bank, [0, 1]);
        var ids = Ids(model, 2, Columns);
        using var cache = new KvCache(model, 2, Columns);
        using (var prompt = new TokenBatch(ids.narrow(1, 0, 5).clone()))
        {
            model.Prefill(prompt, adapters, cache.Slice(0, 2, 5));
        }

        var steps = new List<Tensor>();
        for (var column = 5; column < Columns; column++)
        {
            using var next = new TokenBatch(ids.narrow(1, column, 1).clone(), [column, column]);
            steps.Add(model.ComputeLogits(model.Forward(next, adapters, cache.Slice(0, 2, column + 1))));
        }

        return cat([.. steps], 1);
    }

    static double Distance(Tensor expected, Tensor actual) =>
        actual.sub(expected).norm().item<float>() / expected.norm().item<float>();
}
