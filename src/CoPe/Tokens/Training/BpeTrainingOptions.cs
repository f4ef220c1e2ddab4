namespace CoPe.Tokens.Training;

/// <summary>What a new tokenizer is to be.</summary>
public sealed record BpeTrainingOptions
{
    /// <summary>Number of ids: 256 bytes, merges, and the special tokens, which come last. A small text may not yield so many.</summary>
    public int VocabularySize { get; init; } = 8192;

    /// <summary>Special tokens in the order of their ids.</summary>
    public IReadOnlyList<string> SpecialTokens { get; init; } = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"];

    /// <summary>The special token that ends a text and a turn.</summary>
    public string EndOfText { get; init; } = "<|im_end|>";

    /// <summary>The special token for padding.</summary>
    public string Padding { get; init; } = "<|endoftext|>";

    /// <summary>Pairs that occur less often are not merged.</summary>
    public int MinimumCount { get; init; } = 2;

    /// <summary>Tokens longer than this many bytes are not made.</summary>
    public int MaximumTokenBytes { get; init; } = 48;

    /// <summary>The context that tokenizer_config.json names as <c>model_max_length</c>.</summary>
    public int ModelMaxLength { get; init; } = 1024;

    /// <summary>The chat template written beside the tokenizer: ChatML, a role and its text between start and end marks.</summary>
    public string ChatTemplate { get; init; } =
        "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>\\n' }}{% endfor %}"
        + "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}";

    /// <summary>Says what is wrong with the options, if anything is.</summary>
    /// <exception cref="ArgumentException">A value makes no tokenizer.</exception>
    public void Validate()
    {
        if (VocabularySize < 256 + SpecialTokens.Count)
            throw new ArgumentException($"The vocabulary size is {VocabularySize}; 256 bytes and {SpecialTokens.Count} special tokens need at least {256 + SpecialTokens.Count}.");
        if (SpecialTokens.Any(token => token.Length == 0) || SpecialTokens.Distinct().Count() != SpecialTokens.Count)
            throw new ArgumentException("The special tokens hold an empty text or one text twice.");
        foreach (var token in (string[])[EndOfText, Padding])
            if (!SpecialTokens.Contains(token)) throw new ArgumentException($"The token {token} is not among the special tokens ({string.Join(", ", SpecialTokens)}).");
        if (MinimumCount < 1) throw new ArgumentException($"The minimum count is {MinimumCount}; at least 1 was expected.");
        if (MaximumTokenBytes < 2) throw new ArgumentException($"The maximum token length is {MaximumTokenBytes} bytes; at least 2 was expected.");
    }
}
