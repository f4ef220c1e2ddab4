using CoPe.Data;

namespace CoPe.Negatives;

/// <summary>
/// Rejected answers from other users' texts, the ablations <c>random</c> and <c>similar</c> of CoPe's pseudo-negatives. Texts of the user himself and texts equal to his own
/// (of a co-author, say) are never taken.
/// </summary>
/// <param name="texts">Texts of all users.</param>
public sealed class BorrowedNegatives(IReadOnlyList<OtherText> texts)
{
    readonly Lazy<Bm25> _inputs = new(() => new Bm25([.. texts.Select(text => text.Input)]));

    /// <summary>A text drawn by the item's own seed; null where no other user has one.</summary>
    public OtherText? Random(CandidateItem item, long runSeed)
    {
        var seed = CandidateGenerator.SeedOf(runSeed, item.UserId, item.ItemId);
        var others = texts.Where(text => IsUsable(text, item)).ToList();
        return others.Count == 0 ? null : others[(int)(new Decoding.UniformSequence(seed, 0).At(0) * others.Count)];
    }

    /// <summary>The text whose input is nearest to the item's by BM25, the first where several tie; null where no other user has one.</summary>
    public OtherText? Similar(CandidateItem item, string input)
    {
        var scores = _inputs.Value.Scores(input);
        var best = Enumerable.Range(0, texts.Count).Where(index => IsUsable(texts[index], item)).OrderByDescending(index => scores[index]).Select(index => (int?)index).FirstOrDefault();
        return best is { } found ? texts[found] : null;
    }

    static bool IsUsable(OtherText text, CandidateItem item) =>
        text.UserId != item.UserId && text.Text.Trim().Length > 0 && !string.Equals(text.Text.Trim(), item.Gold.Trim(), StringComparison.OrdinalIgnoreCase);
}
