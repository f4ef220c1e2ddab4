namespace CoPe.Fuzz.Mutations;

/// <summary>
/// Makes inputs from seeds: changes of the format's structure, of its words and of its bytes, a few at a time.
/// </summary>
/// <param name="format">What the seeds are.</param>
/// <param name="seeds">Inputs that their reader accepts.</param>
/// <param name="words">Words of the format and of this reader.</param>
sealed class Mutator(InputFormat format, IReadOnlyList<byte[]> seeds, IReadOnlyList<byte[]> words)
{
    /// <summary>Most bytes of an input.</summary>
    public const int MaxLength = 1 << 18;

    const int MaxChanges = 6;

    /// <summary>An input, the same for the same choices.</summary>
    public byte[] Create(Choices choices)
    {
        var input = choices.Pick(seeds);
        var changes = choices.OneIn(2) ? 1 : 1 + choices.Below(MaxChanges);
        for (var change = 0; change < changes; change++)
        {
            input = Change(input, choices);
        }

        return input.Length <= MaxLength ? input : input[..MaxLength];
    }

    byte[] Change(byte[] input, Choices choices) =>
        (choices.Below(3) == 0 ? null : ChangeStructure(input, choices))
        ?? ByteMutations.Apply(input, choices.Pick(seeds), words, choices);

    /// <summary>The input with a change of its structure; null where it has none, or none any more.</summary>
    byte[]? ChangeStructure(byte[] input, Choices choices) =>
        format switch
        {
            InputFormat.Json => JsonMutations.Apply(input, choices),
            InputFormat.JsonLines => LineMutations.ApplyToJson(input, choices),
            InputFormat.Safetensors => SafetensorsMutations.Apply(input, choices),
            InputFormat.Yaml => YamlMutations.Apply(input, choices),
            InputFormat.Template => TemplateMutations.Apply(input, choices.Pick(seeds), choices),
            InputFormat.Table => TableMutations.Apply(input, choices),
            _ => null,
        };
}
