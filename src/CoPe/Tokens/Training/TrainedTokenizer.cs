using System.Text.Encodings.Web;
using System.Text.Json;
using CoPe.Tokens.Pipeline;

namespace CoPe.Tokens.Training;

/// <summary>A tokenizer as trained, to be saved in Hugging Face's layout.</summary>
public sealed class TrainedTokenizer
{
    static readonly JsonSerializerOptions Layout = new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    readonly BpeTrainingOptions _options;

    internal TrainedTokenizer(BpeTrainingOptions options, IReadOnlyList<string> tokens, IReadOnlyList<(string Left, string Right)> merges) =>
        (_options, Tokens, Merges) = (options, tokens, merges);

    /// <summary>Tokens in the byte-level alphabet, in the order of their ids; the special tokens come after them.</summary>
    public IReadOnlyList<string> Tokens { get; }

    /// <summary>Merges in the order of their ranks.</summary>
    public IReadOnlyList<(string Left, string Right)> Merges { get; }

    /// <summary>Number of ids, special tokens included.</summary>
    public int VocabularySize => Tokens.Count + _options.SpecialTokens.Count;

    /// <summary>Writes <c>tokenizer.json</c> and <c>tokenizer_config.json</c> (with the chat template), each whole or not at all.</summary>
    public void Save(string folder)
    {
        AtomicFile.WriteText(Path.Combine(folder, "tokenizer.json"), JsonSerializer.Serialize(Description(), Layout));
        AtomicFile.WriteText(Path.Combine(folder, "tokenizer_config.json"), JsonSerializer.Serialize(Configuration(), Layout));
    }

    Dictionary<string, object?> Description()
    {
        var byteLevel = new { type = "ByteLevel", add_prefix_space = false, trim_offsets = false, use_regex = false };
        return new Dictionary<string, object?>
        {
            ["version"] = "1.0",
            ["truncation"] = null,
            ["padding"] = null,
            ["added_tokens"] = _options.SpecialTokens.Select((content, i) =>
                new { id = Tokens.Count + i, content, single_word = false, lstrip = false, rstrip = false, normalized = false, special = true }),
            ["normalizer"] = new { type = "NFC" },
            ["pre_tokenizer"] = new
            {
                type = "Sequence",
                pretokenizers = new object[]
                {
                    new { type = "Split", pattern = new { Regex = WordPattern.SingleDigits }, behavior = "Isolated", invert = false },
                    byteLevel,
                },
            },
            ["post_processor"] = byteLevel,
            ["decoder"] = byteLevel,
            ["model"] = Model(),
        };
    }

    Dictionary<string, object?> Model() => new()
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

    Dictionary<string, object?> Configuration() => new()
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
