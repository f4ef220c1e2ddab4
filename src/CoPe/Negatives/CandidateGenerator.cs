using System.Security.Cryptography;
using System.Text;
using CoPe.Decoding;

namespace CoPe.Negatives;

/// <summary>
/// Draws candidates for rejected answers from the task-adaptive model on the users' own history prompts (CoPe section 3.2; reference: <c>sampling.py</c>), the items of all users in
/// one queue. What an item gets depends on the run's seed, the user and the item alone, so a resumed or re-ordered run draws the same.
/// </summary>
/// <param name="engine">An engine with the task's adapter.</param>
/// <param name="decode">Text of ids, special tokens dropped.</param>
/// <param name="options">How many, and how.</param>
public sealed class CandidateGenerator(DecodingEngine engine, Func<IEnumerable<int>, string> decode, CandidateOptions options)
{
    /// <summary>Draws for every item and returns each item's set as soon as it is complete.</summary>
    /// <param name="items">The items; a user's item may come once.</param>
    /// <param name="seed">The run's seed.</param>
    /// <param name="progress">Told of answers drawn.</param>
    /// <param name="cancellation">Looked at before every step.</param>
    public IEnumerable<CandidateSet> Generate(IEnumerable<CandidateItem> items, long seed, IProgress<StageProgress>? progress = null, CancellationToken cancellation = default)
    {
        var waiting = items.Select(item => new Drawing(item)).ToList();
        for (var round = 0; waiting.Count > 0; round++)
        {
            var isLast = round == options.Redraws;
            foreach (var drawing in Draw(waiting, seed, progress, cancellation))
                if (isLast || drawing.Usable >= options.Count) yield return drawing.ToSet();
            waiting = isLast ? [] : waiting.FindAll(drawing => drawing.Usable < options.Count); // in the order of the items, whichever ended first
        }
    }

    /// <summary>The seed of an item: the first 64 bits of SHA-256 over run seed, user and item, each with its length.</summary>
    public static long SeedOf(long runSeed, string userId, string itemId) =>
        BitConverter.ToInt64(SHA256.HashData(Encoding.UTF8.GetBytes($"{runSeed} {userId.Length} {userId} {itemId.Length} {itemId}")));

    IEnumerable<Drawing> Draw(List<Drawing> drawings, long seed, IProgress<StageProgress>? progress, CancellationToken cancellation)
    {
        var byId = drawings.ToDictionary(drawing => $"{drawing.Item.UserId.Length} {drawing.Item.UserId} {drawing.Item.ItemId}");
        var requests = byId.Select(pair => pair.Value.Begin(pair.Key, options, SeedOf(seed, pair.Value.Item.UserId, pair.Value.Item.ItemId))).ToList();
        foreach (var result in engine.Generate(requests, progress, cancellation))
        {
            var drawing = byId[result.RequestId];
            if (drawing.Take(result, decode(result.Ids).Trim())) yield return drawing;
        }
    }

    /// <summary>An item and what has been drawn for it.</summary>
    sealed class Drawing(CandidateItem item)
    {
        readonly SortedDictionary<int, Candidate> _usable = [];
        int _drawn;
        int _outstanding;

        public CandidateItem Item => item;

        public int Usable => _usable.Count;

        public DecodingRequest Begin(string id, CandidateOptions options, long seed)
        {
            var first = _drawn;
            _outstanding = options.Count - _usable.Count;
            _drawn += _outstanding;
            return new DecodingRequest { Id = id, Prompt = item.Prompt, Options = options.Decoding, Seed = seed, Expert = WornAdapters.TaskAdaptiveModel, Samples = _outstanding, FirstSample = first };
        }

        /// <summary>Keeps a draw if it is usable; true where it was the last outstanding.</summary>
        public bool Take(DecodingResult result, string text)
        {
            if (item.Accepts(text))
                _usable[result.Sample] = new Candidate(text, result.Ids, result.StopReason);
            return --_outstanding == 0;
        }

        public CandidateSet ToSet() => new(item.UserId, item.ItemId, [.. _usable.Values], _drawn - _usable.Count);
    }
}
