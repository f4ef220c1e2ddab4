using System.ComponentModel.DataAnnotations;

namespace CoPe.Runs.Recipes;

/// <summary>What the methods <c>rag</c>, <c>recent</c> and <c>pag</c> put into the prompt. Where it is too long for the model items are left out, never the query.</summary>
public sealed record ContextSettings
{
    /// <summary>Items of the user's history in a prompt (the reference's <c>k</c>).</summary>
    [Range(1, 1000)]
    public int Items { get; init; } = 4;

    /// <summary>Most words of each field of an item.</summary>
    [Range(1, int.MaxValue)]
    public int ItemWords { get; init; } = 100;

    /// <summary>Latest items of the history from which the model describes the user.</summary>
    [Range(1, 1000)]
    public int ProfileItems { get; init; } = 12;

    /// <summary>Most tokens of that description.</summary>
    [Range(1, int.MaxValue)]
    public int ProfileTokens { get; init; } = 96;

    /// <summary>Ask the task-adaptive model instead of the base model.</summary>
    public bool Tam { get; init; }
}
