using CoPe.Cli.Display;
using CoPe.Cli.Hosting;
using CoPe.Experiments.Runs.Chat;
using Spectre.Console;

namespace CoPe.Cli.Tests.Display;

public class AnswerTokensViewTests
{
    static readonly ExplainedToken[] Tokens =
    [
        new("rain", -0.5f, -0.6f, []),
        new(" again", -0.2f, -1.2f, []),
        new(" soon", -3f, -1f, []),
    ];

    [Fact]
    public void A_token_is_green_or_red_by_its_reward_and_bold_where_that_is_large()
    {
        var isUnwanted = Environment.GetEnvironmentVariable("NO_COLOR") is { Length: > 0 };
        Assert.SkipWhen(isUnwanted, "NO_COLOR is set");
        var output = Render(ColorSystemSupport.Standard);
        Assert.Contains("rain\e[32m again\e[0m\e[1;91m soon\e[0m", output, StringComparison.Ordinal);
    }

    [Fact]
    public void Without_colors_there_is_no_escape_sequence()
    {
        var output = Render(ColorSystemSupport.NoColors);
        Assert.DoesNotContain('\e', output);
        Assert.Contains("rain again soon", output, StringComparison.Ordinal);
    }

    static string Render(ColorSystemSupport colors)
    {
        using var output = new StringWriter();
        var host = new CommandHost
        {
            Out = output,
            Error = TextWriter.Null,
            IsOutputTerminal = true,
            Colors = colors,
            TerminalWidth = 80,
            SearchFolders = [],
        };
        AnswerTokensView.Write(host, Tokens);
        return output.ToString();
    }
}
