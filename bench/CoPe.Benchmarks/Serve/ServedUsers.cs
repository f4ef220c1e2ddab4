using CoPe.Adapters;
using CoPe.Chat;
using CoPe.Modeling;
using CoPe.Serving;
using static TorchSharp.torch;

namespace CoPe.Benchmarks.Serve;

/// <summary>
/// A model and users whose adapters lie on disk, named 0, 1, 2, ...; of the model folder given, or of a known shape
/// with random weights, the tokenizer's vocabulary and as few tokens in it as that has. Deletes its files.
/// </summary>
sealed class ServedUsers : IDisposable
{
    static readonly LoraConfig Lora = new()
    {
        Rank = 8,
        Alpha = 8,
        TargetModules = ["q_proj", "v_proj"],
        Dropout = 0,
    };

    readonly string _folder = Directory.CreateTempSubdirectory("cope-bench").FullName;
    readonly RandomModel? _randomModel;
    readonly Random _random = new(1);

    /// <summary>Writes the adapters.</summary>
    /// <param name="modelFolder">The model, or only its tokenizer where a shape is given.</param>
    /// <param name="shape">A shape of <see cref="RandomModel"/>.</param>
    /// <param name="layers">Its layers; null for as many as it has.</param>
    /// <param name="count">Users.</param>
    public ServedUsers(string modelFolder, string? shape, int? layers, int count)
    {
        Encoder = ConversationEncoder.Load(modelFolder);
        if (shape is not null)
        {
            var config = RandomModel.CreateConfig(shape, layers);
            _randomModel = new RandomModel(config with { VocabSize = Encoder.Tokenizer.VocabularySize });
        }

        Model = _randomModel?.Load() ?? CausalLm.Load(modelFolder, ScalarType.Float32);
        for (var user = 0; user < count; user++)
        {
            using var bank = CreateAdapter(user);
            AdapterFile.Write(Path.Combine(_folder, $"{user}"), bank, 0, "bench");
        }
    }

    public CausalLm Model { get; }

    public ConversationEncoder Encoder { get; }

    public AdapterFolders Catalog => new(_folder);

    public ServingEngine Serve(ServingOptions? options = null) => new(Model, Encoder, Catalog, options);

    /// <summary>A prompt of random ids.</summary>
    public int[] CreatePrompt(int length) =>
        [.. Enumerable.Range(0, length).Select(_ => _random.Next(Encoder.Tokenizer.VocabularySize))];

    AdapterBank CreateAdapter(int seed)
    {
        var bank = AdapterBank.Create(Model.Config, Lora, [seed]);
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        using var generator = new Generator((ulong)seed, CPU);
        foreach (var layer in bank.LayerNames)
        {
            bank.Pairs[layer].B.copy_(randn(bank.Pairs[layer].B.shape, generator: generator) * .05);
        }

        return bank;
    }

    public void Dispose()
    {
        Model.Dispose();
        _randomModel?.Dispose();
        Directory.Delete(_folder, recursive: true);
    }
}
