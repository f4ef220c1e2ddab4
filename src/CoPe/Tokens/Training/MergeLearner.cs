using System.Text;
using CoPe.Tokens.Pipeline;

namespace CoPe.Tokens.Training;

/// <summary>Learns merges one by one, counting again only in the words that a merge touches.</summary>
sealed class MergeLearner
{
    readonly int _minimumCount;
    readonly int _maximumLength;
    readonly int[][] _words;
    readonly long[] _wordCounts;
    readonly Dictionary<long, long> _pairCounts = [];
    readonly Dictionary<long, List<int>> _pairWords = []; // words that have held a pair; some may no longer
    readonly PriorityQueue<(long Pair, long Count), (long NegativeCount, long Pair)> _queue = new();
    readonly List<string> _tokens;
    readonly List<(string, string)> _merges = [];

    public MergeLearner(IReadOnlyList<(string Word, long Count)> words, BpeTrainingOptions options)
    {
        _minimumCount = options.MinimumCount;
        _maximumLength = options.MaximumTokenBytes;
        _tokens =
        [
            .. Enumerable
                .Range(0, 256)
                .Select(b => ByteLevelAlphabet.ToCharacter((byte)b).ToString())
                .Order(StringComparer.Ordinal),
        ];
        var ids = _tokens.Select((token, id) => (token[0], id)).ToDictionary();
        _words = [.. words.Select(word => ByteLevelAlphabet.Encode(word.Word).Select(c => ids[c]).ToArray())];
        _wordCounts = [.. words.Select(word => word.Count)];
        for (var w = 0; w < _words.Length; w++)
        {
            UpdateCounts(w, +1);
        }

        foreach (var pair in _pairCounts.Keys)
        {
            Enqueue(pair);
        }
    }

    public int MergeCount => _merges.Count;

    /// <summary>Tokens in the order of their ids.</summary>
    public IReadOnlyList<string> Tokens => _tokens;

    /// <summary>Merges in the order of their ranks.</summary>
    public IReadOnlyList<(string Left, string Right)> Merges => _merges;

    /// <summary>Merges the most frequent pair; false where none is frequent enough.</summary>
    public bool LearnNext()
    {
        while (_queue.TryDequeue(out var best, out _))
        {
            var hasChanged = _pairCounts[best.Pair] != best.Count;
            if (!hasChanged)
            {
                Merge(best.Pair);
                return true;
            }

            Enqueue(best.Pair);
        }

        return false;
    }

    void Merge(long pair)
    {
        var left = (int)(pair >> 32);
        var right = (int)pair;
        var merged = _tokens.Count;
        _merges.Add((_tokens[left], _tokens[right]));
        _tokens.Add(_tokens[left] + _tokens[right]);
        var touched = new HashSet<long>();
        foreach (var w in _pairWords[pair])
        {
            if (!Contains(_words[w], left, right))
            {
                continue;
            }

            UpdateCounts(w, -1);
            _words[w] = Replace(_words[w], left, right, merged);
            UpdateCounts(w, +1, touched, merged);
        }

        _pairWords.Remove(pair);
        foreach (var grown in touched)
        {
            Enqueue(grown);
        }
    }

    /// <summary>
    /// Adds or takes away a word's pairs; those with the new symbol are collected, as only their counts can have grown.
    /// </summary>
    void UpdateCounts(int w, int sign, HashSet<long>? touched = null, int merged = -1)
    {
        var word = _words[w];
        for (var i = 0; i + 1 < word.Length; i++)
        {
            var pair = BpeVocabulary.PackPair(word[i], word[i + 1]);
            _pairCounts[pair] = _pairCounts.GetValueOrDefault(pair) + (sign * _wordCounts[w]);
            var hasMerged = word[i] == merged || word[i + 1] == merged;
            if (sign < 0 || (touched is not null && !hasMerged))
            {
                continue;
            }

            touched?.Add(pair);
            if (!_pairWords.TryGetValue(pair, out var words))
            {
                _pairWords[pair] = words = [];
            }

            if (words.Count == 0 || words[^1] != w)
            {
                words.Add(w);
            }
        }
    }

    void Enqueue(long pair)
    {
        var count = _pairCounts[pair];
        var length = _tokens[(int)(pair >> 32)].Length + _tokens[(int)pair].Length;
        if (count >= _minimumCount && length <= _maximumLength)
        {
            _queue.Enqueue((pair, count), (-count, pair));
        }
    }

    static bool Contains(int[] word, int left, int right)
    {
        for (var i = 0; i + 1 < word.Length; i++)
        {
            if (word[i] == left && word[i + 1] == right)
            {
                return true;
            }
        }

        return false;
    }

    static int[] Replace(int[] word, int left, int right, int merged)
    {
        var symbols = new List<int>(word.Length);
        for (var i = 0; i < word.Length; i++)
        {
            var isPair = i + 1 < word.Length && word[i] == left && word[i + 1] == right;
            symbols.Add(isPair ? merged : word[i]);
            if (isPair)
            {
                i++;
            }
        }

        return [.. symbols];
    }
}

/// <summary>How often each word of the pre-tokenizer occurs in texts.</summary>
static class WordCounts
{
    /// <summary>Words and counts in the order of the words, so that the order of the texts does not matter.</summary>
    public static IReadOnlyList<(string Word, long Count)> Count(
        IEnumerable<string> texts,
        IReadOnlyList<string> specialTokens,
        CancellationToken cancellation
    )
    {
        var splitter = new AddedTokenSplitter(
            specialTokens.Select((content, id) => AddedToken.CreateSpecial(id, content))
        );
        var split = WordPattern.FindScanner(WordPattern.SingleDigits)!;
        var counts = new Dictionary<string, long>(StringComparer.Ordinal);
        var lookup = counts.GetAlternateLookup<ReadOnlySpan<char>>();
        var pieces = new List<TextPiece>();
        foreach (var text in texts)
        {
            cancellation.ThrowIfCancellationRequested();
            foreach (var (start, length, token) in splitter.Split(text))
            {
                if (token is not null)
                {
                    continue;
                }

                var segment = UnicodeNormalization.Normalize(text.Substring(start, length), NormalizationForm.FormC);
                pieces.Clear();
                split(new TextPiece(segment, 0, segment.Length, true), pieces);
                foreach (var piece in pieces)
                {
                    lookup[piece.Span] = lookup.TryGetValue(piece.Span, out var count) ? count + 1 : 1;
                }
            }
        }

        return [.. counts.OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => (pair.Key, pair.Value))];
    }
}
