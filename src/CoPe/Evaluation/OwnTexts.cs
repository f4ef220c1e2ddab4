namespace CoPe.Evaluation;

/// <summary>What is counted once in a user's history, for all his predictions.</summary>
sealed class OwnTexts(IReadOnlyList<string> history)
{
    /// <summary>His manner.</summary>
    public StyleProfile Style { get; } = StyleProfile.Of(history);

    /// <summary>The four-word stretches of his texts.</summary>
    public HashSet<ulong> Stretches { get; } = TextMetrics.Stretches(history);
}
