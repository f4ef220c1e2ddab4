using System.Runtime.InteropServices;

namespace CoPe.Evaluation.Language;

/// <summary>One part of speech of WordNet: which synsets a form stands in, its irregular forms, and the endings that lead to a base form.</summary>
sealed class PartOfSpeech(IReadOnlyList<(string Ending, string Instead)> endings)
{
    readonly Dictionary<string, int> heads = new(StringComparer.Ordinal);    // form -> its last entry
    readonly List<(string[] Names, int Next)> entries = [];                  // the words of a synset, and the form's entry before
    readonly Dictionary<string, string[]> irregular = new(StringComparer.Ordinal);

    /// <summary>Adds a synset: each word, in lower case, leads to the words without an underscore.</summary>
    public void AddSynset(string[] words)
    {
        var names = Array.TrueForAll(words, IsSingle) ? words : Array.FindAll(words, IsSingle);
        foreach (var word in words)
        {
            ref var head = ref CollectionsMarshal.GetValueRefOrAddDefault(heads, word.ToLowerInvariant(), out var known);
            entries.Add((names, known ? head : -1));
            head = entries.Count - 1;
        }
    }

    /// <summary>Adds an irregular form with its base forms.</summary>
    public void AddIrregular(string form, string[] bases) => irregular[form] = bases;

    /// <summary>Adds the single-word names of every synset of a form and of its base forms.</summary>
    public void Collect(string form, HashSet<string> names)
    {
        foreach (var known in BaseForms(form))
            for (var entry = heads[known]; entry >= 0; entry = entries[entry].Next) names.UnionWith(entries[entry].Names);
    }

    /// <summary>The forms that WordNet has: an irregular form's bases; else the form and what one ending leads to; else what more endings lead to.</summary>
    HashSet<string> BaseForms(string form)
    {
        if (irregular.TryGetValue(form, out var bases)) return Known([form, .. bases]);
        var forms = Shorten([form]);
        var known = Known([form, .. forms]);
        while (known.Count == 0 && forms.Count > 0)
        {
            forms = Shorten(forms);
            known = Known(forms);
        }
        return known;
    }

    List<string> Shorten(List<string> forms) =>
        [.. forms.SelectMany(form => endings.Where(rule => form.EndsWith(rule.Ending, StringComparison.Ordinal)).Select(rule => form[..^rule.Ending.Length] + rule.Instead))];

    static bool IsSingle(string word) => !word.Contains('_', StringComparison.Ordinal);

    HashSet<string> Known(List<string> forms) => [.. forms.Where(heads.ContainsKey)];
}
