using System.Globalization;
using CoPe.Cli.Hosting;
using CoPe.Cli.Terminal;
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

    /// <summary>Columns of a table without alternatives beside the tokens, and of each alternative.</summary>
    const int NumberColumns = 34;
    const int AlternativeColumns = 17;
    const int TokenLetters = 14;

    /// <summary>Stands behind a token that was chosen without contrast.</summary>
    const string WithoutContrastMark = " *";

    /// <summary>Rewards nearer to zero are left without a color.</summary>
    const double LeastColored = 0.25;

    /// <summary>Rewards from here on are bold.</summary>
    const double LeastBold = 1.5;

    public static void Write(CommandHost host, IReadOnlyList<ExplainedToken> tokens)
    {
        var console = host.CreateTableConsole();
        var text = string.Concat(tokens.Where(token => !token.EndsAnswer).Select(FormatInText));
        console.Write(new Markup(text.Trim() + "\n"));
        var longest = tokens.Max(token => FormatInTable(token).GetCellWidth());
        var room = console.Profile.Width - NumberColumns - longest;
        var alternatives = Math.Clamp(room / AlternativeColumns, 0, MostAlternatives);
        console.Write(CreateTable(tokens, alternatives));
        console.WriteLine(
            "Natural logarithms. reward = expert (task and user) - amateur (task alone): above 0 (green) the user's "
                + "adapter made the token likelier, below 0 (red) less likely."
        );
        if (tokens.Any(token => token.WithoutContrast))
        {
            console.WriteLine("* The amateur was certain there, so that the user's model chose alone.");
        }
    }

    static string FormatInTable(ExplainedToken token) =>
        TokenText.ToOneLine(token.Text, TokenLetters) + (token.WithoutContrast ? WithoutContrastMark : "");

    static Table CreateTable(IReadOnlyList<ExplainedToken> tokens, int alternatives)
    {
        var table = new Table { Border = TableBorder.Simple };
        table.AddColumn(new TableColumn("token") { NoWrap = true });
        foreach (var column in (string[])["expert", "amateur", "reward"])
        {
            table.AddColumn(new TableColumn(column) { NoWrap = true }.RightAligned());
        }

        if (alternatives > 0)
        {
            table.AddColumn(new TableColumn("instead") { NoWrap = true });
        }

        foreach (var token in tokens)
        {
            AddRow(TerminalText.ToMarkup(FormatInTable(token)), (token.Expert, token.Amateur), token.Alternatives);
        }

        table.AddEmptyRow();
        AddRow("sum", (tokens.Sum(token => token.Expert), tokens.Sum(token => token.Amateur)), []);
        return table;

        void AddRow(string title, (float Expert, float Amateur) sums, IReadOnlyList<TokenAlternative> instead)
        {
            var reward = sums.Expert - sums.Amateur;
            List<string> cells =
            [
                title,
                FormatNumber(sums.Expert),
                FormatNumber(sums.Amateur),
                Color(reward, FormatSigned(reward)),
            ];
            if (alternatives > 0)
            {
                cells.Add(string.Join("  ", instead.Take(alternatives).Select(FormatAlternative)));
            }

            table.AddRow([.. cells]);
        }
    }

    static string FormatInText(ExplainedToken token) => Color(token.Reward, token.Text);

    static string FormatAlternative(TokenAlternative token) =>
        $"{TerminalText.ToMarkup(TokenText.ToOneLine(token.Text, mostLetters: 8))} {FormatNumber(token.LogProb)}";

    static string Color(double reward, string text)
    {
        var escaped = TerminalText.ToMarkup(text);
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
