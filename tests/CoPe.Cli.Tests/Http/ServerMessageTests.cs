using System.Text;
using CoPe.Cli.Http;

namespace CoPe.Cli.Tests.Http;

public class ServerMessageTests
{
    [Theory]
    [InlineData("""{"error": "no"}""", "no", "")]
    [InlineData("""{"error": {"message": "no", "code": "bad", "type": "x"}}""", "no", "bad")]
    [InlineData("""{"error": {"message": "no", "code": 400, "type": "x"}}""", "no", "x")]
    [InlineData("""{"error": {"message": "Unknown parameter", "param": "seed"}}""", "Unknown parameter (seed)", "")]
    [InlineData(
        """{"error": {"message": "Unknown parameter: seed", "param": "seed"}}""",
        "Unknown parameter: seed",
        ""
    )]
    [InlineData(
        """{"object": "error", "message": "no", "type": "BadRequestError", "code": 400}""",
        "no",
        "BadRequestError"
    )]
    [InlineData("""{"detail": "Not Found"}""", "Not Found", "")]
    [InlineData(
        """{"detail": [{"loc": ["body", "n"], "msg": "less"}, {"loc": ["body", 0]}]}""",
        "body.n: less; body.0: ",
        ""
    )]
    [InlineData("""[{"error": {"message": "no", "code": "x"}}]""", "no", "x")]
    [InlineData("""{"title": "Unavailable"}""", "Unavailable", "")]
    [InlineData("""{"error": null, "message": null}""", """{"error": null, "message": null}""", "")]
    [InlineData("""{"error": {"message": "\ud800"}}""", """{"message": "\ud800"}""", "")]
    [InlineData("""{"error": """, """{"error":""", "")]
    [InlineData(
        "<html><head><TITLE lang='en'>\n502 Bad &amp; Gateway </TITLE></head>",
        "a page '502 Bad & Gateway'",
        ""
    )]
    [InlineData("<!DOCTYPE html><p>no", "a page", "")]
    [InlineData(" upstream error\n", "upstream error", "")]
    [InlineData("", "", "")]
    [InlineData("[]", "[]", "")]
    [InlineData("[null]", "[null]", "")]
    [InlineData("null", "null", "")]
    public void The_words_of_an_error_are_found(string body, string text, string code) =>
        Assert.Equal(new ServerMessage(text, code), ServerMessage.Read(Encoding.UTF8.GetBytes(body)));

    [Fact]
    public void What_is_shown_is_one_line_without_the_secret_and_without_what_a_terminal_obeys()
    {
        var message = new ServerMessage("line\r\nnext \e]0;title\a hf_secret_token " + new string('x', 100_000), "");
        var shown = message.Show("hf_secret_token");
        Assert.StartsWith(@"line next \u001B]0;title\u0007 (secret) x", shown, StringComparison.Ordinal);
        Assert.InRange(shown.Length, 100, 300);
    }

    [Fact]
    public void Bytes_that_are_no_text_are_shown_all_the_same() =>
        Assert.Equal("\uFFFD no", ServerMessage.Read(new byte[] { 0xFF, (byte)' ', (byte)'n', (byte)'o' }).Text);
}
