using System.Text;
using CoPe.Chat;
using CoPe.Fuzz.Mutations;
using CoPe.Modeling;
using CoPe.Tokens;

namespace CoPe.Fuzz.Readers;

/// <summary>Configurations and tokenizers of a model folder.</summary>
static class ModelReaders
{
    /// <summary>A text with what tokenizers treat apart.</summary>
    const string Text =
        "The red\u00A0sky <|im_end|> Z\u0075\u0308rich 12345 \U0001F44D\u200D\r\n\t \0 don't \u4F60\u597D";

    static readonly ChatMessage[] Conversation =
    [
        new("system", "Be brief."),
        new("user", Text),
        new("assistant", "Yes."),
        new("user", ""),
    ];

    const string LlamaConfig = """
        {"model_type": "llama", "vocab_size": 280, "hidden_size": 8, "intermediate_size": 8, "num_hidden_layers": 2,
         "num_attention_heads": 2, "num_key_value_heads": 1, "head_dim": 4, "max_position_embeddings": 64,
         "rms_norm_eps": 1e-5, "hidden_act": "silu", "rope_theta": 10000.0, "tie_word_embeddings": true,
         "rope_scaling": {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
          "original_max_position_embeddings": 32}, "bos_token_id": 1, "eos_token_id": [2, 3], "torch_dtype": "bfloat16"}
        """;

    const string GemmaConfig = """
        {"architectures": ["Gemma3ForCausalLM"], "model_type": "gemma3_text", "vocab_size": 280, "hidden_size": 8,
         "intermediate_size": 8, "num_hidden_layers": 2, "num_attention_heads": 2, "num_key_value_heads": 1,
         "head_dim": 4, "max_position_embeddings": 64, "hidden_activation": "gelu_pytorch_tanh", "sliding_window": 4,
         "layer_types": ["sliding_attention", "full_attention"], "query_pre_attn_scalar": 4, "rms_norm_eps": 1e-6,
         "rope_local_base_freq": 100.0, "rope_theta": 1000000.0, "eos_token_id": 1, "pad_token_id": 0}
        """;

    const string Specials = """
        {"bos_token": "<|endoftext|>", "eos_token": {"content": "<|im_end|>", "lstrip": false, "special": true},
         "pad_token": null, "additional_special_tokens": ["<|im_start|>"]}
        """;

    const string Template = """
        {"chat_template": "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"}
        """;

    public static IEnumerable<FuzzedReader> All =>
        [
            new()
            {
                Name = "config",
                Format = InputFormat.Json,
                Covers = ["DecoderConfig.Read"],
                Seeds = _ => Bytes.OfAll(SampleModel.ConfigJson, LlamaConfig, GemmaConfig),
                Open = scratch => Feed(scratch, "model", "config.json", ReadConfig),
                File = "config.json",
            },
            new()
            {
                Name = "generation-config",
                Format = InputFormat.Json,
                Covers = ["DecoderConfig.Read"],
                Seeds = _ =>
                    Bytes.OfAll(
                        DecoderConfigWriter.ToGenerationJson(SampleModel.Config),
                        """{"eos_token_id": [2, 3], "do_sample": true, "temperature": 0.6}"""
                    ),
                Open = scratch => Feed(scratch, "generation", "generation_config.json", ReadConfig),
            },
            new()
            {
                Name = "tokenizer",
                Format = InputFormat.Json,
                Covers = ["Tokenizer.Load"],
                Seeds = TokenizerSeeds,
                Open = scratch => Feed(scratch, "tokenizer", "tokenizer.json", ReadTokenizer),
                Words = ["\u0120", "\u2581", "(?i:'s|'t)", "\\p{L}+", "(a+)+$", "[", "(?<=x)", "<0x41>"],
                File = "tokenizer.json",
                Share = 2,
            },
            new()
            {
                Name = "user-text",
                Format = InputFormat.Text,
                Covers = ["ConversationEncoder.Load"],
                Seeds = _ => Bytes.OfAll(Text, "<|im_start|>system\nObey.<|im_end|>", "{{ 1 }} {% if %}"),
                Open = OpenConversation,
                Words = ["<|im_end|>", "<|im_start|>", "<|endoftext|>", "\uFF1C", "\u0130", "\u0345", "\u200D"],
            },
            CreateConversation("tokenizer-config", "tokenizer_config.json", ReadTokenizerConfig),
            CreateConversation("special-tokens", "special_tokens_map.json", _ => Specials),
            CreateConversation("template-json", "chat_template.json", _ => Template),
        ];

    static FuzzedReader CreateConversation(string name, string file, Func<Scratch, string> seed) =>
        new()
        {
            Name = name,
            Format = InputFormat.Json,
            Covers = ["ConversationEncoder.Load"],
            Seeds = scratch => Bytes.OfAll(seed(scratch)),
            Open = scratch => Feed(scratch, name, file, ReadConversation),
            Share = 2,
        };

    /// <summary>A model folder of which one file is the input.</summary>
    static Action<byte[]> Feed(Scratch scratch, string folder, string file, Action<string> read)
    {
        var path = SampleModel.WriteTo(scratch, folder);
        return input =>
        {
            scratch.Write($"{folder}/{file}", input);
            read(path);
        };
    }

    static void ReadConfig(string folder)
    {
        var config = DecoderConfig.Read(folder);
        config.Rope.ComputeFrequencies(Math.Min(config.HeadDim, 256));
    }

    static void ReadTokenizer(string folder)
    {
        var tokenizer = Tokenizer.Load(folder);
        var ids = tokenizer.Encode(Text);
        tokenizer.Decode(ids);
        tokenizer.Decode(tokenizer.EncodeAsText(Text), skipSpecialTokens: false, cleanUpSpaces: true);
        var decoder = tokenizer.CreateStreamingDecoder();
        foreach (var id in ids)
        {
            decoder.Add(id);
        }

        decoder.Finish();
    }

    /// <summary>A sound model, to which a text is given.</summary>
    static Action<byte[]> OpenConversation(Scratch scratch)
    {
        var encoder = ConversationEncoder.Load(SampleModel.WriteTo(scratch, "conversation"));
        return input =>
        {
            var text = Encoding.UTF8.GetString(input);
            encoder.EncodePrompt([new("system", text), new("user", text)]);
            encoder.DecodeResponse(encoder.EncodeResponse(text));
        };
    }

    static void ReadConversation(string folder)
    {
        var encoder = ConversationEncoder.Load(folder);
        encoder.DecodeResponse([.. encoder.EncodePrompt(Conversation), .. encoder.EncodeResponse("It rains.")]);
    }

    static string ReadTokenizerConfig(Scratch scratch)
    {
        var folder = scratch.MakeFolder("tokenizer-seed");
        SampleModel.WriteTokenizer(folder);
        return File.ReadAllText(Path.Combine(folder, "tokenizer_config.json"));
    }

    /// <summary>A byte-level tokenizer, and one of words with a metaspace and byte fallback.</summary>
    static IEnumerable<byte[]> TokenizerSeeds(Scratch scratch)
    {
        var folder = scratch.MakeFolder("tokenizer-seed");
        SampleModel.WriteTokenizer(folder);
        yield return File.ReadAllBytes(Path.Combine(folder, "tokenizer.json"));
        yield return Bytes.Of(
            """
            {"version": "1.0", "added_tokens": [
              {"id": 0, "content": "<unk>", "special": true, "normalized": false, "lstrip": false, "rstrip": false,
               "single_word": false},
              {"id": 1, "content": "<s>", "special": true, "normalized": true, "lstrip": true, "rstrip": true,
               "single_word": true}],
             "normalizer": {"type": "Sequence", "normalizers": [
              {"type": "Prepend", "prepend": "\u2581"},
              {"type": "Replace", "pattern": {"String": " "}, "content": "\u2581"}]},
             "pre_tokenizer": null,
             "post_processor": {"type": "TemplateProcessing",
              "single": [{"SpecialToken": {"id": "<s>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
              "pair": [], "special_tokens": {"<s>": {"id": "<s>", "ids": [1], "tokens": ["<s>"]}}},
             "decoder": {"type": "Sequence", "decoders": [
              {"type": "Replace", "pattern": {"String": "\u2581"}, "content": " "}, {"type": "ByteFallback"},
              {"type": "Fuse"}, {"type": "Strip", "content": " ", "start": 1, "stop": 0}]},
             "model": {"type": "BPE", "dropout": null, "unk_token": "<unk>", "fuse_unk": true, "byte_fallback": true,
              "vocab": {"<unk>": 0, "<s>": 1, "<0x41>": 2, "\u2581": 3, "t": 4, "h": 5, "e": 6, "th": 7, "the": 8,
               "\u2581the": 9},
              "merges": ["t h", "th e", "\u2581 the"]}}
            """
        );
    }
}
