using CoPe.Experiments.Tasks;

namespace CoPe.Experiments.Data.Samples;

/// <summary>Makes items, no two of the same content, and remembers what has been made.</summary>
sealed class SampleWorld(ulong seed)
{
    /// <summary>So many of a domain's first facts tell one piece of content from another.</summary>
    const int KeyFacts = 3;

    readonly SampleGrammar _grammar = SampleGrammar.Shipped;
    readonly HashSet<string> _told = [];
    int _items;

    /// <summary>The chance that a part of the data is made by; parts have streams of their own.</summary>
    public SampleRandom CreateRandom(string part) => new(SampleRandom.DeriveSeed(seed, part));

    /// <summary>The author of a name; the same in every task.</summary>
    public SampleAuthor CreateAuthor(string name) => new(SampleRandom.DeriveSeed(seed, "author " + name));

    /// <summary>The invented full name of the author of a name.</summary>
    public string CreateFullName(string name) =>
        new SampleExpander(
            _grammar,
            new Dictionary<string, string>(),
            null,
            new(SampleRandom.DeriveSeed(seed, "name " + name))
        ).Expand("person");

    /// <summary>
    /// A new item: content nobody has told yet, its answer in an author's style or, without one, in nobody's.
    /// </summary>
    public HistoryItem CreateItem(SampleTask task, SampleAuthor? author, SampleRandom draw) =>
        CreateItemWithFacts(task, author, draw).Item;

    /// <summary>A new document: an answer and the neutral text about the same content, on one line.</summary>
    public string CreateDocument(SampleTask task, SampleAuthor author, SampleRandom draw)
    {
        var (item, facts) = CreateItemWithFacts(task, author, draw);
        var neutral = SampleFormatting.FormatText(
            new SampleExpander(_grammar, facts, null, draw).Expand(task.NeutralText)
        );
        var answer = item.Fields[task.Task.OutputField];
        var (first, second) = task.Task.SingleLineAnswer ? (answer, neutral) : (neutral, answer);
        return char.IsLetterOrDigit(first[^1]) ? $"{first}. {second}" : $"{first} {second}";
    }

    (HistoryItem Item, IReadOnlyDictionary<string, string> Facts) CreateItemWithFacts(
        SampleTask task,
        SampleAuthor? author,
        SampleRandom draw
    )
    {
        var facts = DrawNewFacts(task.Domain, draw);
        var neutral = new SampleExpander(_grammar, facts, null, draw);
        var fields = task.Inputs.ToDictionary(
            input => input.Key,
            input => SampleFormatting.FormatText(neutral.Expand(input.Value))
        );
        fields[task.Task.OutputField] = CreateAnswer(task, facts, author, draw);
        return (new() { Id = $"{++_items}", Fields = fields }, facts);
    }

    /// <summary>The facts of content that nobody has told yet.</summary>
    internal IReadOnlyDictionary<string, string> DrawNewFacts(string domain, SampleRandom draw)
    {
        while (true)
        {
            var facts = SampleExpander.DrawFacts(_grammar, domain, draw);
            if (_told.Add(string.Join('|', _grammar.Facts(domain).Take(KeyFacts).Select(fact => facts[fact.Name]))))
            {
                return facts;
            }
        }
    }

    /// <summary>The answer to a piece of content as an author writes it; null is nobody.</summary>
    internal string CreateAnswer(
        SampleTask task,
        IReadOnlyDictionary<string, string> facts,
        SampleAuthor? author,
        SampleRandom draw
    )
    {
        var expansion = new SampleExpander(_grammar, facts, author, draw);
        var text = expansion.Expand(author is null ? task.UnstyledOutput : task.Output);
        return (task.Task.SingleLineAnswer, author) switch
        {
            (true, null) => SampleFormatting.FormatLine(text, "sentence", "none"),
            (false, null) => SampleFormatting.FormatText(text),
            (true, _) => SampleFormatting.FormatLine(
                text,
                expansion.Expand("case.short"),
                expansion.Expand("stop.short")
            ),
            (false, _) => SampleFormatting.FormatText(text, expansion.Expand("case.long")),
        };
    }
}

/// <summary>
/// An invented author: at every choice of style he has a favourite, a second one, and now and then an exception.
/// </summary>
sealed class SampleAuthor(ulong seed)
{
    const double FavouriteShare = 0.75,
        SecondShare = 0.17;

    /// <summary>Which of a symbol's alternatives he takes this time.</summary>
    public int Choose(string symbol, int count, SampleRandom draw)
    {
        var habit = new SampleRandom(SampleRandom.DeriveSeed(seed, symbol));
        var favourite = habit.Next(count);
        var second = habit.Next(count);
        return draw.NextDouble() switch
        {
            < FavouriteShare => favourite,
            < FavouriteShare + SecondShare => second,
            _ => draw.Next(count),
        };
    }
}

/// <summary>A stream of chance that is the same on every machine and runtime (SplitMix64).</summary>
sealed class SampleRandom(ulong seed)
{
    ulong _state = seed;

    /// <summary>A seed made of another and of a name.</summary>
    public static ulong DeriveSeed(ulong seed, string name)
    {
        var hash = seed ^ 0xCBF29CE484222325;
        foreach (var letter in name)
        {
            hash = (hash ^ letter) * 0x100000001B3; // FNV-1a
        }

        return new SampleRandom(hash).NextBits();
    }

    /// <summary>A whole number from 0 to below the bound.</summary>
    public int Next(int bound) => (int)(NextDouble() * bound);

    /// <summary>A number from 0 to below 1.</summary>
    public double NextDouble() => (NextBits() >> 11) * (1.0 / (1UL << 53));

    ulong NextBits()
    {
        var bits = _state += 0x9E3779B97F4A7C15;
        bits = (bits ^ (bits >> 30)) * 0xBF58476D1CE4E5B9;
        bits = (bits ^ (bits >> 27)) * 0x94D049BB133111EB;
        return bits ^ (bits >> 31);
    }
}
