using System.Globalization;
using CoPe.Cli.Hosting;
using CoPe.Experiments.Runs.Chat;
using Spectre.Console;

namespace CoPe.Cli.Display;

/// <summary>
/// An answer token by token: the text with each token in the color of its reward, then a row per token with both
/// log-probabilities, the reward, and what else was likely.
/// </summary>
static class AnswerTokensView
{
    /// <summary>Most alternatives shown for a token.</summary>
    public const int MostAlternatives = 3;

    const int WideColumns = 72;

    /// <summary>Rewards nearer to zero are left without a color.</summary>
    const double LeastColored = 0.25;

    /// <summary>Rewards from here on are bold.</summary>
    const double LeastBold = 1.5;

    public static void Write(CommandHost host, IReadOnlyList<ExplainedToken> tokens)
    {
        var console = host.CreateTableConsole();
        var text = string.Concat(tokens.SkipLast(1).Append(tokens[^1]).Select(FormatInText));
        console.Write(new Markup(text.TrimEnd() + "\n"));
        console.Write(CreateTable(tokens, isWide: console.Profile.Width >= WideColumns));
        console.WriteLine(
            "Natural logarithms. reward = expert (task and user) - amateur (task alone): above 0 (green) the user's "
                + "adapter made the token likelier, below 0 (red) less likely."
        );
    }

    static Table CreateTable(IReadOnlyList<ExplainedToken> tokens, bool isWide)
    {
        var table = new Table { Border = TableBorder.Simple };
        table.AddColumn(new TableColumn("token") { NoWrap = true });
        foreach (var column in (string[])["expert", "amateur", "reward"])
        {
            table.AddColumn(new TableColumn(column) { NoWrap = true }.RightAligned());
        }

        if (isWide)
        {
            table.AddColumn(new TableColumn("instead") { NoWrap = true });
        }

        foreach (var token in tokens)
        {
            List<string> cells =
            [
                Markup.Escape(TokenText.ToOneLine(token.Text)),
                FormatNumber(token.Expert),
                FormatNumber(token.Amateur),
                Color(token.Reward, FormatSigned(token.Reward)),
            ];
            if (isWide)
            {
                cells.Add(string.Join("  ", token.Alternatives.Take(MostAlternatives).Select(FormatAlternative)));
            }

            table.AddRow([.. cells]);
        }

        table.AddEmptyRow();
        var (expert, amateur) = (tokens.Sum(token => token.Expert), tokens.Sum(token => token.Amateur));
        var reward = expert - amateur;
        string[] sums = ["sum", FormatNumber(expert), FormatNumber(amateur), Color(reward, FormatSigned(reward))];
        table.AddRow(isWide ? [.. sums, ""] : sums);
        return table;
    }

    static string FormatInText(ExplainedToken token) => Color(token.Reward, token.Text);

    static string FormatAlternative(TokenAlternative token) =>
        $"{Markup.Escape(TokenText.ToOneLine(token.Text, mostLetters: 10))} {FormatNumber(token.LogProb)}";

    static string Color(double reward, string text)
    {
        var escaped = Markup.Escape(text);
        if (Math.Abs(reward) < LeastColored || text.Length == 0)
        {
            return escaped;
        }

        var style = (reward > 0 ? "green" : "red") + (Math.Abs(reward) >= LeastBold ? " bold" : "");
        return $"[{style}]{escaped}[/]";
    }

    static string FormatNumber(double value) => value.ToString("0.00", CultureInfo.InvariantCulture);

    static string FormatSigned(double value) => value.ToString("+0.00;-0.00;0.00", CultureInfo.InvariantCulture);
}
