using CoPe.Experiments.Tasks;

namespace CoPe.Experiments.Data.Samples;

/// <summary>Creates items, no two of the same content, and remembers what has been used.</summary>
sealed class SampleWorld(ulong seed)
{
    /// <summary>Two pieces of content are the same where so many of their domain's first facts are.</summary>
    const int KeyFacts = 3;

    readonly SampleGrammar _grammar = SampleGrammar.Shipped;
    readonly HashSet<string> _usedContents = [];
    int _items;

    /// <summary>The random numbers of a part of the data; every part has a stream of its own.</summary>
    public SampleRandom CreateRandom(string part) => new(SeedDerivation.DeriveForSamples(seed, part));

    /// <summary>The author with a name; the same in every task.</summary>
    public SampleAuthor CreateAuthor(string name) => new(SeedDerivation.DeriveForSamples(seed, "author " + name));

    /// <summary>The invented full name of the author with a name.</summary>
    public string CreateFullName(string name)
    {
        var random = new SampleRandom(SeedDerivation.DeriveForSamples(seed, "name " + name));
        return new SampleExpander(_grammar, new Dictionary<string, string>(), null, random).Expand("person");
    }

    /// <summary>
    /// A new item: content that is not used yet, its answer in the author's style or, without an author, in none.
    /// </summary>
    public HistoryItem CreateItem(SampleTask task, SampleAuthor? author, SampleRandom random) =>
        CreateItemWithFacts(task, author, random).Item;

    /// <summary>A new document: an answer and the neutral text about the same content, on one line.</summary>
    public string CreateDocument(SampleTask task, SampleAuthor author, SampleRandom random)
    {
        var (item, facts) = CreateItemWithFacts(task, author, random);
        var expander = new SampleExpander(_grammar, facts, null, random);
        var neutral = SampleFormatting.FormatText(expander.Expand(task.NeutralText));
        var answer = item.Fields[task.Task.OutputField];
        var (first, second) = task.Task.SingleLineAnswer ? (answer, neutral) : (neutral, answer);
        return char.IsLetterOrDigit(first[^1]) ? $"{first}. {second}" : $"{first} {second}";
    }

    (HistoryItem Item, IReadOnlyDictionary<string, string> Facts) CreateItemWithFacts(
        SampleTask task,
        SampleAuthor? author,
        SampleRandom random
    )
    {
        var facts = DrawNewFacts(task.Domain, random);
        var neutral = new SampleExpander(_grammar, facts, null, random);
        var fields = task.Inputs.ToDictionary(
            input => input.Key,
            input => SampleFormatting.FormatText(neutral.Expand(input.Value))
        );
        fields[task.Task.OutputField] = CreateAnswer(task, facts, author, random);
        return (new() { Id = $"{++_items}", Fields = fields }, facts);
    }

    /// <summary>The facts of content that is not used yet.</summary>
    internal IReadOnlyDictionary<string, string> DrawNewFacts(string domain, SampleRandom random)
    {
        while (true)
        {
            var facts = SampleExpander.DrawFacts(_grammar, domain, random);
            var keyFacts = _grammar.Facts(domain).Take(KeyFacts).Select(fact => facts[fact.Name]);
            if (_usedContents.Add(string.Join('|', keyFacts)))
            {
                return facts;
            }
        }
    }

    /// <summary>The answer to a piece of content as an author writes it; without style where there is none.</summary>
    internal string CreateAnswer(
        SampleTask task,
        IReadOnlyDictionary<string, string> facts,
        SampleAuthor? author,
        SampleRandom random
    )
    {
        var expander = new SampleExpander(_grammar, facts, author, random);
        var text = expander.Expand(author is null ? task.UnstyledOutput : task.Output);
        if (!task.Task.SingleLineAnswer)
        {
            return SampleFormatting.FormatText(text, author is null ? "sentence" : expander.Expand("case.long"));
        }

        if (author is null)
        {
            return SampleFormatting.FormatLine(text, "sentence", "none");
        }

        var letterCase = expander.Expand("case.short");
        var stop = expander.Expand("stop.short");
        return SampleFormatting.FormatLine(text, letterCase, stop);
    }
}

/// <summary>
/// An invented author: at every choice of style they have a favorite, a second one, and now and then an exception.
/// </summary>
sealed class SampleAuthor(ulong seed)
{
    const double FavoriteShare = 0.75;
    const double SecondShare = 0.17;

    /// <summary>Which of a symbol's alternatives they choose this time.</summary>
    public int Choose(string symbol, int count, SampleRandom random)
    {
        var habit = new SampleRandom(SeedDerivation.DeriveForSamples(seed, symbol));
        var favorite = habit.Next(count);
        var second = habit.Next(count);
        return random.NextDouble() switch
        {
            < FavoriteShare => favorite,
            < FavoriteShare + SecondShare => second,
            _ => random.Next(count),
        };
    }
}

/// <summary>Random numbers that are the same on every machine and runtime (SplitMix64).</summary>
sealed class SampleRandom(ulong seed)
{
    SplitMix64 _generator = new(seed);

    /// <summary>A whole number from 0 to below the bound.</summary>
    public int Next(int bound) => (int)(NextDouble() * bound);

    /// <summary>A number from 0 to below 1.</summary>
    public double NextDouble() => _generator.NextDouble();
}
