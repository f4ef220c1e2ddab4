using CoPe.Experiments.Evaluation.Language;

namespace CoPe.Experiments.Tests.Evaluation.Language;

public class WordNetTests(ITestOutputHelper output)
{
    [Fact]
    public void Every_golden_word_has_the_synonyms_of_nltk()
    {
        foreach (var (file, root) in GoldenPairs.Files("stem_wordnet*.json"))
        {
            var words = root.GetProperty("wordnet_single_word_synonyms").EnumerateObject().ToList();
            foreach (var word in words)
            {
                var expected = word.Value.EnumerateArray().Select(name => name.GetString()!);
                Assert.Equal(Sorted(word.Name, expected), Sorted(word.Name, WordNet.Synonyms(word.Name)));
            }

            output.WriteLine($"{file}: {words.Count} words");
        }
    }

    static string Sorted(string word, IEnumerable<string> synonyms) =>
        $"{word}: {string.Join(' ', synonyms.Order(StringComparer.Ordinal))}";

    [Fact]
    public void Irregular_and_inflected_forms_lead_to_their_base()
    {
        Assert.Contains("mouse", WordNet.Synonyms("mice"));
        Assert.Contains("automobile", WordNet.Synonyms("Cars"));
        Assert.Empty(WordNet.Synonyms("qwrtz"));
        Assert.Empty(WordNet.Synonyms(""));
    }

    [Fact]
    public void The_license_travels_with_the_library() =>
        Assert.Contains(
            "WordNet 3.0 Copyright 2006 by Princeton University",
            WordNet.License,
            StringComparison.Ordinal
        );
}
