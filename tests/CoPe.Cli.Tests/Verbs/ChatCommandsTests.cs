using CoPe.Cli.Failures;
using CoPe.Cli.Sessions;
using CoPe.Experiments.Runs.Chat;

namespace CoPe.Cli.Tests.Verbs;

public sealed class ChatCommandsTests
{
    const int TokensLimit = 1023;

    [Theory]
    [InlineData("/HELP", "help", "")]
    [InlineData("  /Contrast  0.3 ", "contrast", "0.3")]
    [InlineData("/clear", "new", "")]
    [InlineData("/Exit", "quit", "")]
    [InlineData("/user", "user", "")]
    [InlineData("/save my file.txt", "save", "my file.txt")]
    public void A_command_is_found_by_its_name_in_any_case(string line, string name, string value)
    {
        var (command, found) = ChatCommands.Parse(line);

        Assert.Equal((name, value), (command.Name, found));
    }

    [Theory]
    [InlineData("/quti", "/quit")]
    [InlineData("/CONTRATS 1", "/contrast")]
    [InlineData("/ext", "/exit")]
    public void A_mistyped_command_is_answered_by_the_nearest(string line, string nearest) =>
        Assert.Contains(
            $"did you mean {nearest}?",
            Assert.Throws<UsageException>(() => ChatCommands.Parse(line)).Message,
            StringComparison.Ordinal
        );

    [Theory]
    [InlineData("/somethingelse")]
    [InlineData("/")]
    [InlineData("/contrast")]
    [InlineData("/quit now")]
    public void What_is_no_command_or_lacks_its_value_is_refused(string line) =>
        Assert.Throws<UsageException>(() => ChatCommands.Parse(line));

    [Theory]
    [InlineData("/contrast 11")]
    [InlineData("/contrast -1")]
    [InlineData("/contrast nan")]
    [InlineData("/contrast 0,3")]
    [InlineData("/plausibility 2")]
    [InlineData("/temperature -0.1")]
    [InlineData("/temperature 101")]
    [InlineData("/tokens 99999999")]
    [InlineData("/tokens 99999999999999")]
    [InlineData("/tokens 1024")]
    [InlineData("/tokens 0")]
    [InlineData("/tokens many")]
    [InlineData("/seed 1.5")]
    [InlineData("/contrast-unless-certain 1.5")]
    [InlineData("/base maybe")]
    [InlineData("/words on")]
    public void A_value_out_of_range_is_refused_by_the_name_of_the_command(string line)
    {
        var error = Assert.Throws<UsageException>(() => Change(line));

        Assert.Contains(line.Split(' ')[0], error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(nameof(ChatSessionOptions), error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Commands_change_the_options() =>
        Assert.Equal(
            new ChatSessionOptions
            {
                Contrast = 0,
                ContrastUnlessCertain = 0.6,
                Plausibility = 0.5,
                Temperature = 0.7,
                Seed = -3,
                MaxNewTokens = TokensLimit,
                UsesTaskPrompt = false,
                IncludesBase = false,
                IncludesEarlierTurns = false,
            },
            Change(
                "/contrast 0",
                "/contrast-unless-certain 0.6",
                "/plausibility 0.5",
                "/temperature 0.7",
                "/seed -3",
                "/tokens 1023",
                "/words OFF",
                "/base off",
                "/turns off"
            )
        );

    [Fact]
    public void Names_are_completed_in_any_case()
    {
        Assert.Equal(["/save", "/seed"], ChatCommands.Complete("/S").Order());
        Assert.Empty(ChatCommands.Complete("s"));
        Assert.Empty(ChatCommands.Complete(""));
    }

    static ChatSessionOptions Change(params string[] lines) =>
        lines.Aggregate(
            new ChatSessionOptions(),
            (options, line) =>
            {
                var (command, value) = ChatCommands.Parse(line);
                return ChatCommands.Change(options, command, value, TokensLimit)!;
            }
        );
}
