using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using CoPe.Cli.Hosting;
using CoPe.Cli.Scoring;
using CoPe.Cli.Terminal;
using Spectre.Console;

namespace CoPe.Cli.Display;

/// <summary>A scored text as a table, a token a line, or as JSON.</summary>
static class ScoreView
{
    static readonly JsonSerializerOptions Indented = new()
    {
        WriteIndented = true,
        NewLine = "\n",
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    public static void Write(CommandHost host, string model, ScoredText text, bool isJson)
    {
        if (isJson)
        {
            host.Out.WriteLine(CreateJson(model, text).ToJsonString(Indented));
        }
        else
        {
            host.CreateTableConsole().WriteNumbers(CreateTable(text));
        }
    }

    /// <summary>
    /// A row per token with its log-probability in every column, and how much the last column differs from the
    /// reference; sums, means and perplexities below.
    /// </summary>
    static Table CreateTable(ScoredText text)
    {
        var columns = text.Columns;
        var table = new Table { Border = TableBorder.Simple };
        table.AddColumn(new TableColumn("token") { NoWrap = true });
        foreach (var column in columns)
        {
            table.AddColumn(new TableColumn(TerminalText.ToMarkup(column.Name)).RightAligned());
        }

        var hasDifference = columns.Count > 1;
        var last = columns[^1];
        // The task's model or the first of several adapters where there is one, else the base.
        var reference = columns[Math.Clamp(columns.Count - 2, 0, 1)];
        if (hasDifference)
        {
            table.AddColumn(new TableColumn(TerminalText.ToMarkup($"{last.Name} - {reference.Name}")).RightAligned());
        }

        void AddRow(string title, Func<ScoredColumn, double?> value)
        {
            List<string> cells =
            [
                TerminalText.ToMarkup(title),
                .. columns.Select(column => FormatNumber(value(column))),
            ];
            if (hasDifference)
            {
                cells.Add(FormatSigned(value(last) - value(reference)));
            }

            table.AddRow([.. cells]);
        }

        for (var i = 0; i < text.TokenIds.Count; i++)
        {
            var scored = i - text.Unscored;
            AddRow(TokenText.ToOneLine(text.TokenTexts[i]), column => scored < 0 ? null : column.LogProbs[scored]);
        }

        table.AddEmptyRow();
        AddRow("sum", column => column.Sum);
        AddRow("mean", column => column.Mean);
        AddRow("perplexity", column => column.Perplexity);
        return table;
    }

    static JsonObject CreateJson(string model, ScoredText text) =>
        new()
        {
            ["model"] = model,
            ["tokens"] = new JsonArray([.. text.TokenIds.Select((_, i) => CreateTokenJson(text, i))]),
            ["scored"] = text.TokenIds.Count - text.Unscored,
            ["sum"] = ByColumn(text, column => column.Sum),
            ["mean"] = ByColumn(text, column => column.Mean),
            ["perplexity"] = ByColumn(text, column => column.Perplexity),
        };

    static JsonObject CreateTokenJson(ScoredText text, int index)
    {
        var scored = index - text.Unscored;
        return new()
        {
            ["id"] = text.TokenIds[index],
            ["text"] = text.TokenTexts[index],
            ["log_probability"] = scored < 0 ? null : ByColumn(text, column => column.LogProbs[scored]),
        };
    }

    static JsonObject ByColumn(ScoredText text, Func<ScoredColumn, JsonNode?> value) =>
        new(text.Columns.Select(column => KeyValuePair.Create(column.Name, value(column))));

    static string FormatNumber(double? value) =>
        value is { } number ? number.ToString("0.000", CultureInfo.InvariantCulture) : "-";

    static string FormatSigned(double? value) =>
        value is { } number ? number.ToString("+0.000;-0.000;0.000", CultureInfo.InvariantCulture) : "-";
}
