using CoPe.Adapters;
using CoPe.Decoding;

namespace CoPe.Experiments.Negatives;

/// <summary>
/// Draws candidates for rejected answers from the task-adaptive model on the users' own history prompts (CoPe section
/// 3.2; reference: <c>sampling.py</c>), the items of all users in one queue. What is drawn for an item depends on the
/// run's seed, the user and the item alone, so that a resumed or reordered run draws the same.
/// </summary>
/// <param name="engine">An engine with the task's adapter.</param>
/// <param name="decode">Text of ids, special tokens dropped.</param>
/// <param name="options">How many, and how.</param>
/// <param name="hasTaskAdapter">
/// Whether the task-adaptive model has an adapter; otherwise it is the base model alone.
/// </param>
public sealed class CandidateGenerator(
    DecodingEngine engine,
    Func<IEnumerable<int>, string> decode,
    NegativesOptions options,
    bool hasTaskAdapter = true
)
{
    /// <summary>Draws for every item and returns each item's set as soon as it is complete.</summary>
    /// <param name="items">The items; a user's item may come once.</param>
    /// <param name="seed">The run's seed.</param>
    /// <param name="progress">Receives how many answers are drawn.</param>
    /// <param name="cancellation">Checked before every step.</param>
    public IEnumerable<CandidateSet> Generate(
        IEnumerable<CandidateItem> items,
        long seed,
        IProgress<StageProgress>? progress = null,
        CancellationToken cancellation = default
    )
    {
        var waiting = items.Select(item => new Drawing(item, AdapterSelection.Create(hasTaskAdapter, null))).ToList();
        for (var round = 0; waiting.Count > 0; round++)
        {
            var isLast = round == options.Redraws;
            foreach (var drawing in Draw(waiting, seed, progress, cancellation))
            {
                if (isLast || drawing.Usable >= options.Candidates)
                {
                    yield return drawing.ToSet();
                }
            }

            // In the order of the items, whichever ended first.
            waiting = isLast ? [] : waiting.FindAll(drawing => drawing.Usable < options.Candidates);
        }
    }

    IEnumerable<Drawing> Draw(
        List<Drawing> drawings,
        long seed,
        IProgress<StageProgress>? progress,
        CancellationToken cancellation
    )
    {
        var byId = drawings.ToDictionary(drawing => drawing.RequestId);
        var requests = drawings.Select(drawing => drawing.CreateRequest(options, seed)).ToList();
        foreach (var result in engine.Generate(requests, progress, cancellation))
        {
            var drawing = byId[result.RequestId];
            drawing.Add(result, decode(result.Ids).Trim());
            if (drawing.IsComplete)
            {
                yield return drawing;
            }
        }
    }

    /// <summary>An item and what has been drawn for it.</summary>
    sealed class Drawing(CandidateItem item, AdapterSelection adapters)
    {
        readonly SortedDictionary<int, Candidate> _usable = [];
        int _drawn;
        int _outstanding;

        /// <summary>Whether every requested draw is back.</summary>
        public bool IsComplete => _outstanding == 0;

        public int Usable => _usable.Count;

        /// <summary>Identifies the item; the length keeps user and item apart.</summary>
        public string RequestId => $"{item.UserId.Length} {item.UserId} {item.ItemId}";

        /// <summary>The request for as many draws as are missing.</summary>
        public DecodingRequest CreateRequest(NegativesOptions options, long runSeed)
        {
            var first = _drawn;
            _outstanding = options.Candidates - _usable.Count;
            _drawn += _outstanding;
            return new DecodingRequest
            {
                Id = RequestId,
                Prompt = item.Prompt,
                Options = options.CreateDecodingOptions(),
                Seed = SeedDerivation.DeriveForItem(runSeed, item.UserId, item.ItemId),
                Expert = adapters,
                Samples = _outstanding,
                FirstSample = first,
            };
        }

        /// <summary>Keeps a draw if it is usable.</summary>
        public void Add(DecodingResult result, string text)
        {
            _outstanding--;
            if (item.Accepts(text))
            {
                _usable[result.Sample] = new Candidate(text, result.Ids, result.StopReason);
            }
        }

        public CandidateSet ToSet() => new(item.UserId, item.ItemId, [.. _usable.Values], _drawn - _usable.Count);
    }
}

/// <summary>A history item that needs candidates.</summary>
/// <param name="UserId">The user.</param>
/// <param name="ItemId">The item, unique within the user.</param>
/// <param name="Prompt">Ids of the item's prompt.</param>
/// <param name="Gold">The text the user really wrote, which no candidate may repeat.</param>
public sealed record CandidateItem(string UserId, string ItemId, IReadOnlyList<int> Prompt, string Gold)
{
    /// <summary>Whether a drawn text can be a rejected answer: it is not empty, and not what the user wrote.</summary>
    public bool Accepts(string text)
    {
        var trimmed = text.Trim();
        return trimmed.Length > 0 && !string.Equals(trimmed, Gold.Trim(), StringComparison.Ordinal);
    }
}

/// <summary>The candidates of one history item, in the order they were drawn.</summary>
/// <param name="UserId">The user.</param>
/// <param name="ItemId">The item.</param>
/// <param name="Candidates">Usable candidates; fewer than wanted where drawing again did not help.</param>
/// <param name="Dropped">Draws that were empty or the user's own text.</param>
public sealed record CandidateSet(string UserId, string ItemId, IReadOnlyList<Candidate> Candidates, int Dropped);

/// <summary>One drawn answer.</summary>
/// <param name="Text">Its text, trimmed.</param>
/// <param name="TokenIds">Its ids as drawn, a stop id included.</param>
/// <param name="StopReason">Why it ended: anything but a stop token means that it was cut.</param>
public sealed record Candidate(string Text, IReadOnlyList<int> TokenIds, StopReason StopReason);
