using CoPe.Modeling;
using CoPe.Tokens.Training;
using static TorchSharp.torch;

namespace CoPe.Benchmarks.Gguf;

/// <summary>Small random models of every architecture that GGUF files are written for, in llama.cpp and here.</summary>
static class GgufFamilies
{
    static readonly string[] Words =
    [
        "The committee said on Tuesday that rain is expected in the north, but not before Friday.",
        "Two rivers, 12,345 houses and one mayor who wouldn't leave the red house by the blue river.",
    ];

    static readonly DecoderConfig Llama = new()
    {
        VocabSize = 320,
        HiddenSize = 64,
        IntermediateSize = 96,
        LayerCount = 3,
        HeadCount = 4,
        KeyValueHeadCount = 2,
        HeadDim = 32,
        MaxPositions = 1024,
        TiedHead = true,
    };

    static readonly (string Name, DecoderConfig Config)[] All =
    [
        ("llama", Llama),
        (
            "llama_biases",
            Llama with
            {
                QueryKeyValueBias = true,
                OutputBias = true,
                FeedForwardBias = true,
                TiedHead = false,
            }
        ),
        (
            "llama3",
            Llama with
            {
                Rope = new()
                {
                    Theta = 500000,
                    Scaling = RopeScaling.Llama3,
                    Factor = 8,
                },
            }
        ),
        (
            "llama_linear",
            Llama with
            {
                Rope = new() { Scaling = RopeScaling.Linear, Factor = 4 },
            }
        ),
        (
            "llama_yarn",
            Llama with
            {
                Rope = new()
                {
                    Scaling = RopeScaling.Yarn,
                    Factor = 4,
                    OriginalMaxPositions = 256,
                    AttentionFactor = 0.1 * Math.Log(4) + 1,
                },
            }
        ),
        ("mistral", Llama with { ModelType = "mistral", HeadDim = 16 }),
        (
            "qwen2",
            Llama with
            {
                ModelType = "qwen2",
                HeadDim = 16,
                QueryKeyValueBias = true,
                NormEpsilon = 1e-6,
                Rope = new() { Theta = 1e6 },
            }
        ),
        ("qwen3", Llama with { ModelType = "qwen3", QueryKeyNorm = true, TiedHead = false }),
        (
            "gemma3",
            Llama with
            {
                ModelType = "gemma3_text",
                LayerCount = 7,
                QueryKeyNorm = true,
                NormAddsOne = true,
                Norms = LayerNorms.AroundBlocks,
                ScaleEmbedding = true,
                Activation = Activation.GeluTanh,
                QueryScalar = 32,
                SlidingWindow = 16,
                SlidingLayers = [true, true, true, true, true, false, true],
                SlidingRope = new() { Theta = 10000 },
                Rope = new()
                {
                    Theta = 1e6,
                    Scaling = RopeScaling.Linear,
                    Factor = 8,
                },
            }
        ),
    ];

    /// <summary>Figures of each; says whether all were within their tolerances.</summary>
    public static bool Compare(Action<IEnumerable<(string Name, double Value)>> print)
    {
        var areAlike = true;
        foreach (var (name, config) in All)
        {
            var folder = Directory.CreateTempSubdirectory("cope-family").FullName;
            try
            {
                Write(folder, config);
                using var comparison = new GgufComparison(folder, []);
                print(comparison.CompareBase().Select(figure => ($"{name}_{figure.Name}", figure.Value)));
                areAlike &= comparison.IsAlike;
            }
            finally
            {
                Directory.Delete(folder, recursive: true);
            }
        }

        return areAlike;
    }

    /// <summary>A model whose weights are large enough that everything matters, and a tokenizer.</summary>
    static void Write(string folder, DecoderConfig config)
    {
        using var weights = ModelWeights.Initialize(config, seed: 1);
        using (no_grad())
        {
            using var scope = NewDisposeScope();
            using var generator = new Generator(7, CPU);
            foreach (var weight in weights.Parameters())
            {
                weight.requires_grad = false;
                weight.add_(randn(weight.shape, generator: generator), 0.1);
            }
        }

        ModelFolder.Save(folder, config, weights, ScalarType.Float32);
        BpeTrainer.Train(Words, new() { VocabularySize = config.VocabSize }).Save(folder);
    }
}
