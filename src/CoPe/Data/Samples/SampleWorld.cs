namespace CoPe.Data.Samples;

/// <summary>Makes items, no two of the same content, and remembers what has been made.</summary>
sealed class SampleWorld(ulong seed)
{
    /// <summary>So many of a domain's first facts tell one piece of content from another.</summary>
    const int KeyFacts = 3;

    readonly SampleGrammar grammar = SampleGrammar.Shipped;
    readonly HashSet<string> told = [];
    int items;

    /// <summary>The chance that a part of the data is made by; parts have streams of their own.</summary>
    public SampleDraw Draw(string part) => new(SampleDraw.Seed(seed, part));

    /// <summary>The author of a name; the same in every task.</summary>
    public SampleAuthor Author(string name) => new(SampleDraw.Seed(seed, "author " + name));

    /// <summary>The invented full name of the author of a name.</summary>
    public string FullName(string name) =>
        new SampleExpansion(grammar, new Dictionary<string, string>(), null, new(SampleDraw.Seed(seed, "name " + name))).Of("person");

    /// <summary>A new item: content nobody has told yet, its answer in an author's style or, without one, in nobody's.</summary>
    public HistoryItem Item(SampleTask task, SampleAuthor? author, SampleDraw draw) => Told(task, author, draw).Item;

    /// <summary>A new document: an answer and the neutral text about the same content, on one line.</summary>
    public string Document(SampleTask task, SampleAuthor author, SampleDraw draw)
    {
        var (item, facts) = Told(task, author, draw);
        var neutral = SamplePolish.Text(new SampleExpansion(grammar, facts, null, draw).Of(task.Neutral));
        var answer = item.Fields[task.Task.OutputField];
        var (first, second) = task.Task.SingleLineAnswer ? (answer, neutral) : (neutral, answer);
        return char.IsLetterOrDigit(first[^1]) ? $"{first}. {second}" : $"{first} {second}";
    }

    (HistoryItem Item, IReadOnlyDictionary<string, string> Facts) Told(SampleTask task, SampleAuthor? author, SampleDraw draw)
    {
        var facts = Untold(task.Domain, draw);
        var neutral = new SampleExpansion(grammar, facts, null, draw);
        var fields = task.Inputs.ToDictionary(input => input.Key, input => SamplePolish.Text(neutral.Of(input.Value)));
        fields[task.Task.OutputField] = Answer(task, facts, author, draw);
        return (new() { Id = $"{++items}", Fields = fields }, facts);
    }

    /// <summary>The facts of content that nobody has told yet.</summary>
    internal IReadOnlyDictionary<string, string> Untold(string domain, SampleDraw draw)
    {
        while (true)
        {
            var facts = SampleExpansion.Facts(grammar, domain, draw);
            if (told.Add(string.Join('|', grammar.Facts(domain).Take(KeyFacts).Select(fact => facts[fact.Name])))) return facts;
        }
    }

    /// <summary>The answer to a piece of content as an author writes it; null is nobody.</summary>
    internal string Answer(SampleTask task, IReadOnlyDictionary<string, string> facts, SampleAuthor? author, SampleDraw draw)
    {
        var expansion = new SampleExpansion(grammar, facts, author, draw);
        var text = expansion.Of(author is null ? task.Unstyled : task.Output);
        return (task.Task.SingleLineAnswer, author) switch
        {
            (true, null) => SamplePolish.Line(text, "sentence", "none"),
            (false, null) => SamplePolish.Text(text),
            (true, _) => SamplePolish.Line(text, expansion.Of("case.short"), expansion.Of("stop.short")),
            (false, _) => SamplePolish.Text(text, expansion.Of("case.long")),
        };
    }
}
