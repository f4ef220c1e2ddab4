using CoPe.Cli.Http;
using CoPe.Experiments.Runs;

namespace CoPe.Cli.Tests.Http;

public class SecretTests
{
    const string Key = "sk-Abc/123+xyz=9876543210";

    [Theory]
    [InlineData("your key sk-Abc/123+xyz=9876543210 is wrong", "your key (secret) is wrong")]
    [InlineData("SK-ABC/123+XYZ=9876543210", "(secret)")]
    [InlineData("/v1?key=sk-Abc%2F123%2Bxyz%3D9876543210&x=1", "/v1?key=(secret)&x=1")]
    [InlineData("/v1?key=sk%2dAbc%2f123%2bxyz%3d9876543210", "/v1?key=(secret)")]
    [InlineData("%73%6B%2D%41%62%63%2F%31%32%33", "(secret)")]
    [InlineData(@"sk-Abc\/123+xyz=9876543210", "(secret)")]
    [InlineData(@"\u0073k-Abc\u002f123\u002Bxyz\u003d9876543210", "(secret)")]
    [InlineData("sk-Abc&#47;123&#x2b;xyz&#61;9876543210", "(secret)")]
    [InlineData("begins with sk-Abc/123+...", "begins with (secret)...")]
    [InlineData("ends with ...z=9876543210 of it", "ends with ...(secret) of it")]
    [InlineData("both: sk-Abc/12...6543210, sk-Abc/123", "both: (secret)...6543210, (secret)")]
    [InlineData("twice sk-Abc/123+xyz=9876543210sk-Abc/123+xyz=9876543210", "twice (secret)(secret)")]
    [InlineData("nothing of it: sk-****3210, 100 % & \\u12 &#; %2", "nothing of it: sk-****3210, 100 % & \\u12 &#; %2")]
    [InlineData("", "")]
    public void A_key_is_shown_neither_whole_nor_in_pieces_nor_encoded(string text, string expected) =>
        Assert.Equal(expected, Secret.Redact(text, Key));

    [Theory]
    [InlineData("EMPTY", "the key EMPTY: an EMPTYing", "the key (secret): an EMPTYing")]
    [InlineData("a", "a cat", "(secret) cat")]
    [InlineData("", "a cat", "a cat")]
    [InlineData(null, "a cat", "a cat")]
    public void A_key_as_short_as_a_word_is_left_out_where_it_stands_alone(string? key, string text, string expected) =>
        Assert.Equal(expected, Secret.Redact(text, key));

    [Theory]
    [InlineData(" hf_abc \r\n", "hf_abc")]
    [InlineData("hf_\nabc", "hf_abc")]
    [InlineData(" \n", null)]
    [InlineData(null, null)]
    public void A_secret_is_read_without_the_line_ends_of_files(string? text, string? expected) =>
        Assert.Equal(expected, Secret.Clean(text, "HF_TOKEN"));

    [Theory]
    [InlineData("hf_a b")]
    [InlineData("hf_a\tb")]
    [InlineData("hf_ä")]
    [InlineData("hf_a\0")]
    public void What_no_header_takes_is_refused_unseen(string text)
    {
        var message = Assert.Throws<RunException>(() => Secret.Clean(text, "HF_TOKEN")).Message;
        Assert.Contains("HF_TOKEN", message, StringComparison.Ordinal);
        Assert.DoesNotContain("hf_a", message, StringComparison.Ordinal);
    }
}
