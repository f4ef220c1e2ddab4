using System.Globalization;
using CoPe.Chat;
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
        var facts = ModelFacts.Read(folder);
        var tokenizer = encoder?.Tokenizer;
        List<string> conflicts =
        [
            .. FindEndConflicts(facts, tokenizer),
            .. FindIdConflicts("bos", facts.Bos, "tokenizer_config.json", tokenizer?.BosId, "the tokenizer's is used"),
            .. FindIdConflicts(
                "pad",
                facts.Pad,
                "tokenizer_config.json",
                tokenizer?.PadId,
                "no result depends on it here"
            ),
            .. FindDtypeConflicts(folder, config, facts),
        ];
        if (encoder is not null)
        {
            conflicts.AddRange(FindContextConflicts(config, encoder.Tokenizer));
            conflicts.AddRange(FindTokenConflicts(encoder.Tokenizer));
            conflicts.AddRange(
                TokenizerFit.Describe(encoder, config) is { } problem ? [$"vocabulary: {problem}"] : []
            );
        }

        return [.. conflicts.Select(MessageText.ToOneLine)];
    }

    /// <summary>Files may name different ends, as long as one names an end that another names too.</summary>
    static IEnumerable<string> FindEndConflicts(ModelFacts facts, Tokenizer? tokenizer)
    {
        List<(string File, IReadOnlyList<int> Ids)> named =
        [
            .. facts.Eos.Where(fact => fact.Ids.Count > 0),
            .. tokenizer?.EosId is { } id ? [("tokenizer_config.json", (IReadOnlyList<int>)[id])] : Array.Empty<(string, IReadOnlyList<int>)>(),
        ];
        var areApart = named.Any(one => named.Any(other => !one.Ids.Intersect(other.Ids).Any()));
        return areApart
            ? [$"eos: {string.Join(", ", named.Select(fact => $"{fact.File} {List(fact.Ids)}"))}; all of them end an answer"]
            : [];
    }

    static IEnumerable<string> FindIdConflicts(
        string fact,
        IReadOnlyList<(string File, int Id)> ids,
        string tokenizerFile,
        int? tokenizerId,
        string consequence
    )
    {
        List<(string File, int Id)> named = [.. ids, .. tokenizerId is { } id ? [(tokenizerFile, id)] : Array.Empty<(string, int)>()];
        return named.DistinctBy(one => one.Id).Count() > 1
            ? [$"{fact}: {string.Join(", ", named.Select(one => $"{one.File} {one.Id}"))}; {consequence}"]
            : [];
    }

    static IEnumerable<string> FindDtypeConflicts(string folder, DecoderConfig config, ModelFacts facts)
    {
        if (facts.Dtypes.Distinct().Count() > 1)
        {
            yield return $"dtype: config.json names {string.Join(" and ", facts.Dtypes.Distinct())}; "
                + $"the weights are read as {Name(config.Dtype)}";
        }

        if (facts.Dtypes.Count == 0 || !CheckpointReader.HasWeights(folder))
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

    static IEnumerable<string> FindTokenConflicts(Tokenizer tokenizer)
    {
        var others = tokenizer
            .Config.AddedTokensDecoder.Where(token => tokenizer.IdToToken(token.Key) != token.Value)
            .OrderBy(token => token.Key)
            .ToList();
        if (others is [var first, ..])
        {
            var count = others.Count == 1 ? "" : $" (and {others.Count - 1} more)";
            yield return $"added tokens: tokenizer_config.json has {first.Value} as id {first.Key}{count}, "
                + $"tokenizer.json {tokenizer.IdToToken(first.Key) ?? "nothing"}; the latter counts";
        }

        if (tokenizer.File.PaddingId is { } padding && tokenizer.PadId is { } pad && padding != pad)
        {
            yield return $"pad: tokenizer.json {padding}, tokenizer_config.json {pad}; no result depends on it here";
        }

        foreach (var conflict in tokenizer.Config.Conflicts)
        {
            yield return conflict;
        }
    }

    static string List(IReadOnlyList<int> ids) => string.Join(" and ", ids);

    static string Name(TorchSharp.torch.ScalarType dtype) => dtype.ToString().ToLowerInvariant();
}

/// <summary>What the configuration files of a model folder name, file by file.</summary>
sealed record ModelFacts
{
    /// <summary>Ids that end an answer.</summary>
    public required IReadOnlyList<(string File, IReadOnlyList<int> Ids)> Eos { get; init; }

    /// <summary>The id that begins a text.</summary>
    public required IReadOnlyList<(string File, int Id)> Bos { get; init; }

    /// <summary>The id of padding.</summary>
    public required IReadOnlyList<(string File, int Id)> Pad { get; init; }

    /// <summary>Number types, by either key.</summary>
    public required IReadOnlyList<string> Dtypes { get; init; }

    public static ModelFacts Read(string folder)
    {
        var root = ConfigJson.Read(Path.Combine(folder, "config.json"));
        var generationFile = Path.Combine(folder, "generation_config.json");
        List<ConfigJson> files = [root, .. File.Exists(generationFile) ? [ConfigJson.Read(generationFile)] : Array.Empty<ConfigJson>()];
        return new()
        {
            Eos = [.. files.Select(file => (Path.GetFileName(file.File), file.GetInt32s("eos_token_id") ?? []))],
            Bos = ReadIds(files, "bos_token_id"),
            Pad = ReadIds(files, "pad_token_id"),
            Dtypes = [.. ((string[])["dtype", "torch_dtype"]).Select(root.GetString).OfType<string>()],
        };
    }

    /// <summary>Where older tools had no id they wrote -1.</summary>
    static IReadOnlyList<(string File, int Id)> ReadIds(List<ConfigJson> files, string key) =>
        [
            .. files
                .Select(file => (Path.GetFileName(file.File), Id: file.GetInt32(key) ?? -1))
                .Where(one => one.Id >= 0),
        ];
}
