using CoPe.Chat;
using CoPe.Tokens.Training;

namespace CoPe.Tests.Tokens;

public class BpeTrainerTests
{
    static readonly BpeTrainingOptions Small = new() { VocabularySize = 256 + 3 + 3 };

    [Fact]
    public void The_most_frequent_pair_is_merged_first_and_of_equals_the_one_of_lower_ids()
    {
        // words: "low" 3, "lower" 1 (each after a line end). Pairs: lo 4, ow 4, we 1, er 1. l
        // < o in the alphabet, so "lo" is first;
        // then (lo, w) 4; nothing else occurs twice.
        var trained = BpeTrainer.Train(["low\nlow\nlow\nlower"], Small);
        Assert.Equal([("l", "o"), ("lo", "w")], trained.Merges);
        Assert.Equal(["lo", "low"], trained.Tokens.Skip(256));
    }

    [Fact]
    public void Words_keep_the_space_before_them_and_digits_stand_alone()
    {
        var trained = BpeTrainer.Train(["a b 12 12 12 a b a b"], Small);
        Assert.DoesNotContain(("1", "2"), trained.Merges);
        Assert.Contains(("Ġ", "b"), trained.Merges);
    }

    [Fact]
    public void The_order_of_the_texts_does_not_matter()
    {
        string[] texts = [.. Enumerable.Range(0, 50).Select(i => $"text {i} of {i % 7} about things and other things")];
        var options = new BpeTrainingOptions { VocabularySize = 320 };
        Assert.Equal(BpeTrainer.Train(texts, options).Merges, BpeTrainer.Train(texts.Reverse(), options).Merges);
    }

    [Fact]
    public void Counts_kept_up_to_date_give_the_same_merges_as_counting_from_scratch()
    {
        var random = new Random(7);
        var words = Enumerable
            .Range(0, 300)
            .Select(_ => new string([.. Enumerable.Range(0, random.Next(1, 9)).Select(_ => "abc"[random.Next(3)])]))
            .ToArray();
        var trained = BpeTrainer.Train(
            [string.Join('\n', words)],
            new BpeTrainingOptions { VocabularySize = 256 + 3 + 40 }
        );
        Assert.Equal(CountFromScratch(words, 40), trained.Merges);
    }

    [Fact]
    public void A_saved_tokenizer_is_read_back_with_its_template_and_loses_no_text()
    {
        using var folder = new TokenizerTestFolder("qwen");
        const string Text = "Größe 12 naïve 😀 – Ünïcode\r\n\t<|im_end|>";
        var trained = BpeTrainer.Train(
            ["some words, some more words", Text],
            new BpeTrainingOptions { VocabularySize = 280 }
        );
        trained.Save(folder.Folder);
        var encoder = ConversationEncoder.Load(folder.Folder);
        Assert.Equal(trained.VocabularySize, encoder.Tokenizer.VocabularySize);
        Assert.Equal(Text, encoder.Tokenizer.Decode(encoder.Tokenizer.EncodeAsText(Text)));
        Assert.Equal(
            "<|im_start|>user\nsome words<|im_end|>\n<|im_start|>assistant\nmore<|im_end|>",
            encoder.Tokenizer.Decode(
                [.. encoder.EncodePrompt([new ChatMessage("user", "some words")]), .. encoder.EncodeResponse("more")],
                skipSpecialTokens: false
            )
        );
        Assert.Equal(trained.VocabularySize - 1, encoder.Tokenizer.EosId);
    }

    [Fact]
    public void Special_text_is_no_part_of_what_is_learnt() =>
        Assert.Empty(BpeTrainer.Train(["<|im_end|><|im_end|><|im_end|>"], Small).Merges);

    [Fact]
    public void Impossible_options_are_refused()
    {
        Assert.Throws<ArgumentException>(() => BpeTrainer.Train([], new BpeTrainingOptions { VocabularySize = 258 }));
        Assert.Throws<ArgumentException>(() => BpeTrainer.Train([], Small with { EndOfText = "</s>" }));
        Assert.Throws<ArgumentException>(() => BpeTrainer.Train([], Small with { SpecialTokens = ["<a>", "<a>"] }));
        Assert.Throws<ArgumentException>(() => BpeTrainer.Train([], Small with { MinimumCount = 0 }));
    }

    [Fact]
    public void Training_stops_when_told_to() =>
        Assert.Throws<OperationCanceledException>(() =>
            BpeTrainer.Train(["a"], Small, cancellation: new CancellationToken(canceled: true))
        );

    // The definition, word for word.
    static List<(string, string)> CountFromScratch(string[] words, int count)
    {
        var split = words.Select(word => word.Select(c => c.ToString()).ToList()).ToList();
        List<string> order = ["a", "b", "c"];
        var merges = new List<(string, string)>();
        while (merges.Count < count)
        {
            var pairs = split
                .SelectMany(word => word.Zip(word.Skip(1)))
                .CountBy(pair => pair)
                .OrderByDescending(pair => pair.Value)
                .ThenBy(pair => order.IndexOf(pair.Key.First))
                .ThenBy(pair => order.IndexOf(pair.Key.Second))
                .ToList();
            if (pairs.Count == 0 || pairs[0].Value < 2)
            {
                break;
            }

            var (left, right) = pairs[0].Key;
            merges.Add((left, right));
            order.Add(left + right);
            foreach (var word in split)
            {
                for (var i = 0; i + 1 < word.Count; i++)
                {
                    if (word[i] == left && word[i + 1] == right)
                    {
                        word[i] = left + right;
                        word.RemoveAt(i + 1);
                    }
                }
            }
        }
        return merges;
    }
}
