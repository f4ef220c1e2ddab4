using System.Collections.Frozen;
using System.Text.Json;

namespace CoPe.Modeling;

/// <summary>
/// Which keys of config.json are known. A key that says something the forward pass does not compute is refused, and so
/// is one that nobody here knows: it may do so too. Nothing is ignored because it was not expected.
/// </summary>
static class ConfigKeys
{
    /// <summary>Read into the configuration.</summary>
    const string Read = """
        architectures attention_bias bos_token_id dtype eos_token_id head_dim hidden_act hidden_activation hidden_size
        intermediate_size layer_types max_position_embeddings max_window_layers mlp_bias model_type
        num_attention_heads num_hidden_layers num_key_value_heads pad_token_id partial_rotary_factor
        query_pre_attn_scalar rms_norm_eps rope_local_base_freq rope_parameters rope_scaling rope_theta sliding_window
        text_config tie_word_embeddings torch_dtype use_sliding_window
        vocab_size
        """;

    /// <summary>Of training, of other files, or for a person's information: the forward pass is the same.</summary>
    const string Neutral = """
        _attn_implementation _attn_implementation_autoset _attn_implementation_internal _commit_hash _name_or_path
        attention_dropout attn_implementation auto_map cache_implementation chunk_size_feed_forward custom_generate
        embd_pdrop finetuning_task gradient_checkpointing hidden_dropout id2label initializer_range
        keys_to_ignore_at_inference label2id language
        license max_sequence_length model_max_length name_or_path original_max_position_embeddings
        output_attentions output_hidden_states pretraining_tp problem_type resid_pdrop return_dict seq_length
        task_specific_params tf_legacy_loss tokenizer_class tokenizer_model_max_length tokenizer_padding_side
        torchscript transformers.js_config transformers_version unk_token_id unsloth_fixed unsloth_version use_bfloat16
        use_cache
        """;

    /// <summary>How transformers generates where nobody says otherwise; older versions wrote it here.</summary>
    const string Generation = """
        bad_words_ids begin_suppress_tokens decoder_start_token_id diversity_penalty do_sample early_stopping
        encoder_no_repeat_ngram_size exponential_decay_length_penalty forced_bos_token_id forced_eos_token_id is_decoder
        length_penalty max_length max_new_tokens min_length no_repeat_ngram_size num_beam_groups num_beams
        num_return_sequences output_scores prefix remove_invalid_values repetition_penalty return_dict_in_generate
        sep_token_id suppress_tokens temperature top_k top_p typical_p
        """;

    /// <summary>Of the vision tower that a checkpoint may have beside its decoder, and that is not read.</summary>
    const string Vision = """
        boi_token_index eoi_token_index image_token_id image_token_index mm_tokens_per_image multimodal_projector_bias
        projector_hidden_act spatial_merge_size vision_config vision_feature_layer
        """;

    static readonly FrozenSet<string> Known = new[] { Read, Neutral, Generation, Vision }
        .SelectMany(SplitWords)
        .ToFrozenSet();

    /// <summary>Known, and not computed unless they are zero, false or empty.</summary>
    static readonly FrozenSet<string> MustBeOff = SplitWords(
            """
            add_cross_attention attention_chunk_size attn_logit_softcapping cross_attention_hidden_size
            embedding_multiplier final_logit_softcapping is_encoder_decoder lm_head_bias logits_scaling
            n_routed_experts no_rope_layers num_experts num_local_experts pruned_heads quantization_config
            residual_multiplier sliding_window_pattern _sliding_window_pattern tie_encoder_decoder
            use_bidirectional_attention use_mrope use_qk_norm
            """
        )
        .ToFrozenSet();

    /// <summary>Known, and not computed unless they are one.</summary>
    static readonly FrozenSet<string> MustBeOne =
    [
        "attention_multiplier",
        "full_attn_mod",
        "interpolate_factor",
        "partial_rotary_factor",
        "rotary_pct",
    ];

    /// <summary>Checks every key of an object; those of the model type itself are read.</summary>
    /// <exception cref="ModelFileException">
    /// One is not known, or says something that the forward pass does not compute.
    /// </exception>
    public static void Check(ConfigJson json, ModelFamily family)
    {
        foreach (var key in json.Keys.Except(family.OwnKeys))
        {
            if (json.Get(key) is { } value)
            {
                Check(json, key, value);
            }
        }
    }

    static void Check(ConfigJson json, string key, JsonElement value)
    {
        if (MustBeOne.Contains(key))
        {
            if (json.GetDouble(key) is not 1)
            {
                throw json.Unsupported(key, value.GetRawText(), "1");
            }
        }
        else if (MustBeOff.Contains(key))
        {
            if (!IsOff(value))
            {
                throw json.Unsupported(key, value.GetRawText(), "absent, null, false or 0");
            }
        }
        else if (!Known.Contains(key))
        {
            throw new ModelFileException(
                json.File,
                key,
                "is no key that this program knows, so that it may change what the model computes; if it does not, "
                    + "take it out of a copy of the file."
            );
        }
    }

    static bool IsOff(JsonElement value) =>
        value.ValueKind switch
        {
            JsonValueKind.False => true,
            JsonValueKind.Number => value.TryGetDouble(out var number) && number == 0,
            JsonValueKind.Array => value.GetArrayLength() == 0,
            JsonValueKind.Object => !value.EnumerateObject().Any(),
            _ => false,
        };

    static IEnumerable<string> SplitWords(string words) =>
        words.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
}
