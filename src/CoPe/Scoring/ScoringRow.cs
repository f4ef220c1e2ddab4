using CoPe.Adapters;

namespace CoPe.Scoring;

/// <summary>One row of a scoring pass: some or all responses of an item under one selection of adapters.</summary>
/// <param name="Item">Index of the item.</param>
/// <param name="Selection">Index in the item's selections of adapters.</param>
/// <param name="Responses">Indices of the item's responses, in the order of the row.</param>
/// <param name="Adapters">The adapters of the row.</param>
/// <param name="Prompt">The item's prompt with these responses.</param>
sealed record ScoringRow(
    int Item,
    int Selection,
    IReadOnlyList<int> Responses,
    AdapterSelection Adapters,
    BranchedPrompt Prompt
)
{
    /// <summary>
    /// The rows of an item: for each selection of adapters one row with all responses, or one row for each response,
    /// whichever is less work for a model with <paramref name="hiddenSize"/> units a layer.
    /// </summary>
    public static IEnumerable<ScoringRow> CreateRows(
        int index,
        ScoringItem item,
        AdapterBanks banks,
        int hiddenSize,
        bool sharePrompts
    )
    {
        var all = Enumerable.Range(0, item.Responses.Count).ToList();
        var isShared = sharePrompts && IsSharingCheaper(item, hiddenSize);
        List<List<int>> groups = isShared ? [all] : [.. all.Select(response => new List<int> { response })];
        for (var selection = 0; selection < item.Adapters.Count; selection++)
        {
            var invocations = banks.FindInvocations(item.Adapters[selection]).ToList();
            foreach (var group in groups)
            {
                IReadOnlyList<int>[] responses = [.. group.Select(response => item.Responses[response])];
                var prompt = BranchedPrompt.Create(item.Prompt, responses, invocations);
                yield return new(index, selection, group, item.Adapters[selection], prompt);
            }
        }
    }

    static bool IsSharingCheaper(ScoringItem item, int hiddenSize)
    {
        var promptLength = item.Prompt.Count;
        var together = EstimateCost(promptLength + item.Responses.Sum(response => response.Count), hiddenSize);
        var apart = item.Responses.Sum(response => EstimateCost(promptLength + response.Count, hiddenSize));
        return together < apart;
    }

    /// <summary>
    /// A layer costs about <c>12 hidden^2</c> per token in its linears and <c>2 hidden * length</c> per token in
    /// attention; a common factor is left out.
    /// </summary>
    static double EstimateCost(double length, int hiddenSize) => length * (6.0 * hiddenSize + length);
}
