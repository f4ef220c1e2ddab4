using System.Security.Cryptography;
using System.Text;
using CoPe.Experiments.Data.Checking;

namespace CoPe.Experiments.Tests.Data.Checking;

public class TextFingerprintTests
{
    [Fact]
    public void Case_blanks_and_punctuation_do_not_count_and_letters_do()
    {
        Assert.Equal(TextFingerprint.Compute("It rains all day"), TextFingerprint.Compute(" It RAINS,\n all -- day!"));
        Assert.NotEqual(TextFingerprint.Compute("It rains all day"), TextFingerprint.Compute("It rains all days"));
        Assert.Null(TextFingerprint.Compute("It rains today"));
        Assert.Null(TextFingerprint.Compute("!!!", 0));
    }

    [Fact]
    public void Texts_one_after_the_other_have_the_key_of_their_words_together() =>
        Assert.Equal(TextFingerprint.Compute("It rains, all day"), TextFingerprint.Compute(["It", "rains all", "day"]));

    [Theory]
    [InlineData(510)]
    [InlineData(511)]
    [InlineData(512)]
    [InlineData(2000)]
    public void The_key_of_a_long_text_is_half_of_the_hash_of_its_words_wherever_a_character_falls(int letters)
    {
        var text = $"{new string('x', letters)}😀 ä b c d";
        var hash = SHA256.HashData(Encoding.UTF8.GetBytes(text));
        Assert.Equal(
            new UInt128(BitConverter.ToUInt64(hash, 0), BitConverter.ToUInt64(hash, 8)),
            TextFingerprint.Compute(text)
        );
    }
}
