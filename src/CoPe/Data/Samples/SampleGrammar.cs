using System.Reflection;

namespace CoPe.Data.Samples;

/// <summary>The grammar all sample texts are made by; shared.txt in this folder says how it is written.</summary>
sealed class SampleGrammar
{
    readonly Dictionary<string, SampleSymbol> symbols = [];
    readonly ILookup<string, SampleSymbol> facts;

    SampleGrammar(IEnumerable<string> lines)
    {
        var opened = ("", '=');
        foreach (var line in lines.Select(line => line.Trim()).Where(line => line.Length > 0 && line[0] != '#'))
        {
            if (line[0] is '!' or '=' or '~') { opened = (line[1..].Trim(), line[0]); continue; }
            var alternatives = line.Split('|', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
            symbols.Add(opened.Item1, new(opened.Item1, opened.Item2, alternatives));
        }
        facts = Symbols.Where(symbol => symbol.Kind == '!').ToLookup(symbol => symbol.Name.Split('.')[0]);
    }

    /// <summary>The grammar built into the library.</summary>
    public static SampleGrammar Shipped { get; } = new(new[] { "shared", "news", "science", "products", "community" }.SelectMany(Lines));

    /// <summary>The symbol of a name.</summary>
    public SampleSymbol this[string name] => symbols.TryGetValue(name, out var symbol) ? symbol
        : throw new KeyNotFoundException($"The sample grammar has no symbol \"{name}\"; the nearest is \"{NearestName.Of(name, symbols.Keys)}\".");

    /// <summary>Every symbol, in the order written.</summary>
    public IEnumerable<SampleSymbol> Symbols => symbols.Values;

    /// <summary>The facts of a domain, in the order written.</summary>
    public IEnumerable<SampleSymbol> Facts(string domain) => facts[domain];

    static IEnumerable<string> Lines(string file)
    {
        using var stream = Assembly.GetExecutingAssembly().GetManifestResourceStream($"samples/{file}.txt")!;
        using var reader = new StreamReader(stream);
        while (reader.ReadLine() is { } line) yield return line;
    }
}
