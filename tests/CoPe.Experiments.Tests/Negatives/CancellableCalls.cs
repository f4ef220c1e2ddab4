using CoPe.Experiments.Negatives;

namespace CoPe.Experiments.Tests.Negatives;

/// <summary>The calls under test, stoppable by the runner.</summary>
static class CancellableCalls
{
    static CancellationToken Stop => TestContext.Current.CancellationToken;

    public static IReadOnlyList<ScoredCandidates> Scores(
        this CandidateScorer scorer,
        IReadOnlyList<CandidatesToScore> items
    ) => scorer.Score(items, Stop);

    public static IEnumerable<CandidateSet> Sets(
        this CandidateGenerator generator,
        IEnumerable<CandidateItem> items,
        long seed
    ) => generator.Generate(items, seed, cancellation: Stop);
}
