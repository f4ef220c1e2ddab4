using System.ComponentModel.DataAnnotations;
using CoPe.Modeling;
using static TorchSharp.torch;

namespace CoPe.Runs.Pretraining;

/// <summary>Shape of a Llama-like model.</summary>
public sealed record PretrainShape
{
    /// <summary>Tokens of the vocabulary, special ones included.</summary>
    [Range(300, 1_000_000)]
    public int Vocabulary { get; init; } = 2048;

    /// <summary>Layers.</summary>
    [Range(1, 1000)]
    public int Layers { get; init; } = 4;

    /// <summary>Width.</summary>
    [Range(8, 65536)]
    public int Hidden { get; init; } = 256;

    /// <summary>Width inside the feed-forward blocks.</summary>
    [Range(8, 262144)]
    public int Intermediate { get; init; } = 704;

    /// <summary>Query heads.</summary>
    [Range(1, 1024)]
    public int Heads { get; init; } = 4;

    /// <summary>Key and value heads; they divide the query heads.</summary>
    [Range(1, 1024)]
    public int KeyValueHeads { get; init; } = 2;

    /// <summary>Longest context.</summary>
    [Range(16, 1_000_000)]
    public int Context { get; init; } = 1024;

    /// <summary>The configuration of a model of this shape.</summary>
    /// <exception cref="RunException">The numbers do not go together.</exception>
    public DecoderConfig Config(int vocabulary, int endOfText, int endOfTurn)
    {
        if (Hidden % Heads != 0 || Heads % KeyValueHeads != 0 || Hidden / Heads % 2 != 0)
            throw new RunException($"shape: {Hidden} wide with {Heads} heads and {KeyValueHeads} key-value heads does not divide; heads must divide the width into even parts and key-value heads the heads");
        return new DecoderConfig
        {
            VocabSize = vocabulary, HiddenSize = Hidden, IntermediateSize = Intermediate, LayerCount = Layers, HeadCount = Heads, KeyValueHeadCount = KeyValueHeads,
            HeadDim = Hidden / Heads, MaxPositions = Context, TiedHead = true, Dtype = ScalarType.BFloat16, BosTokenId = endOfText, PadTokenId = endOfText,
            StopTokenIds = [endOfTurn, endOfText],
        };
    }
}
