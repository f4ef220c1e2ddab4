namespace CoPe.Decoding;

/// <summary>A row as far as its prompt goes: rows that wear the same adapters compute the same from the same tokens.</summary>
readonly record struct PromptRow(IReadOnlyList<int> Prompt, WornAdapters Worn)
{
    /// <summary>Tokens to compute before the first step, which feeds the last one.</summary>
    public int Columns => Prompt.Count - 1;

    /// <summary>How many of the first columns are the same in both prompts.</summary>
    public int InCommon(PromptRow other)
    {
        var most = Math.Min(Columns, other.Columns);
        if (ReferenceEquals(Prompt, other.Prompt)) return most;
        var same = 0;
        while (same < most && Prompt[same] == other.Prompt[same]) same++;
        return same;
    }
}
