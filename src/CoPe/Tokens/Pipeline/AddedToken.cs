namespace CoPe.Tokens.Pipeline;

/// <summary>A token cut out of the text before anything else happens to it.</summary>
internal sealed record AddedToken
{
    public required int Id { get; init; }
    public required string Content { get; init; }
    public bool Special { get; init; }

    /// <summary>Matched only where no letter or digit touches it.</summary>
    public bool SingleWord { get; init; }

    /// <summary>Swallows white space on its left.</summary>
    public bool LeftStrip { get; init; }

    /// <summary>Swallows white space on its right.</summary>
    public bool RightStrip { get; init; }

    /// <summary>Matched in the normalised text instead of the raw one.</summary>
    public bool Normalized { get; init; }

    public static AddedToken Read(JsonPart part) => new()
    {
        Id = part["id"].Number(),
        Content = part["content"].Text(),
        Special = part["special"].Flag(false),
        SingleWord = part["single_word"].Flag(false),
        LeftStrip = part["lstrip"].Flag(false),
        RightStrip = part["rstrip"].Flag(false),
        Normalized = part["normalized"].Flag(!part["special"].Flag(false)),
    };
}
