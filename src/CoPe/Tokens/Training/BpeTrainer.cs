using System.Text.Encodings.Web;
using System.Text.Json;
using CoPe.Tokens.Pipeline;

namespace CoPe.Tokens.Training;

/// <summary>
/// Trains a byte-level byte-pair tokenizer with Qwen's pipeline (NFC, words with the character before them, digits one
/// by one): again and again the most frequent pair of neighboring symbols becomes a symbol, among equals the pair of
/// lower ids. The same texts give the same tokenizer, in whatever order.
/// </summary>
public static class BpeTrainer
{
    /// <summary>Trains on texts; special-token text in them is left out.</summary>
    /// <param name="texts">The texts, read once.</param>
    /// <param name="options">Size and special tokens of the tokenizer.</param>
    /// <param name="progress">Receives the number of merges from time to time.</param>
    /// <param name="cancellation">Stops the training.</param>
    /// <exception cref="ArgumentException">No tokenizer can be made with the options.</exception>
    /// <exception cref="OperationCanceledException">The training was stopped.</exception>
    public static TrainedTokenizer Train(
        IEnumerable<string> texts,
        BpeTrainingOptions options,
        IProgress<StageProgress>? progress = null,
        CancellationToken cancellation = default
    )
    {
        options.Validate();
        var words = WordCounts.Count(texts, options.SpecialTokens, cancellation);
        var learner = new MergeLearner(words, options);
        var mergesWanted = options.VocabularySize - 256 - options.SpecialTokens.Count;
        while (learner.MergeCount < mergesWanted && learner.LearnNext())
        {
            if (learner.MergeCount % 64 != 0)
            {
                continue;
            }

            cancellation.ThrowIfCancellationRequested();
            progress?.Report(
                new StageProgress
                {
                    Stage = "train tokenizer",
                    Done = learner.MergeCount,
                    Total = mergesWanted,
                    Unit = "merges",
                }
            );
        }

        return new TrainedTokenizer(options, learner.Tokens, learner.Merges);
    }
}

/// <summary>Size and special tokens of a new tokenizer.</summary>
public sealed record BpeTrainingOptions
{
    /// <summary>
    /// Number of ids: 256 bytes, merges, and the special tokens, which come last. A small text may not yield so many.
    /// </summary>
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

    /// <summary>
    /// The chat template written beside the tokenizer: ChatML, a role and its text between start and end marks.
    /// </summary>
    public string ChatTemplate { get; init; } =
        "{% for message in messages %}"
        + "{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>\\n' }}"
        + "{% endfor %}"
        + "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}";

    /// <summary>Checks the options.</summary>
    /// <exception cref="ArgumentException">No tokenizer can be made with a value; the message says which.</exception>
    public void Validate()
    {
        var minimumSize = 256 + SpecialTokens.Count;
        if (VocabularySize < minimumSize)
        {
            throw new ArgumentException(
                $"The vocabulary size is {VocabularySize}; "
                    + $"256 bytes and {SpecialTokens.Count} special tokens need at least {minimumSize}."
            );
        }

        if (SpecialTokens.Any(token => token.Length == 0) || SpecialTokens.Distinct().Count() != SpecialTokens.Count)
        {
            throw new ArgumentException("The special tokens hold an empty text or one text twice.");
        }

        foreach (var token in (string[])[EndOfText, Padding])
        {
            if (!SpecialTokens.Contains(token))
            {
                throw new ArgumentException(
                    $"The token {token} is not among the special tokens ({string.Join(", ", SpecialTokens)})."
                );
            }
        }

        if (MinimumCount < 1)
        {
            throw new ArgumentException($"The minimum count is {MinimumCount}; at least 1 was expected.");
        }

        if (MaximumTokenBytes < 2)
        {
            throw new ArgumentException(
                $"The maximum token length is {MaximumTokenBytes} bytes; at least 2 was expected."
            );
        }
    }
}

/// <summary>A tokenizer as trained, to be saved in Hugging Face's layout.</summary>
public sealed class TrainedTokenizer
{
    static readonly JsonSerializerOptions Layout = new()
    {
        WriteIndented = true,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    readonly BpeTrainingOptions _options;

    internal TrainedTokenizer(
        BpeTrainingOptions options,
        IReadOnlyList<string> tokens,
        IReadOnlyList<(string Left, string Right)> merges
    )
    {
        _options = options;
        Tokens = tokens;
        Merges = merges;
    }

    /// <summary>
    /// Tokens in the byte-level alphabet, in the order of their ids; the special tokens come after them.
    /// </summary>
    public IReadOnlyList<string> Tokens { get; }

    /// <summary>Merges in the order of their ranks.</summary>
    public IReadOnlyList<(string Left, string Right)> Merges { get; }

    /// <summary>Number of ids, special tokens included.</summary>
    public int VocabularySize => Tokens.Count + _options.SpecialTokens.Count;

    /// <summary>
    /// Writes <c>tokenizer.json</c> and <c>tokenizer_config.json</c> (with the chat template), each whole or not at
    /// all.
    /// </summary>
    public void Save(string folder)
    {
        AtomicFile.WriteText(
            Path.Combine(folder, "tokenizer.json"),
            JsonSerializer.Serialize(CreateTokenizerJson(), Layout)
        );
        AtomicFile.WriteText(
            Path.Combine(folder, "tokenizer_config.json"),
            JsonSerializer.Serialize(CreateTokenizerConfig(), Layout)
        );
    }

    Dictionary<string, object?> CreateTokenizerJson()
    {
        var byteLevel = new
        {
            type = "ByteLevel",
            add_prefix_space = false,
            trim_offsets = false,
            use_regex = false,
        };
        return new Dictionary<string, object?>
        {
            ["version"] = "1.0",
            ["truncation"] = null,
            ["padding"] = null,
            ["added_tokens"] = _options.SpecialTokens.Select(
                (content, i) => CreateAddedToken(Tokens.Count + i, content)
            ),
            ["normalizer"] = new { type = "NFC" },
            ["pre_tokenizer"] = new
            {
                type = "Sequence",
                pretokenizers = new object[] { CreateWordSplit(), byteLevel },
            },
            ["post_processor"] = byteLevel,
            ["decoder"] = byteLevel,
            ["model"] = CreateModel(),
        };
    }

    static object CreateAddedToken(int id, string content) =>
        new
        {
            id,
            content,
            single_word = false,
            lstrip = false,
            rstrip = false,
            normalized = false,
            special = true,
        };

    static object CreateWordSplit() =>
        new
        {
            type = "Split",
            pattern = new { Regex = WordPattern.SingleDigits },
            behavior = "Isolated",
            invert = false,
        };

    Dictionary<string, object?> CreateModel() =>
        new()
        {
            ["type"] = "BPE",
            ["dropout"] = null,
            ["unk_token"] = null,
            ["continuing_subword_prefix"] = "",
            ["end_of_word_suffix"] = "",
            ["fuse_unk"] = false,
            ["byte_fallback"] = false,
            ["ignore_merges"] = false,
            ["vocab"] = Tokens.Select((token, id) => (token, id)).ToDictionary(),
            ["merges"] = Merges.Select(merge => $"{merge.Left} {merge.Right}"),
        };

    Dictionary<string, object?> CreateTokenizerConfig() =>
        new()
        {
            ["add_bos_token"] = false,
            ["add_prefix_space"] = false,
            ["bos_token"] = null,
            ["eos_token"] = _options.EndOfText,
            ["pad_token"] = _options.Padding,
            ["unk_token"] = null,
            ["clean_up_tokenization_spaces"] = false,
            ["model_max_length"] = _options.ModelMaxLength,
            ["tokenizer_class"] = "PreTrainedTokenizerFast",
            ["chat_template"] = _options.ChatTemplate,
        };
}
