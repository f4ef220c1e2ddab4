using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using CoPe.Cli.Scoring;
using Spectre.Console;

namespace CoPe.Cli.Display;

/// <summary>A scored text as a table, a token a line, or as JSON.</summary>
static class ScoreView
{
    const int MaxTokenLength = 24;

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
            host.CreateTableConsole().Write(CreateTable(text));
        }
    }

    /// <summary>
    /// Tokens, log p under every column, and by how much the last column differs from the task's model, the first of
    /// several adapters or the base; sums, means and perplexities below.
    /// </summary>
    static Table CreateTable(ScoredText text)
    {
        var table = new Table { Border = TableBorder.Simple };
        table.AddColumn(new TableColumn("token") { NoWrap = true });
        foreach (var (name, _) in text.Columns)
        {
            table.AddColumn(new TableColumn(Markup.Escape(name)).RightAligned());
        }

        var compared = text.Columns.Count > 1;
        // Against the task's model where there is one, else the base.
        var (last, reference) = (text.Columns.Count - 1, Math.Min(1, text.Columns.Count - 2));
        if (compared)
        {
            table.AddColumn(
                new TableColumn(
                    Markup.Escape($"{text.Columns[last].Name} - {text.Columns[reference].Name}")
                ).RightAligned()
            );
        }

        void Row(string what, Func<int, double?> value) =>
            table.AddRow([
                Markup.Escape(what),
                .. Enumerable.Range(0, text.Columns.Count).Select(column => FormatNumber(value(column))),
                .. compared ? (string[])[FormatSigned(value(last) - value(reference))] : [],
            ]);
        for (var i = 0; i < text.Ids.Count; i++)
        {
            var place = i - text.Unscored;
            Row(EscapeToken(text.Texts[i]), column => place < 0 ? null : text.Columns[column].LogProbs[place]);
        }
        table.AddEmptyRow();
        Row("sum", column => text.Sum(column));
        Row("mean", column => text.Mean(column));
        Row("perplexity", column => text.Perplexity(column));
        return table;
    }

    static JsonObject CreateJson(string model, ScoredText text)
    {
        JsonObject ByColumn(Func<int, JsonNode?> value) =>
            new(text.Columns.Select((column, index) => KeyValuePair.Create(column.Name, value(index))));
        return new()
        {
            ["model"] = model,
            ["tokens"] = new JsonArray([
                .. text.Ids.Select(
                    (id, i) =>
                        new JsonObject
                        {
                            ["id"] = id,
                            ["text"] = text.Texts[i],
                            ["log_probability"] =
                                i < text.Unscored
                                    ? null
                                    : ByColumn(column => text.Columns[column].LogProbs[i - text.Unscored]),
                        }
                ),
            ]),
            ["scored"] = text.Ids.Count - text.Unscored,
            ["sum"] = ByColumn(column => text.Sum(column)),
            ["mean"] = ByColumn(column => text.Mean(column)),
            ["perplexity"] = ByColumn(column => text.Perplexity(column)),
        };
    }

    static string FormatNumber(double? value) =>
        value is { } number ? number.ToString("0.000", CultureInfo.InvariantCulture) : "-";

    static string FormatSigned(double? value) =>
        value is { } number ? number.ToString("+0.000;-0.000;0.000", CultureInfo.InvariantCulture) : "-";

    /// <summary>A token on one line, its spaces visible.</summary>
    static string EscapeToken(string token)
    {
        var text = string.Concat(
            token.Select(letter =>
                letter switch
                {
                    ' ' => "·",
                    '\n' => "\\n",
                    '\r' => "\\r",
                    '\t' => "\\t",
                    _ when char.IsControl(letter) => "?",
                    _ => letter.ToString(),
                }
            )
        );
        return text.Length <= MaxTokenLength ? text : string.Concat(text.AsSpan(0, MaxTokenLength - 3), "...");
    }
}
