namespace CoPe.Tokens.Training;

/// <summary>
/// Trains a byte-level byte-pair tokenizer with Qwen's pipeline (NFC, words with the character before them, digits one by one):
/// again and again the most frequent pair of neighbouring symbols becomes a symbol, among equals the pair of lower ids.
/// The same texts in the same order, or in another, give the same tokenizer.
/// </summary>
public static class BpeTrainer
{
    /// <summary>Trains on texts; special-token text in them is left out.</summary>
    /// <param name="texts">The texts, read once.</param>
    /// <param name="options">What the tokenizer is to be.</param>
    /// <param name="progress">Told the number of merges from time to time.</param>
    /// <param name="cancellation">Stops the work.</param>
    /// <exception cref="ArgumentException">The options make no tokenizer.</exception>
    public static TrainedTokenizer Train(
        IEnumerable<string> texts, BpeTrainingOptions options, IProgress<StageProgress>? progress = null, CancellationToken cancellation = default)
    {
        options.Validate();
        var words = WordCounts.Of(texts, options.SpecialTokens, cancellation);
        var learner = new MergeLearner(words, options);
        var wanted = options.VocabularySize - 256 - options.SpecialTokens.Count;
        while (learner.MergeCount < wanted && learner.LearnOne())
        {
            if (learner.MergeCount % 64 != 0) continue;
            cancellation.ThrowIfCancellationRequested();
            progress?.Report(new StageProgress { Stage = "train tokenizer", Done = learner.MergeCount, Total = wanted, Unit = "merges" });
        }
        return new TrainedTokenizer(options, learner.Tokens, learner.Merges);
    }
}
