namespace CoPe.Tokens.Pipeline;

/// <summary>
/// The chat template of a folder. Several files may hold one; they count in the order of transformers' tokenizers:
/// chat_template.jinja, then tokenizer_config.json. Last comes what only processors of images read,
/// chat_template.json.
/// </summary>
/// <param name="Used">The template that counts, if there is one.</param>
/// <param name="Conflicts">Where another file has another one, in a line each.</param>
readonly record struct ChatTemplateFiles(string? Used, IReadOnlyList<string> Conflicts)
{
    /// <summary>Reads them.</summary>
    /// <param name="folder">The model folder.</param>
    /// <param name="config">Its tokenizer_config.json, if it has one.</param>
    public static ChatTemplateFiles Read(string folder, JsonPart? config)
    {
        List<(string File, string Template)> found = [];
        var jinja = Path.Combine(folder, "chat_template.jinja");
        if (File.Exists(jinja))
        {
            found.Add(("chat_template.jinja", ReadText(jinja)));
        }

        if (
            config?["chat_template"] is { IsAbsent: false } inConfig
            && FindDefault(inConfig, found.Count > 0) is { } own
        )
        {
            found.Add(("tokenizer_config.json", own));
        }

        var json = Path.Combine(folder, "chat_template.json");
        if (File.Exists(json))
        {
            found.Add(("chat_template.json", JsonPart.Read(json)["chat_template"].GetString()));
        }

        if (found is not [var used, .. var others])
        {
            return new(null, []);
        }

        var conflicts = others
            .Where(other => other.Template.Trim() != used.Template.Trim())
            .Select(other => $"chat template: that of {other.File} differs from that of {used.File}, which counts");
        return new(used.Template, [.. conflicts]);
    }

    /// <summary>The template itself, or the one of a list that is named default.</summary>
    static string? FindDefault(JsonPart template, bool isOptional)
    {
        if (template.IsString)
        {
            return template.GetString();
        }

        foreach (var named in template.EnumerateArray())
        {
            if (named["name"].GetString() == "default")
            {
                return named["template"].GetString();
            }
        }

        return isOptional ? null : throw template.Error("holds several templates, none of them named \"default\"");
    }

    static string ReadText(string file)
    {
        try
        {
            return TextEncoding.ReadAllText(file);
        }
        catch (InvalidDataException error)
        {
            throw new TokenizerException(file, "", error.Message, error);
        }
    }
}
