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
    /// <summary>What is computed before the row; null where it is computed whole.</summary>
    public PromptPrefix? Prefix { get; private init; }

    /// <summary>The length by which passes are divided.</summary>
    public int PassLength => PromptPrefix.ComputePassLength(Prompt, Prefix);

    /// <summary>
    /// The rows of an item: for each selection of adapters one row with all responses, or one row for each response,
    /// whichever is less work for a model with <paramref name="hiddenSize"/> units a layer. Where one of the selections
    /// acts on the answer alone, it and those of frozen adapters share what comes before.
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
        List<IReadOnlyList<int>> answerInvocations = sharePrompts
            ? [.. item.Adapters.SelectMany(banks.FindInvocations).DistinctBy(tokens => string.Join(' ', tokens))]
            : [];
        var known = new BranchedPrompt(item.Prompt, [.. item.Responses]).CountUntouched(answerInvocations);
        var isShared = sharePrompts && IsSharingCheaper(item, known, hiddenSize);
        List<List<int>> groups = isShared ? [all] : [.. all.Select(response => new List<int> { response })];
        for (var selection = 0; selection < item.Adapters.Count; selection++)
        {
            var adapters = item.Adapters[selection];
            var invocations = banks.FindInvocations(adapters).ToList();
            foreach (var group in groups)
            {
                IReadOnlyList<int>[] responses = [.. group.Select(response => item.Responses[response])];
                var prompt = BranchedPrompt.Create(item.Prompt, responses, invocations);
                yield return new(index, selection, group, adapters, prompt)
                {
                    Prefix = banks.UsesUserEverywhere(adapters)
                        ? null
                        : PromptPrefix.Create(prompt, banks.FindTask(adapters), answerInvocations),
                };
            }
        }
    }

    static bool IsSharingCheaper(ScoringItem item, int known, int hiddenSize)
    {
        var promptLength = item.Prompt.Count - known;
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
