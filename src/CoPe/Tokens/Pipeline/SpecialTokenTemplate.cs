namespace CoPe.Tokens.Pipeline;

/// <summary>What the post-processor puts before and after the ids of a text.</summary>
internal sealed record SpecialTokenTemplate(int[] Before, int[] After)
{
    const string Known = "TemplateProcessing, ByteLevel, Sequence";

    public static SpecialTokenTemplate Read(JsonPart part)
    {
        if (part.IsAbsent) return new SpecialTokenTemplate([], []);
        var type = part["type"].Text();
        return type switch
        {
            "ByteLevel" => new SpecialTokenTemplate([], []), // concerns offsets only
            "Sequence" => part["processors"].Items().Select(Read)
                .Aggregate(new SpecialTokenTemplate([], []), (inner, outer) => new SpecialTokenTemplate([.. outer.Before, .. inner.Before], [.. inner.After, .. outer.After])),
            "TemplateProcessing" => ReadTemplate(part),
            _ => throw part.Unknown("post-processor", type, Known),
        };
    }

    static SpecialTokenTemplate ReadTemplate(JsonPart part)
    {
        List<int> before = [], after = [];
        var seen = false;
        foreach (var item in part["single"].Items())
        {
            if (!item["Sequence"].IsAbsent) { seen = !seen ? true : throw item.Fail("names the text a second time"); continue; }
            var name = item["SpecialToken"]["id"].Text();
            (seen ? after : before).AddRange(part["special_tokens"][name]["ids"].Items().Select(id => id.Number()));
        }
        return seen ? new SpecialTokenTemplate([.. before], [.. after]) : throw part["single"].Fail("has no place for the text");
    }
}
