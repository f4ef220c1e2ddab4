using CoPe.Adapters;
using CoPe.Decoding;
using CoPe.Modeling;
using CoPe.Scoring;
using CoPe.Testing;
using static TorchSharp.torch;

namespace CoPe.Tests.Adapters;

/// <summary>Adapters that have an embedding or a head of their own (PEFT's modules_to_save).</summary>
[Collection("torch")]
public sealed class SavedModulesTests
{
    public static TheoryData<bool, string, bool> Kinds =>
        new()
        {
            { false, "embed_tokens", false },
            { false, "lm_head", false },
            { false, "embed_tokens lm_head", false },
            { true, "embed_tokens", false },
            { true, "lm_head", false },
            { true, "embed_tokens lm_head", false },
            { true, "lm_head", true },
        };

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Each_row_s_logits_are_those_of_a_model_with_these_weights(bool isTied, string names, bool ensuresTying)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using var model = CreateModel(isTied);
        using var bank = Create(model, names, ensuresTying, 2);
        var ids = TinyModels.Ids(4, 6);
        using var rows = AdapterRows.ForRows(bank, [1, -1, 0, 0]);
        var logits = Logits(model, ids, rows);
        foreach (var (row, index) in new[] { (0, 1), (1, -1), (2, 0), (3, 0) })
        {
            using var expected = CreateModel(isTied: false);
            Replace(expected, WeightLayout.EmbeddingLayer, WeightLayout.Embedding);
            Replace(expected, WeightLayout.HeadLayer, WeightLayout.Head);
            if (index >= 0)
            {
                using var factors = bank.Extract(index);
                AdapterMerge.MergeInto(expected, WithoutSaved(factors));
            }

            TinyModels.AssertClose(TinyModels.Logits(expected, ids)[row], logits[row], 1e-4);

            void Replace(CausalLm of, string layer, string weight)
            {
                var own = index < 0 ? null : bank.Saved!.Find(layer)?[index];
                var source = weight == WeightLayout.Head && isTied ? WeightLayout.Embedding : weight;
                of.Weights[weight].copy_(own ?? model.Weights[source]);
            }
        }
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Merged_in_memory_and_on_disk_they_act_as_beside_the_model(bool isTied, string names, bool ensuresTying)
    {
        using var folder = new TemporaryFolder();
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using var model = TinyModels.Random(TinyModels.Plain with { TiedHead = isTied });
        ModelFolder.Save(folder.Path, model.Config, model.Weights, ScalarType.Float32);
        using var bank = Create(model, names, ensuresTying, 1);
        var ids = TinyModels.Ids(2, 6);
        using var rows = AdapterRows.All(bank);
        var expected = Logits(model, ids, rows);

        AdapterMerge.WriteModelFolder(folder.Path, [bank], folder.At("merged"));
        using var written = CausalLm.Load(folder.At("merged"));
        Assert.Equal(isTied && ensuresTying, written.Config.TiedHead);
        TinyModels.AssertClose(expected, TinyModels.Logits(written, ids), 1e-4);

        AdapterMerge.MergeInto(model, bank);
        Assert.Equal(isTied && ensuresTying, model.Config.TiedHead);
        TinyModels.AssertClose(expected, TinyModels.Logits(model, ids), 1e-4);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void A_user_s_stand_in_place_of_the_task_s_and_begin_as_them(bool isTied, string names, bool ensuresTying)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using var model = CreateModel(isTied);
        using var task = Create(model, names, ensuresTying, 1);
        var ids = TinyModels.Ids(2, 6);
        using var taskRows = AdapterRows.All(task);
        var expected = Logits(model, ids, taskRows);

        using var begun = AdapterBank.Create(model, task.Config, [4], task);
        using var begunRows = AdapterRows.All(task).With(AdapterRows.All(begun));
        TinyModels.AssertClose(expected, Logits(model, ids, begunRows), 1e-5);

        using var other = Create(model, names, ensuresTying, 1, seed: 9);
        using var both = AdapterRows.All(WithoutSaved(task)).With(AdapterRows.All(other));
        using var replaced = AdapterRows.All(task).With(AdapterRows.All(other));
        TinyModels.AssertClose(Logits(model, ids, both), Logits(model, ids, replaced), 1e-5);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Answers_and_scores_are_those_of_full_passes(bool isTied, string names, bool ensuresTying)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using var model = CreateModel(isTied);
        using var task = Create(model, names, ensuresTying, 1);
        using var users = Create(model, names, ensuresTying, 2, seed: 9);
        DecodingRequest[] requests =
        [
            .. Enumerable
                .Range(0, 4)
                .Select(i => new DecodingRequest
                {
                    Id = $"{i}",
                    Prompt = [3, 7, 5 + i],
                    Expert = i % 2 == 0 ? AdapterSelection.TaskAndUser(i / 2) : AdapterSelection.Task,
                    Options = new DecodingOptions { MaxNewTokens = 6 },
                }),
        ];
        var answers = new DecodingEngine(model, task, users, []).InOrder(requests);
        foreach (var (request, answer) in requests.Zip(answers))
        {
            long[] text = [.. request.Prompt.Concat(answer.Ids).Select(id => (long)id)];
            using var rows = Select(request.Expert);
            var logits = Logits(model, tensor(text).unsqueeze(0), rows)[0].narrow(0, 2, 6);
            Assert.Equal(answer.Ids.Select(id => (long)id), logits.argmax(-1).data<long>().ToArray());

            var item = new ScoringItem(request.Id, request.Prompt, [answer.Ids], [request.Expert]);
            var found = new SequenceScorer(model, task, users).Scores([item]).Single().LogProbs;
            var expected = logits.log_softmax(-1).amax(-1).data<float>().ToArray();
            Assert.All(expected.Zip(found), pair => Assert.Equal(pair.First, pair.Second, 1e-4));
        }

        AdapterRows Select(AdapterSelection selection)
        {
            var lower = AdapterRows.All(task);
            return selection.User is { } user ? lower.With(AdapterRows.All(users, user)) : lower;
        }
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Gradients_of_packed_responses_equal_finite_differences(bool isTied, string names, bool ensuresTying)
    {
        using var scope = NewDisposeScope();
        using var model = CreateModel(isTied);
        using var bank = Create(model, names, ensuresTying, 2);
        PackedGradients.AssertEqualFiniteDifferences(model, bank);
    }

    [Fact]
    public void In_bf16_a_pass_sees_the_weights_as_they_are_now()
    {
        using var folder = new TemporaryFolder();
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using var wide = TinyModels.Random(TinyModels.Plain with { TiedHead = false });
        ModelFolder.Save(folder.Path, wide.Config, wide.Weights, ScalarType.BFloat16);
        using var model = CausalLm.Load(folder.Path);
        using var bank = Create(model, "embed_tokens lm_head", ensuresTying: false, 1);
        using var other = Create(model, "embed_tokens lm_head", ensuresTying: false, 1, seed: 9);
        var ids = TinyModels.Ids(2, 6);
        using var rows = AdapterRows.All(bank);
        var before = Logits(model, ids, rows);
        TinyModels.AssertClose(before, Logits(model, ids, rows), 0);
        bank.CopyFrom(other);
        using var otherRows = AdapterRows.All(other);
        var after = Logits(model, ids, rows);
        TinyModels.AssertClose(Logits(model, ids, otherRows), after, 0);
        Assert.True(GoldenTensors.Difference(before, after) > 0.1);
    }

    [Theory]
    [InlineData("embed_tokens", true, false, "ensure_weight_tying is on, but the model's head is not its embedding")]
    [InlineData("", true, true, "ensure_weight_tying is on, but modules_to_save is empty")]
    [InlineData("norm", false, true, "saves the module 'norm'; supported: embed_tokens, lm_head")]
    [InlineData("q_proj", false, true, "saves the module 'q_proj'")]
    public void What_cannot_be_saved_is_refused_by_name(string names, bool ensuresTying, bool isTied, string expected)
    {
        using var model = CreateModel(isTied);
        var lora = Lora(names, ensuresTying);
        var error = Assert.Throws<ArgumentException>(() => AdapterBank.Create(model, lora, [1]));
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_module_is_adapted_or_saved_and_begins_as_the_model_s()
    {
        using var model = CreateModel(isTied: true);
        var both = Lora("lm_head", false) with { TargetModules = ["q_proj", "lm_head"] };
        Assert.Throws<ArgumentException>(() => AdapterBank.Create(model, both, [1]));
        Assert.Throws<ArgumentException>(() => AdapterBank.Create(model.Config, Lora("lm_head", false), [1]));
        var lora = Lora("lm_head", false) with { Active = ActivePositions.Answer, InvocationTokens = [3] };
        Assert.Throws<ArgumentException>(() => AdapterBank.Create(model, lora, [1]));

        using var scope = NewDisposeScope();
        using var bank = AdapterBank.Create(model, Lora("lm_head", false), [1, 2]);
        Assert.Equal(bank.Parameters().Sum(one => one.numel()), 2 * bank.Config.CountParameters(model.Config));
        TinyModels.AssertClose(model.Weights[WeightLayout.Embedding], bank.Saved!.Head![1], 0);
    }

    static LoraConfig Lora(string names, bool ensuresTying) =>
        new()
        {
            Rank = 3,
            Alpha = 1,
            TargetModules = ["q_proj", "down_proj"],
            ModulesToSave = names.Length == 0 ? null : names.Split(' '),
            EnsureWeightTying = ensuresTying,
            Dropout = 0,
        };

    static CausalLm CreateModel(bool isTied) => TinyModels.Random(TinyModels.Everything with { TiedHead = isTied });

    /// <summary>Adapters all of whose weights are random.</summary>
    internal static AdapterBank Create(CausalLm model, string names, bool ensuresTying, int count, ulong seed = 8)
    {
        var bank = AdapterBank.Create(
            model,
            Lora(names, ensuresTying),
            [.. Enumerable.Range(0, count).Select(i => (long)seed + i)]
        );
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        using var generator = new Generator(seed, CPU);
        foreach (var parameter in bank.Parameters())
        {
            parameter.add_(randn(parameter.shape, generator: generator), 0.3);
        }

        return bank;
    }

    /// <summary>The factors alone, which stay those of the bank given.</summary>
    static AdapterBank WithoutSaved(AdapterBank bank) =>
        AdapterBank.Build(
            [bank.Config with { ModulesToSave = null, EnsureWeightTying = false }],
            bank.LayerNames,
            name => new LoraPair(bank.Pairs[name].A.alias(), bank.Pairs[name].B.alias()),
            () => null
        );

    static Tensor Logits(CausalLm model, Tensor ids, AdapterRows rows)
    {
        using var batch = new TokenBatch(ids.clone());
        return model.ComputeLogits(model.Forward(batch, rows), rows);
    }
}
