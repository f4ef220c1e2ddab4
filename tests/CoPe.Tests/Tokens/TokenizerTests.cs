using System.Text;
using System.Text.RegularExpressions;
using CoPe.Tokens;
using CoPe.Tokens.Pipeline;

namespace CoPe.Tests.Tokens;

public class TokenizerTests
{
    static readonly string[] Pieces =
    [
        "a",
        "The",
        " the",
        "é",
        "e\u0301",
        "ﬁ",
        "12",
        "3456",
        "½",
        " ",
        "   ",
        "\n",
        "\r\n",
        "\t",
        "\u00A0",
        "!",
        "...",
        "'s",
        "'LL",
        "n't",
        "_",
        "=",
        "漢字",
        "か",
        "Ω",
        "—",
        "\u200B",
        "\u0085",
        "x1",
    ];

    [Theory]
    [InlineData(
        @"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|"
            + @"\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
    )]
    [InlineData(
        @"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|"
            + @"\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
    )]
    [InlineData(@"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+")]
    public void The_scanners_split_as_the_patterns_they_were_written_for(string pattern)
    {
        var scanner = WordPattern.FindScanner(pattern)!;
        var regex = new Regex(pattern, RegexOptions.CultureInvariant);
        var random = new Random(11);
        for (var round = 0; round < 2000; round++)
        {
            var text = string.Concat(
                Enumerable.Range(0, random.Next(1, 12)).Select(_ => Pieces[random.Next(Pieces.Length)])
            );
            var words = new List<TextPiece>();
            scanner(new TextPiece(text, 0, text.Length, true), words);
            Assert.Equal(regex.Matches(text).Select(match => match.Value), words.Select(word => word.Span.ToString()));
        }
    }

    [Theory]
    [InlineData("mistral")]
    [InlineData("gemma")]
    public void Cutting_a_text_where_no_merge_crosses_changes_no_id(string family)
    {
        var file = TokenizerFile.Read(Path.Combine(TokenizerFolders.Tiny(family), "tokenizer.json"));
        var model = new BpeModel(file.Vocabulary, isByteLevel: false);
        var random = new Random(5);
        for (var round = 0; round < 500; round++)
        {
            var text = string.Concat(
                    Enumerable.Range(0, random.Next(1, 20)).Select(_ => Pieces[random.Next(Pieces.Length)])
                )
                .Replace(' ', '\u2581');
            List<int> whole = [],
                cut = [];
            model.Encode(text, whole);
            var words = new List<TextPiece>();
            new MergeBoundarySplitter(file.Vocabulary).Split(new TextPiece(text, 0, text.Length, true), words);
            foreach (var word in words)
            {
                model.Encode(word.Span, cut);
            }

            Assert.Equal(whole, cut);
        }
    }

    [Theory]
    [InlineData("llama")]
    [InlineData("qwen")]
    public void Any_text_survives_a_byte_level_tokenizer(string family)
    {
        var tokenizer = Tokenizer.Load(TokenizerFolders.Tiny(family));
        var random = new Random(3);
        for (var round = 0; round < 300; round++)
        {
            var text = string.Concat(Enumerable.Range(0, 20).Select(_ => new Rune(NextScalar(random)).ToString()))
                .Normalize();
            Assert.Equal(text, tokenizer.Decode(tokenizer.EncodeAsText(text)));
        }
    }

    [Fact]
    public void Text_of_special_tokens_stays_text_when_asked()
    {
        var tokenizer = Tokenizer.Load(TokenizerFolders.Tiny("qwen"));
        Assert.Equal([tokenizer.TokenToId("<|im_end|>")!.Value], tokenizer.Encode("<|im_end|>"));
        var plain = tokenizer.EncodeAsText("<|im_end|>");
        Assert.DoesNotContain(plain, tokenizer.IsSpecial);
        Assert.Equal("<|im_end|>", tokenizer.Decode(plain));
        // Added, but not special.
        Assert.Equal([tokenizer.TokenToId("<tool_call>")!.Value], tokenizer.EncodeAsText("<tool_call>"));
    }

    [Fact]
    public void Ids_without_a_token_are_skipped()
    {
        var tokenizer = Tokenizer.Load(TokenizerFolders.Tiny("qwen"));
        Assert.Equal("ab", tokenizer.Decode([.. tokenizer.Encode("a"), -100, 9_999_999, .. tokenizer.Encode("b")]));
    }

    [Fact]
    public void A_stream_holds_an_unfinished_character_back()
    {
        var tokenizer = Tokenizer.Load(TokenizerFolders.Tiny("qwen"));
        var ids = tokenizer.Encode("\U00010348"); // four bytes, a token each
        Assert.Equal(4, ids.Length);
        var decoder = tokenizer.CreateStreamingDecoder();
        Assert.Equal(["", "", "", "\U00010348"], ids.Select(decoder.Add));
        Assert.Equal("", decoder.Finish());

        var broken = tokenizer.CreateStreamingDecoder();
        Assert.Equal(["", ""], ids[..2].Select(broken.Add));
        Assert.Equal("\uFFFD", broken.Finish());
    }

    [Fact]
    public void Lone_surrogates_and_noncharacters_do_no_harm()
    {
        foreach (var family in (string[])["mistral", "llama", "gemma", "qwen"])
        {
            var tokenizer = Tokenizer.Load(TokenizerFolders.Tiny(family));
            Assert.Equal("a\uFFFDb\uFDD0\uFFFFc", tokenizer.Decode(tokenizer.Encode("a\uD83Db\uFDD0\uFFFFc")));
        }
    }

    [Fact]
    public void English_spacing_is_tidied_only_on_request()
    {
        using var folder = new TokenizerTestFolder("llama", new { clean_up_tokenization_spaces = true });
        var tokenizer = Tokenizer.Load(folder.Folder);
        Assert.True(tokenizer.CleanUpTokenizationSpaces);
        var ids = tokenizer.Encode("It 's here , is n't it ?");
        Assert.Equal("It 's here , is n't it ?", tokenizer.Decode(ids));
        Assert.Equal("It's here, isn't it?", tokenizer.Decode(ids, cleanUpSpaces: true));
    }

    [Fact]
    public void The_configuration_names_the_special_ids()
    {
        using var folder = new TokenizerTestFolder(
            "mistral",
            new
            {
                bos_token = "<s>",
                eos_token = new { content = "</s>" },
                pad_token = (string?)null,
                additional_special_tokens = new[] { "on" },
            }
        );
        var tokenizer = Tokenizer.Load(folder.Folder);
        Assert.Equal((1, 2, null), (tokenizer.BosId, tokenizer.EosId, tokenizer.PadId));
        Assert.True(tokenizer.IsSpecial(tokenizer.TokenToId("on")!.Value));
    }

    static int NextScalar(Random random)
    {
        var value = random.Next(4) switch
        {
            0 => random.Next(0x20, 0x7F),
            1 => random.Next(0x80, 0x800),
            2 => random.Next(0x800, 0xD800),
            _ => random.Next(0x10000, 0x110000),
        };
        return Rune.IsValid(value) ? value : 'x';
    }
}

public class MergeTableTests
{
    [Fact]
    public void Every_pair_that_was_set_is_found_and_no_other()
    {
        var table = new MergeTable();
        for (var i = 0; i < 5000; i++)
        {
            table.Set(i, i ^ 77, (i, 10 * i)); // all of one hash by .NET's rule
        }

        for (var i = 0; i < 5000; i++)
        {
            Assert.True(table.TryGet(i, i ^ 77, out var merge));
            Assert.Equal((i, 10 * i), merge);
            Assert.False(table.TryGet(i, i ^ 78, out _));
        }
        Assert.Equal(5000, table.Pairs.Distinct().Count());
        Assert.All(table.Pairs, pair => Assert.Equal(77, pair.Left ^ pair.Right));
    }

    [Fact]
    public void A_pair_set_again_merges_to_the_last()
    {
        var table = new MergeTable();
        table.Set(1, 2, (5, 6));
        table.Set(1, 2, (7, 8));
        Assert.True(table.TryGet(1, 2, out var merge));
        Assert.Equal((7, 8), merge);
        Assert.Single(table.Pairs);
        Assert.False(table.TryGet(2, 1, out _));
    }

    [Fact]
    public void Long_words_and_short_ones_merge_alike()
    {
        var merges = new MergeTable();
        for (var id = 0; id < 6; id++)
        {
            merges.Set(id, id, (id, id + 1)); // 0 0 -> 1, 1 1 -> 2, ...
        }

        merges.Set(2, 1, (9, 20));
        foreach (var length in (int[])[1, 2, 3, 7, 47, 48, 49, 50, 64, 100])
        {
            var output = new List<int>();
            new BpeMerger().Merge([.. Enumerable.Repeat(0, length)], merges, output);
            // The binary digits of the length: runs of 64, 32, ..., and a 2 before a 1 only where 4 + 2 are left.
            var expected = new List<int>(Enumerable.Repeat(6, length / 64));
            for (var bit = 5; bit >= 0; bit--)
            {
                if ((length % 64 & 1 << bit) != 0)
                {
                    expected.Add(bit);
                }
            }

            if (expected.Count > 1 && expected[^2] == 2 && expected[^1] == 1)
            {
                expected = [.. expected[..^2], 20];
            }
            else if (expected.Count > 2 && expected[^3] == 2 && expected[^2] == 1)
            {
                expected = [.. expected[..^3], 20, 0];
            }

            Assert.Equal(expected, output);
        }
    }
}

/// <summary>Equality with the Rust library, string by string.</summary>
public class TokenizerGoldenTests(ITestOutputHelper output)
{
    [Theory]
    [MemberData(nameof(TokenizerFolders.WithVectors), MemberType = typeof(TokenizerFolders))]
    public void Ids_and_text_equal_those_of_Hugging_Face(string folder)
    {
        var (tokenizer, vectors) = Read(folder);
        output.WriteLine($"{folder}: {vectors.Length} texts");
        Assert.All(vectors, vector => vector.Check(tokenizer));
    }

    [Theory]
    [MemberData(nameof(TokenizerFolders.WithVectors), MemberType = typeof(TokenizerFolders))]
    public void A_stream_gives_the_same_text_in_whole_characters(string folder)
    {
        var (tokenizer, vectors) = Read(folder);
        Assert.All(
            vectors,
            vector =>
            {
                var decoder = tokenizer.CreateStreamingDecoder();
                var parts = vector.Ids.Select(decoder.Add).ToList();
                parts.Add(decoder.Finish());
                Assert.Equal(vector.Decoded, string.Concat(parts));
                Assert.DoesNotContain(
                    parts,
                    part => part.Length > 0 && (char.IsHighSurrogate(part[^1]) || char.IsLowSurrogate(part[0]))
                );
            }
        );
    }

    static (Tokenizer, TokenizerVector[]) Read(string folder) =>
        (Tokenizer.Load(folder), TokenizerVector.Read(folder));
}
