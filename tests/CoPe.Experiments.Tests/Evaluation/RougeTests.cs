using System.Text.Json;
using CoPe.Experiments.Evaluation;

namespace CoPe.Experiments.Tests.Evaluation;

public class RougeTests(ITestOutputHelper output)
{
    [Fact]
    public void Every_golden_pair_scores_as_the_python_package()
    {
        foreach (var (file, _, pairs) in GoldenPairs.All())
        {
            foreach (var pair in pairs)
            {
                string prediction = pair.Text("prediction"),
                    reference = pair.Text("reference");
                AssertScore(pair, "rouge1", Rouge.RougeN(prediction, reference, 1));
                if (pair.TryGetProperty("rouge2", out _))
                {
                    AssertScore(pair, "rouge2", Rouge.RougeN(prediction, reference, 2));
                }

                AssertScore(pair, "rougeL", Rouge.RougeL(prediction, reference));
                AssertScore(pair, "rougeLsum", Rouge.RougeLsum(prediction, reference));
            }
            output.WriteLine($"{file}: {pairs.Length} pairs");
        }
    }

    [Fact]
    public void Bigrams_are_counted_with_multiplicity()
    {
        // "a b a b" has a b twice and b a once; "a b c a b" has a b twice, b c and c a: 2 common of 3 and of 4.
        var score = Rouge.RougeN("a b a b", "a b c a b", 2);
        Assert.Equal(2.0 / 3, score.Precision, 12);
        Assert.Equal(2.0 / 4, score.Recall, 12);
        Assert.Equal(4.0 / 7, score.FMeasure, 12);
    }

    [Fact]
    public void Lsum_takes_the_union_over_lines()
    {
        // Lin 2004, section 3.2: reference w1..w5, candidates "w1 w2 w6 w7 w8" and "w1 w3 w8 w9 w5": the union is w1 w2
        // w3 w5, 4 of 5.
        Assert.Equal(4.0 / 5, Rouge.RougeLsum("w1 w2 w6 w7 w8\nw1 w3 w8 w9 w5", "w1 w2 w3 w4 w5").Recall, 12);
    }

    [Theory]
    [InlineData("", "a title")]
    [InlineData("a title", "")]
    [InlineData("🎉 ...", "a title")]
    [InlineData("שלום", "שלום")]
    public void Texts_without_a_token_score_nothing(string prediction, string reference)
    {
        Assert.Equal(0, Rouge.RougeN(prediction, reference, 1).FMeasure);
        Assert.Equal(0, Rouge.RougeL(prediction, reference).FMeasure);
        Assert.Equal(0, Rouge.RougeLsum(prediction, reference).FMeasure);
    }

    [Fact]
    public void The_stemmer_joins_forms_of_a_word_longer_than_three_letters()
    {
        Assert.Equal(0, Rouge.RougeN("running dogs", "run dog", 1).FMeasure);
        Assert.Equal(1, Rouge.RougeN("running dogs", "run dog", 1, useStemmer: true).FMeasure);
        Assert.Equal(0, Rouge.RougeN("cars", "car", 1).FMeasure);
    }

    [Fact]
    public void The_bit_parallel_length_equals_the_table()
    {
        var random = new Random(7);
        for (var round = 0; round < 200; round++)
        {
            string[] a = Words(random.Next(200)),
                b = Words(random.Next(200));
            Assert.Equal(Table(a, b), LongestCommonSubsequence.Length(a, b));
        }

        string[] Words(int count) => [.. Enumerable.Range(0, count).Select(_ => $"w{random.Next(12)}")];
    }

    [Fact]
    public void The_marks_of_a_line_are_those_of_walking_back_through_the_table()
    {
        var random = new Random(8);
        for (var round = 0; round < 200; round++)
        {
            var a = Words(random.Next(150));
            string[][] others = [Words(random.Next(150)), Words(random.Next(5))];
            bool[] marked = new bool[a.Length],
                expected = new bool[a.Length];
            LongestCommonSubsequence.MarkUnion(a, others, marked);
            foreach (var b in others)
            {
                WalkBack(FullTable(a, b), a, b, expected);
            }

            Assert.Equal(expected, marked);
        }

        string[] Words(int count) => [.. Enumerable.Range(0, count).Select(_ => $"w{random.Next(12)}")];
    }

    /// <summary>
    /// As rouge_score walks: both back where the tokens are equal, else back in b where the table is larger there, else
    /// back in a.
    /// </summary>
    static void WalkBack(int[,] table, string[] a, string[] b, bool[] marked)
    {
        for (int i = a.Length, j = b.Length; i > 0 && j > 0;)
        {
            if (a[i - 1] == b[j - 1])
            {
                marked[i - 1] = true;
                i--;
                j--;
            }
            else if (table[i, j - 1] > table[i - 1, j])
            {
                j--;
            }
            else
            {
                i--;
            }
        }
    }

    static int Table(string[] a, string[] b) => FullTable(a, b)[a.Length, b.Length];

    static int[,] FullTable(string[] a, string[] b)
    {
        var table = new int[a.Length + 1, b.Length + 1];
        for (var i = 1; i <= a.Length; i++)
        {
            for (var j = 1; j <= b.Length; j++)
            {
                table[i, j] =
                    a[i - 1] == b[j - 1] ? table[i - 1, j - 1] + 1 : Math.Max(table[i - 1, j], table[i, j - 1]);
            }
        }

        return table;
    }

    static void AssertScore(JsonElement pair, string metric, RougeScore score)
    {
        var expected = pair.GetProperty(metric);
        AssertNear(expected.GetProperty("precision").GetDouble(), score.Precision, $"{pair.Name()} {metric} precision");
        AssertNear(expected.GetProperty("recall").GetDouble(), score.Recall, $"{pair.Name()} {metric} recall");
        AssertNear(expected.GetProperty("fmeasure").GetDouble(), score.FMeasure, $"{pair.Name()} {metric} fmeasure");
    }

    static void AssertNear(double expected, double found, string what) =>
        Assert.True(Math.Abs(expected - found) <= 1e-9, $"{what}: expected {expected}, found {found}.");

    [Theory]
    [InlineData("今日は東京", "今日の東京", 4 / 5.0)] // 今 日 東 京 of five characters each
    [InlineData("Быстрая лиса", "быстрая собака", 0.5)]
    [InlineData("한국어 글", "한국어 책", 0.5)]
    [InlineData("กา", "กา", 1)] // a letter and its vowel sign each
    [InlineData("naïve café", "NAÏVE CAFÉ", 1)]
    public void Words_of_any_script_are_counted_where_that_is_asked_for(string prediction, string reference, double f)
    {
        static string[] Tokenize(string text) => RougeTokenizer.Tokenize(text, kind: WordTokenizerKind.Unicode);
        Assert.Equal(f, Rouge.RougeN(Tokenize(prediction), Tokenize(reference), 1).FMeasure, 12);
    }
}
