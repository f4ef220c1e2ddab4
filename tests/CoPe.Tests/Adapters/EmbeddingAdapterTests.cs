using System.Text.Json.Nodes;
using CoPe.Adapters;
using CoPe.Decoding;
using CoPe.Modeling;
using CoPe.Modeling.Safetensors;
using CoPe.Scoring;
using CoPe.Testing;
using static TorchSharp.torch;

namespace CoPe.Tests.Adapters;

/// <summary>Adapters of embedding and head, beside those of the layers between.</summary>
[Collection("torch")]
public sealed class EmbeddingAdapterTests : IDisposable
{
    static readonly LoraConfig Lora = new()
    {
        Rank = 3,
        Alpha = 1,
        TargetModules = ["embed_tokens", "q_proj", "lm_head"],
        Dropout = 0,
    };

    readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    static AdapterBank Create(DecoderConfig model, int count)
    {
        var bank = TinyModels.Adapters(model, count, Lora);
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        using var generator = new Generator(8, CPU);
        var embedding = bank.Pairs[WeightLayout.EmbeddingLayer].A;
        embedding.copy_(randn(embedding.shape, generator: generator));
        return bank;
    }

    [Fact]
    public void Each_row_s_logits_are_those_of_the_model_with_its_adapter_merged()
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using var model = TinyModels.Random(TinyModels.Everything);
        using var bank = Create(model.Config, 2);
        var ids = TinyModels.Ids(4, 6);
        using var rows = AdapterRows.ForRows(bank, [1, -1, 0, 0]);
        var logits = Logits(model, ids, rows);
        Assert.Equal([WeightLayout.EmbeddingLayer, WeightLayout.HeadLayer], bank.LayerNames.Where(IsOutside));
        foreach (var (row, index) in new[] { (0, 1), (1, -1), (2, 0), (3, 0) })
        {
            using var merged = TinyModels.Random(TinyModels.Everything);
            if (index >= 0)
            {
                AdapterMerge.MergeInto(merged, bank, index);
            }

            TinyModels.AssertClose(TinyModels.Logits(merged, ids)[row], logits[row], 1e-4);
        }

        static bool IsOutside(string layer) => WeightLayout.IsEmbeddingOrHead(layer);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Answers_and_scores_are_those_of_full_passes(bool isTied)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using var model = TinyModels.Random(TinyModels.Everything with { TiedHead = isTied });
        using var task = Create(model.Config, 1);
        using var users = Create(model.Config, 2);
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

            var item = new ScoringItem(
                request.Id,
                request.Prompt,
                [answer.Ids, [1, 2]],
                [AdapterSelection.Base, request.Expert]
            );
            var scores = new SequenceScorer(model, task, users).Scores([item]);
            var expected = logits.log_softmax(-1).amax(-1).data<float>().ToArray();
            var found = scores.Single(score => score is { Selection: 1, Response: 0 }).LogProbs;
            Assert.All(expected.Zip(found), pair => Assert.Equal(pair.First, pair.Second, 1e-4));
        }

        AdapterRows Select(AdapterSelection selection)
        {
            var lower = AdapterRows.All(task);
            return selection.User is { } user ? lower.With(AdapterRows.All(users, user)) : lower;
        }
    }

    [Fact]
    public void Gradients_of_packed_responses_equal_finite_differences()
    {
        using var scope = NewDisposeScope();
        using var model = TinyModels.Random(TinyModels.Everything);
        using var bank = Create(model.Config, 2);
        PackedGradients.AssertEqualFiniteDifferences(model, bank);
    }

    [Fact]
    public void Dropout_of_the_head_s_inputs_depends_on_the_row_s_seed_alone()
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using var model = TinyModels.Random(TinyModels.Plain);
        using var bank = TinyModels.Adapters(
            model.Config,
            1,
            new LoraConfig
            {
                Rank = 2,
                TargetModules = ["lm_head"],
                Dropout = 0.5,
            }
        );
        var hidden = ones(3, model.Config.HiddenSize);
        using var both = AdapterRows.All(bank).WithDropout([5, 6]);
        using var second = AdapterRows.All(bank).WithDropout([6]);
        var logits = model.ComputeLogits(hidden, both, [0, 1, 1]);
        TinyModels.AssertClose(logits.narrow(0, 1, 2), model.ComputeLogits(hidden.narrow(0, 1, 2), second, [0, 0]), 0);
        Assert.NotEqual(0, GoldenTensors.Difference(logits[1], logits[2]));
    }

    [Fact]
    public void Files_have_PEFT_s_names_and_may_hold_copies_of_the_base()
    {
        using var scope = NewDisposeScope();
        using var bank = Create(TinyModels.Everything, 1);
        AdapterFile.Write(_folder.Path, bank, 0, "");
        var weights = _folder.At("adapter_model.safetensors");
        var tensors = new Dictionary<string, Tensor>();
        using (var file = SafetensorsFile.Open(weights))
        {
            foreach (var entry in file.Entries)
            {
                tensors[entry.Name] = file.Read(entry.Name).clone();
            }
        }

        Assert.Equal([3, 40], tensors["base_model.model.model.embed_tokens.lora_embedding_A"].shape);
        Assert.Equal([16, 3], tensors["base_model.model.model.embed_tokens.lora_embedding_B"].shape);
        Assert.Equal([40, 3], tensors["base_model.model.lm_head.lora_B.weight"].shape);
        tensors["base_model.model.lm_head.base_layer.weight"] = zeros(40, 16);
        SafetensorsWriter.Write(weights, tensors);
        using var read = AdapterFile.Read(_folder.Path, TinyModels.Everything);
        Assert.Equal(bank.LayerNames, read.LayerNames);

        tensors["base_model.model.lm_head.base_layer.weight"] = zeros(41, 16);
        SafetensorsWriter.Write(weights, tensors);
        var error = Assert.Throws<ModelFileException>(() => AdapterFile.Read(_folder.Path, TinyModels.Everything));
        Assert.Contains("lm_head.base_layer.weight: has shape [41, 16]", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Copies_of_the_base_must_be_the_model_s(bool isTied)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using var model = TinyModels.Random(TinyModels.Plain with { TiedHead = isTied });
        Directory.CreateDirectory(_folder.At("base"));
        ModelFolder.Save(_folder.At("base"), model.Config, model.Weights, ScalarType.Float32);
        using var bank = Create(model.Config, 1);
        AdapterFile.Write(_folder.Path, bank, 0, "");
        Check();
        var head = model.Weights[isTied ? WeightLayout.Embedding : WeightLayout.Head];
        Add("embed_tokens", model.Weights[WeightLayout.Embedding].to(ScalarType.BFloat16));
        Add("lm_head", head);
        Check();
        Add("lm_head", head.add(0.1));
        var error = Assert.Throws<ModelFileException>(Check);
        Assert.Contains("lm_head.base_layer.weight: differs from the model's", error.Message, StringComparison.Ordinal);
        Assert.Throws<ModelFileException>(() => AdapterFile.CheckCopiesOfBase(_folder.Path, model));

        void Check() => AdapterFile.CheckCopiesOfBase(_folder.Path, model.Config, _folder.At("base"));

        void Add(string layer, Tensor copy)
        {
            var path = _folder.At("adapter_model.safetensors");
            Dictionary<string, Tensor> tensors;
            using (var file = SafetensorsFile.Open(path))
            {
                tensors = file.Entries.ToDictionary(entry => entry.Name, entry => file.Read(entry.Name).clone());
            }

            var name = layer == "lm_head" ? layer : $"model.{layer}";
            tensors[$"base_model.model.{name}.base_layer.weight"] = copy;
            SafetensorsWriter.Write(path, tensors);
        }
    }

    [Theory]
    [InlineData("embed_tokens")]
    [InlineData("lm_head")]
    [InlineData("embed_tokens lm_head")]
    public void Merged_into_a_tied_model_the_head_becomes_a_weight_of_its_own(string targets)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using var model = TinyModels.Random(TinyModels.Plain);
        ModelFolder.Save(_folder.Path, model.Config, model.Weights, ScalarType.Float32);
        using var bank = TinyModels.Adapters(model.Config, 1, Lora with { TargetModules = targets.Split(' ') });
        foreach (var pair in bank.Pairs.Values)
        {
            pair.A.normal_();
        }

        var ids = TinyModels.Ids(2, 6);
        using var rows = AdapterRows.All(bank);
        var expected = Logits(model, ids, rows);
        AdapterMerge.WriteModelFolder(_folder.Path, [bank], _folder.At("merged"));
        using var written = CausalLm.Load(_folder.At("merged"));
        Assert.False(written.Config.TiedHead);
        TinyModels.AssertClose(expected, TinyModels.Logits(written, ids), 1e-4);
        AdapterMerge.MergeInto(model, bank);
        TinyModels.AssertClose(expected, TinyModels.Logits(model, ids), 1e-4);
    }

    [Fact]
    public void The_head_stands_beside_the_embedding_of_a_model_with_a_vision_tower()
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using var model = TinyModels.Random(TinyModels.Plain with { ModelType = "mistral" });
        ModelFolder.Save(_folder.Path, model.Config, model.Weights, ScalarType.Float32);
        var decoder = JsonNode.Parse(File.ReadAllText(_folder.At("config.json")))!.AsObject();
        decoder.Remove("architectures");
        var whole = new JsonObject { ["model_type"] = "mistral3", ["text_config"] = decoder };
        File.WriteAllText(_folder.At("config.json"), whole.ToJsonString());
        SafetensorsWriter.Write(
            _folder.At("model.safetensors"),
            model.Weights.Names.ToDictionary(name => $"language_model.{name}", name => model.Weights[name])
        );
        using var bank = Create(model.Config, 1);
        using var rows = AdapterRows.All(bank);
        var ids = TinyModels.Ids(2, 6);
        var expected = Logits(model, ids, rows);
        AdapterMerge.WriteModelFolder(_folder.Path, [bank], _folder.At("merged"));
        using (var file = SafetensorsFile.Open(_folder.At("merged/model.safetensors")))
        {
            Assert.True(file.Contains("language_model.lm_head.weight"));
        }

        using var written = CausalLm.Load(_folder.At("merged"));
        TinyModels.AssertClose(expected, TinyModels.Logits(written, ids), 1e-4);
    }

    [Fact]
    public void An_adapter_of_the_answer_alone_cannot_adapt_the_head()
    {
        var lora = Lora with { Active = ActivePositions.Answer, InvocationTokens = [3] };
        Assert.Throws<ArgumentException>(() => AdapterBank.Create(TinyModels.Everything, lora, [1]));
    }

    static Tensor Logits(CausalLm model, Tensor ids, AdapterRows rows)
    {
        using var batch = new TokenBatch(ids.clone());
        return model.ComputeLogits(model.Forward(batch, rows), rows);
    }
}
