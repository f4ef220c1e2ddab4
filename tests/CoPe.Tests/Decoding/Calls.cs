using CoPe.Decoding;
using CoPe.Negatives;

namespace CoPe.Tests.Decoding;

/// <summary>The calls under test, stoppable by the runner.</summary>
static class Calls
{
    static CancellationToken Stop => TestContext.Current.CancellationToken;

    public static IReadOnlyList<DecodingResult> InOrder(this DecodingEngine engine, IReadOnlyList<DecodingRequest> requests) => engine.GenerateInOrder(requests, cancellation: Stop);

    public static IEnumerable<DecodingResult> Stream(this DecodingEngine engine, IEnumerable<DecodingRequest> requests) => engine.Generate(requests, cancellation: Stop);

    public static IReadOnlyList<ScoredResponse> Scores(this SequenceScorer scorer, IEnumerable<ScoringItem> items) => scorer.Score(items, Stop);

    public static IReadOnlyList<ScoredItem> Scores(this CandidateScorer scorer, IReadOnlyList<ItemToScore> items) => scorer.Score(items, Stop);

    public static IEnumerable<CandidateSet> Sets(this CandidateGenerator generator, IEnumerable<CandidateItem> items, long seed) => generator.Generate(items, seed, cancellation: Stop);
}
