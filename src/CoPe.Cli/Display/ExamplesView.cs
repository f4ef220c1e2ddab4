using CoPe.Data;
using CoPe.Evaluation;
using CoPe.Runs;
using Spectre.Console;

namespace CoPe.Cli.Display;

/// <summary>Answers of every method to the first queries of the first user, beside what he wrote himself.</summary>
static class ExamplesView
{
    const int Queries = 2;
    const int LongestText = 300;

    public static void Write(IAnsiConsole console, StageContext context, LampTask task)
    {
        var answers = context.Recipe.Methods().Where(method => File.Exists(context.Run.Predictions(method.Name)))
            .ToDictionary(method => method.Title, method => PredictionFile.Read(context.Run.Predictions(method.Name)).Predictions.ToDictionary(answer => answer.Id, answer => answer.Output));
        if (answers.Count == 0) return;
        var read = new LampReadOptions { MaxUsers = 1, MaxOthers = 0, RequireGolds = false, LeaveOut = _ => { } };
        foreach (var user in LampFiles.Read(context.Inputs.Data, task, read).Users)
            foreach (var query in user.Queries.Where(query => answers.Values.All(method => method.ContainsKey(query.Id))).Take(Queries))
            {
                console.MarkupLineInterpolated($"[bold]user {user.Id}:[/] {Cut(query.Input, 140)}");
                console.Write(Table(query, answers));
            }
    }

    static Table Table(LampQuery query, Dictionary<string, Dictionary<string, string>> answers)
    {
        var table = new Table { Border = TableBorder.Simple, ShowHeaders = false };
        table.AddColumn(new TableColumn("method") { NoWrap = true });
        table.AddColumn("answer");
        table.AddRow("[bold]the user[/]", Markup.Escape(Cut(query.Gold, LongestText)));
        foreach (var (title, texts) in answers) table.AddRow(Markup.Escape(title), Markup.Escape(Cut(texts[query.Id], LongestText)));
        return table;
    }

    static string Cut(string text, int length)
    {
        var line = string.Join(' ', text.Split((char[])['\r', '\n'], StringSplitOptions.RemoveEmptyEntries));
        return string.IsNullOrWhiteSpace(line) ? "(empty)" : line.Length <= length ? line : string.Concat(line.AsSpan(0, length - 3), "...");
    }
}
