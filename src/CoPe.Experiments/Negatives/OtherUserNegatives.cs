using CoPe.Experiments.Data;

namespace CoPe.Experiments.Negatives;

/// <summary>
/// Rejected answers from other users' texts, the ablations <c>random</c> and <c>similar</c> of CoPe's pseudo-negatives.
/// Texts of the same user and texts equal to the user's own (of a co-author, say) are never taken.
/// </summary>
/// <param name="texts">Texts of all users.</param>
sealed class OtherUserNegatives(IReadOnlyList<OtherUserText> texts)
{
    readonly Lazy<Bm25> _inputs = new(() => new Bm25([.. texts.Select(text => text.Input)]));

    /// <summary>A text drawn by the item's own seed; null where no other user has one.</summary>
    public OtherUserText? DrawRandom(CandidateItem item, long runSeed)
    {
        var seed = SeedDerivation.DeriveForItem(runSeed, item.UserId, item.ItemId);
        var others = texts.Where(text => IsUsable(text, item)).ToList();
        return others.Count == 0 ? null : others[(int)(new UniformGenerator(seed, 0).At(0) * others.Count)];
    }

    /// <summary>
    /// The text whose input is most similar to the item's by BM25, the first where several tie; null where no other
    /// user has one.
    /// </summary>
    public OtherUserText? FindSimilar(CandidateItem item, string input)
    {
        var scores = _inputs.Value.ComputeScores(input);
        var usable = Enumerable.Range(0, texts.Count).Where(index => IsUsable(texts[index], item));
        return usable.OrderByDescending(index => scores[index]).Select(index => texts[index]).FirstOrDefault();
    }

    static bool IsUsable(OtherUserText text, CandidateItem item)
    {
        var trimmed = text.Text.Trim();
        var isOwn = text.UserId == item.UserId;
        return !isOwn && trimmed.Length > 0 && !trimmed.Equals(item.Gold.Trim(), StringComparison.OrdinalIgnoreCase);
    }
}

/// <summary>A text that some user wrote, as a rejected answer for another.</summary>
/// <param name="UserId">Who wrote it.</param>
/// <param name="Input">What it answers: the item's input, by which similar ones are found.</param>
/// <param name="Text">The text.</param>
sealed record OtherUserText(string UserId, string Input, string Text);

/// <summary>Where the rejected answers of preference pairs come from.</summary>
public enum NegativeKind
{
    /// <summary>The task-adaptive model's own answers, chosen by implicit reward (the paper's).</summary>
    Pseudo,

    /// <summary>Another user's text, drawn at random.</summary>
    Random,

    /// <summary>The most similar text of another user.</summary>
    Similar,
}
