using CoPe.Chat;
using CoPe.Gguf;
using CoPe.Kernels.Torch;
using CoPe.Modeling;
using CoPe.Modeling.Gguf;
using CoPe.Modeling.Safetensors;
using CoPe.Tokens.Pipeline;
using static TorchSharp.torch;

namespace CoPe.Adapters;

/// <summary>Writes models and adapters as GGUF files, for llama.cpp and what is built on it.</summary>
static class GgufExport
{
    /// <summary>Types that matrices are written as.</summary>
    public static IReadOnlyList<GgufType> Types { get; } =
    [GgufType.F32, GgufType.F16, GgufType.Bf16, GgufType.Q8_0, GgufType.Q4_0];

    /// <summary>llama.cpp's number for a file of mostly one type (<c>general.file_type</c>).</summary>
    static readonly Dictionary<GgufType, uint> FileTypes = new()
    {
        [GgufType.F32] = 0,
        [GgufType.F16] = 1,
        [GgufType.Q4_0] = 2,
        [GgufType.Q8_0] = 7,
        [GgufType.Bf16] = 32,
    };

    /// <summary>
    /// Writes <c>W + sum_i scaling_i * B_i A_i</c> with configuration, tokenizer and chat template in one file. One
    /// tensor at a time is in memory. Norms and biases are float32; embedding and head of a Q4_0 file are Q8_0, where
    /// most would be lost.
    /// </summary>
    /// <param name="model">The base: a folder or a GGUF file; only read.</param>
    /// <param name="adapters">Banks of one, lowest first, none of them acting on answers alone.</param>
    /// <param name="path">File to write.</param>
    /// <param name="type">One of <see cref="Types"/>.</param>
    /// <param name="name">What the file calls the model.</param>
    /// <exception cref="ModelFileException">The base cannot be used, or llama.cpp computes no such model.</exception>
    /// <exception cref="TokenizerException">llama.cpp has no such tokenizer.</exception>
    public static void WriteModel(
        string model,
        IReadOnlyList<AdapterBank> adapters,
        string path,
        GgufType type,
        string name
    )
    {
        if (PackedCheckpoint.Find(model) is { } rounded)
        {
            throw new ModelFileException(
                model,
                $"is rounded to {PackedCheckpoint.GetName(rounded)}; name the model that it was made of."
            );
        }

        var config = DecoderConfig.Read(model);
        var architecture = GgufConfigWriter.FindArchitecture(model, config);
        CheckpointReader.ReadEntries(model, config);
        var separatesHead = config.TiedHead && adapters.Any(bank => !bank.KeepsHeadTied);
        List<IWeightFile> files = [.. CheckpointReader.FindShards(model).Select(CheckpointReader.OpenFile)];
        try
        {
            var merger = new TensorMerger(adapters, ScalarType.Float32);
            var sources = files
                .SelectMany(file =>
                    file.Entries.Where(entry => IsOfDecoder(entry, config))
                        .SelectMany(entry => merger.CreateSources(file, entry, separatesHead))
                )
                .Select(source => CreateTensor(source, type, architecture, config))
                .Append(GgufConfigWriter.CreateRotaryFactors(config))
                .OfType<GgufTensorSource>()
                .ToList();
            GgufWriter.Write(path, [.. CreateMetadata(model, config, architecture, type, name)], sources);
        }
        finally
        {
            files.ForEach(file => file.Dispose());
        }
    }

    static bool IsOfDecoder(TensorEntry entry, DecoderConfig config)
    {
        var name = WeightLayout.ToCanonicalName(entry.Name);
        return name is not null && !(name == WeightLayout.Head && config.TiedHead);
    }

    static GgufTensorSource CreateTensor(
        TensorSource source,
        GgufType type,
        GgufArchitecture architecture,
        DecoderConfig config
    )
    {
        var name = WeightLayout.ToCanonicalName(source.Name)!;
        return GgufTensors.CreateSource(
            architecture.FromHuggingFace(name)!,
            ChooseType(name, source.Shape, type),
            source.Shape,
            () => GgufTensors.Arrange(source.Open(), name, architecture, config)
        );
    }

    static GgufType ChooseType(string name, IReadOnlyList<long> shape, GgufType type)
    {
        if (shape.Count == 1)
        {
            return GgufType.F32;
        }

        if (shape[^1] % type.BlockSize != 0)
        {
            return GgufType.F16;
        }

        var isOutside = name is WeightLayout.Embedding or WeightLayout.Head;
        return isOutside && type == GgufType.Q4_0 ? GgufType.Q8_0 : type;
    }

    static IEnumerable<KeyValuePair<string, object>> CreateMetadata(
        string model,
        DecoderConfig config,
        GgufArchitecture architecture,
        GgufType type,
        string name
    )
    {
        yield return new(GgufFile.ArchitectureKey, architecture.Name);
        yield return new("general.type", "model");
        yield return new("general.name", name);
        yield return new("general.file_type", FileTypes[type]);
        if (!type.IsFloat)
        {
            yield return new("general.quantization_version", 2u);
        }

        foreach (var key in GgufConfigWriter.Create(architecture, config))
        {
            yield return key;
        }

        var encoder = ConversationEncoder.Load(model);
        var stops = config.StopTokenIds.Union(encoder.StopTokenIds).ToList();
        foreach (var key in GgufTokenizerWriter.Create(model, encoder.Tokenizer, config.VocabSize, stops))
        {
            yield return key;
        }
    }

    /// <summary>
    /// Writes adapters alone, as one in llama.cpp's format: those of several are one of their ranks together,
    /// <c>sum_i s_i B_i A_i = [s_1 B_1, s_2 B_2] [A_1; A_2]</c>. What acts on answers alone says from which tokens on,
    /// which llama.cpp's server follows.
    /// </summary>
    /// <param name="model">The base: a folder or a GGUF file; only read.</param>
    /// <param name="adapters">Banks of one.</param>
    /// <param name="path">File to write.</param>
    /// <param name="name">What the file calls the adapter.</param>
    /// <exception cref="ModelFileException">llama.cpp computes no such model.</exception>
    /// <exception cref="ArgumentException">llama.cpp's format cannot hold the adapters.</exception>
    public static void WriteAdapter(string model, IReadOnlyList<AdapterBank> adapters, string path, string name)
    {
        var config = DecoderConfig.Read(model);
        var architecture = GgufConfigWriter.FindArchitecture(model, config);
        RefuseWhatHasNoPlace(adapters);
        List<string> layers = [.. adapters.SelectMany(bank => bank.LayerNames).Distinct()];
        var alpha = ComputeAlpha(layers, adapters);
        var tensors = layers.SelectMany(layer => CreatePair(layer, adapters, alpha, architecture, config)).ToList();
        GgufWriter.Write(path, [.. CreateAdapterMetadata(adapters, architecture, alpha, name)], tensors);
    }

    /// <summary>
    /// The largest <c>scaling * rank</c>: of one adapter that is alike in all layers its own alpha, so that its factors
    /// stay as they are.
    /// </summary>
    static float ComputeAlpha(List<string> layers, IReadOnlyList<AdapterBank> adapters)
    {
        var largest = layers.Max(layer =>
        {
            List<AdapterBank> banks = [.. adapters.Where(bank => bank.IndexOfLayer(layer) >= 0)];
            return banks.Max(bank => bank.GetScaling(layer)) * banks.Sum(bank => bank.Pairs[layer].A.shape[1]);
        });
        return largest > 0 ? (float)largest : 1;
    }

    static void RefuseWhatHasNoPlace(IReadOnlyList<AdapterBank> adapters)
    {
        ArgumentOutOfRangeException.ThrowIfZero(adapters.Count);
        if (adapters.Any(bank => bank.Saved is not null))
        {
            throw new ArgumentException(
                "An adapter has whole modules of its own (modules_to_save), for which llama.cpp's adapters have no "
                    + "place: export the model with it merged instead.",
                nameof(adapters)
            );
        }

        var invocations = adapters.Select(DescribeInvocation).Distinct().ToList();
        if (invocations.Count > 1)
        {
            throw new ArgumentException(
                "Some of the adapters act everywhere and others on the answer alone, or from other tokens on, which "
                    + "one adapter cannot: merge the former into the model, and export the others alone.",
                nameof(adapters)
            );
        }
    }

    static string DescribeInvocation(AdapterBank bank) =>
        bank.Config.Active == ActivePositions.Answer ? string.Join(' ', bank.Config.InvocationTokens ?? []) : "";

    static IEnumerable<KeyValuePair<string, object>> CreateAdapterMetadata(
        IReadOnlyList<AdapterBank> adapters,
        GgufArchitecture architecture,
        float alpha,
        string name
    )
    {
        yield return new("general.type", "adapter");
        yield return new(GgufFile.ArchitectureKey, architecture.Name);
        yield return new("general.name", name);
        yield return new("adapter.type", "lora");
        yield return new("adapter.lora.alpha", alpha);
        if (adapters[0].Config is { Active: ActivePositions.Answer, InvocationTokens: { } tokens })
        {
            yield return new("adapter.alora.invocation_tokens", tokens.Select(token => (uint)token).ToArray());
        }
    }

    /// <summary>
    /// Both factors of a layer, whose product llama.cpp multiplies by alpha / rank: B is scaled so that this is right
    /// for every layer.
    /// </summary>
    static IEnumerable<GgufTensorSource> CreatePair(
        string layer,
        IReadOnlyList<AdapterBank> adapters,
        float alpha,
        GgufArchitecture architecture,
        DecoderConfig config
    )
    {
        List<AdapterBank> banks = [.. adapters.Where(bank => bank.IndexOfLayer(layer) >= 0)];
        var pairs = banks.Select(bank => bank.Pairs[layer]).ToList();
        var rank = pairs.Sum(pair => pair.A.shape[1]);
        var (inputs, outputs) = (pairs[0].A.shape[2], pairs[0].B.shape[1]);
        var isEmbedding = layer == WeightLayout.EmbeddingLayer;
        var weight = $"{layer}.weight";
        var name = architecture.FromHuggingFace(weight)!;
        long[] shapeA = isEmbedding ? [inputs, rank] : [rank, inputs];
        yield return GgufTensors.CreateSource($"{name}.lora_a", GgufType.F32, shapeA, OpenA);
        yield return GgufTensors.CreateSource($"{name}.lora_b", GgufType.F32, [outputs, rank], OpenB);

        Tensor OpenA()
        {
            using var scope = NewDisposeScope();
            var stacked = cat([.. pairs.Select(pair => pair.A[0].to(ScalarType.Float32))], 0);
            return (isEmbedding ? stacked.t().contiguous() : stacked).detach().MoveToOuterDisposeScope();
        }

        Tensor OpenB()
        {
            using var scope = NewDisposeScope();
            var scaled = banks.Select(bank =>
                bank.Pairs[layer].B[0].to(ScalarType.Float32).mul(Scalars.Of(bank.GetScaling(layer) * rank / alpha))
            );
            var stacked = cat([.. scaled], 1).detach();
            return GgufTensors.Arrange(stacked, weight, architecture, config).MoveToOuterDisposeScope();
        }
    }
}
