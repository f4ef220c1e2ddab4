using System.Globalization;
using CoPe.Chat;
using CoPe.Gguf;
using CoPe.Modeling;
using CoPe.Tokens;

namespace CoPe.Decoding;

/// <summary>
/// Where two files of a model folder say different things of one fact, and which of them counts. What real models have
/// and does no harm is no conflict: a tokenizer without a limit of its own, rows of the embedding that no token uses,
/// several tokens that end an answer.
/// </summary>
static class ModelFileConflicts
{
    /// <summary>The conflicts, each in a line that begins with the fact.</summary>
    /// <param name="folder">A model folder whose configuration can be read.</param>
    /// <param name="encoder">Its tokenizer; null compares the other files alone.</param>
    /// <exception cref="ModelFileException">A file could not be read.</exception>
    public static IReadOnlyList<string> Find(string folder, ConversationEncoder? encoder)
    {
        var config = DecoderConfig.Read(folder);
        var facts = ModelFacts.Read(folder, encoder?.Tokenizer);
        List<string> conflicts =
        [
            .. FindEndConflicts(facts.Eos),
            .. FindIdConflicts("bos", facts.Bos, "the tokenizer's is used"),
            .. FindIdConflicts("pad", facts.Pad, "no result depends on it here"),
            .. FindRowConflicts(facts.Eos, config),
            .. FindDtypeConflicts(folder, config, facts.Dtypes),
            .. RopeConfigReader.FindConflicts(facts.Decoder, config),
        ];
        if (encoder is not null)
        {
            conflicts.AddRange(FindContextConflicts(config, encoder.Tokenizer));
            conflicts.AddRange(FindAddedTokenConflicts(encoder.Tokenizer));
            conflicts.AddRange(FindPrefixSpaceConflicts(encoder.Tokenizer));
            conflicts.AddRange(encoder.Tokenizer.Config.Conflicts);
            conflicts.AddRange(TokenizerFit.Describe(encoder, config) is { } problem ? [$"vocabulary: {problem}"] : []);
        }

        return [.. conflicts.Select(MessageText.ToOneLine)];
    }

    /// <summary>Files may name different ends, as long as any two have one in common.</summary>
    static IEnumerable<string> FindEndConflicts(IReadOnlyList<NamedIds> ends)
    {
        var areApart = ends.Any(one => ends.Any(other => !one.Ids.Intersect(other.Ids).Any()));
        return areApart ? [$"eos: {string.Join(", ", ends)}; all end an answer"] : [];
    }

    /// <summary>Ends that no row of the head stands for: no answer will ever have them.</summary>
    static IEnumerable<string> FindRowConflicts(IReadOnlyList<NamedIds> ends, DecoderConfig config) =>
        from end in ends
        let beyond = end.Ids.Where(id => id >= config.VocabSize).ToList()
        where beyond.Count > 0
        select $"eos: {new NamedIds(end.File, beyond)}, but config.json has {config.VocabSize} rows; "
            + "no answer can end with it";

    static IEnumerable<string> FindIdConflicts(string fact, IReadOnlyList<NamedIds> named, string consequence) =>
        named.SelectMany(one => one.Ids).Distinct().Count() > 1
            ? [$"{fact}: {string.Join(", ", named)}; {consequence}"]
            : [];

    static IEnumerable<string> FindDtypeConflicts(string folder, DecoderConfig config, IReadOnlyList<string> named)
    {
        if (named.Count > 1)
        {
            yield return $"dtype: config.json names {string.Join(" and ", named)}; "
                + $"the weights are read as {Name(config.Dtype)}";
        }

        if (named.Count == 0 || GgufFile.IsNamed(folder) || !CheckpointReader.HasWeights(folder))
        {
            yield break;
        }

        var entries = CheckpointReader.ReadEntries(folder, config);
        var others = entries
            .Select(entry => entry.Dtype.ScalarType!.Value)
            .Where(dtype => dtype != config.Dtype)
            .GroupBy(dtype => dtype)
            .ToList();
        if (others.Count > 0)
        {
            var found = others.Select(group => $"{group.Count()} of {entries.Count} tensors in {Name(group.Key)}");
            yield return $"dtype: config.json {Name(config.Dtype)}, the weights {string.Join(" and ", found)}; "
                + $"they are read as {Name(config.Dtype)}";
        }
    }

    static IEnumerable<string> FindContextConflicts(DecoderConfig config, Tokenizer tokenizer)
    {
        List<(string Name, double? Length)> limits =
        [
            ("tokenizer_config.json model_max_length", tokenizer.Config.ModelMaxLength),
            ("tokenizer.json truncation", tokenizer.File.TruncationLength),
        ];
        return from limit in limits
               where limit.Length < config.MaxPositions
               select string.Create(
                   CultureInfo.InvariantCulture,
                   $"context: config.json {config.MaxPositions}, {limit.Name} {limit.Length}; "
                       + $"prompt and answer may have {config.MaxPositions} tokens"
               );
    }

    static IEnumerable<string> FindAddedTokenConflicts(Tokenizer tokenizer)
    {
        var declared = tokenizer.Config.AddedTokensDecoder;
        var others = declared.Where(token => tokenizer.IdToToken(token.Id) != token.Content).ToList();
        if (others is [var first, ..])
        {
            yield return $"added tokens: tokenizer_config.json has {first.Content} as id {first.Id}"
                + $"{CountMore(others.Count)}, tokenizer.json {tokenizer.IdToToken(first.Id) ?? "nothing"}; "
                + "the latter counts";
        }

        var flagged = declared
            .Except(others)
            .Where(token => token.Special is { } isSpecial && isSpecial != tokenizer.IsSpecial(token.Id))
            .ToList();
        if (flagged is [var one, ..])
        {
            var (here, there) = one.Special == true ? ("special", "but not") : ("not special", "but is");
            yield return $"added tokens: {one.Content}{CountMore(flagged.Count)} is {here} in tokenizer_config.json, "
                + $"{there} in tokenizer.json, which counts";
        }
    }

    static IEnumerable<string> FindPrefixSpaceConflicts(Tokenizer tokenizer)
    {
        var step = tokenizer.File.PreTokenizer;
        if (tokenizer.Config.AddPrefixSpace is not { } here || step.AddsPrefixSpace is not { } there || here == there)
        {
            return [];
        }

        return
        [
            $"add_prefix_space: tokenizer_config.json {(here ? "true" : "false")}, "
                + $"tokenizer.json {(there ? "true" : "false")}; "
                + $"{(step.IsPrefixSpaceOverruled ? "the former" : "the latter")} counts",
        ];
    }

    static string CountMore(int count) => count == 1 ? "" : $" (and {count - 1} more)";

    static string Name(TorchSharp.torch.ScalarType dtype) => dtype.ToString().ToLowerInvariant();
}

/// <summary>Ids that a file names for one fact.</summary>
readonly record struct NamedIds(string File, IReadOnlyList<int> Ids)
{
    public override string ToString() => $"{File} {string.Join(" and ", Ids)}";
}

/// <summary>What the files of a model folder name, file by file; a file that names nothing is left out.</summary>
sealed record ModelFacts
{
    const string TokenizerConfigFile = "tokenizer_config.json";

    /// <summary>The decoder's part of config.json.</summary>
    public required ConfigJson Decoder { get; init; }

    /// <summary>Ids that end an answer.</summary>
    public required IReadOnlyList<NamedIds> Eos { get; init; }

    /// <summary>The id that begins a text.</summary>
    public required IReadOnlyList<NamedIds> Bos { get; init; }

    /// <summary>The id of padding.</summary>
    public required IReadOnlyList<NamedIds> Pad { get; init; }

    /// <summary>The number types of config.json, which has two keys for them.</summary>
    public required IReadOnlyList<string> Dtypes { get; init; }

    /// <summary>Reads them.</summary>
    /// <param name="folder">The model folder.</param>
    /// <param name="tokenizer">Its tokenizer; null leaves that out.</param>
    public static ModelFacts Read(string folder, Tokenizer? tokenizer)
    {
        var config = ConfigJson.ReadModel(folder);
        List<ConfigJson> files = [config];
        var generationFile = Path.Combine(folder, "generation_config.json");
        if (File.Exists(generationFile))
        {
            files.Add(ConfigJson.Read(generationFile));
        }

        return new()
        {
            Decoder = DecoderConfigReader.FindDecoder(config),
            Eos = ReadIds(files, "eos_token_id", (TokenizerConfigFile, tokenizer?.EosId)),
            Bos = ReadIds(files, "bos_token_id", (TokenizerConfigFile, tokenizer?.BosId)),
            Pad = ReadIds(
                files,
                "pad_token_id",
                (TokenizerConfigFile, tokenizer?.PadId),
                ("tokenizer.json", tokenizer?.File.PaddingId)
            ),
            Dtypes = [.. ((string[])["dtype", "torch_dtype"]).Select(config.GetString).OfType<string>().Distinct()],
        };
    }

    /// <summary>Where older tools had no id they wrote -1.</summary>
    static IReadOnlyList<NamedIds> ReadIds(
        List<ConfigJson> files,
        string key,
        params IEnumerable<(string File, int? Id)> others
    )
    {
        var named = files
            .Select(file => new NamedIds(
                Path.GetFileName(file.File),
                [.. (file.GetInt32s(key) ?? []).Where(id => id >= 0)]
            ))
            .Concat(others.Select(other => new NamedIds(other.File, other.Id is { } id ? [id] : [])));
        return [.. named.Where(one => one.Ids.Count > 0)];
    }
}
