using CoPe.Cli.Terminal;
using CoPe.Experiments.Data;
using CoPe.Experiments.Evaluation;
using CoPe.Experiments.Runs;
using CoPe.Experiments.Tasks;
using Spectre.Console;

namespace CoPe.Cli.Display;

/// <summary>
/// Answers of every method beside the user's own, to the queries that the methods answer most differently.
/// </summary>
static class ExamplesView
{
    const int ShownQueries = 2;
    const int MaxTextLength = 300;

    public static void Write(IAnsiConsole console, StageContext context)
    {
        var answers = ReadAnswers(context);
        if (answers.Count == 0)
        {
            return;
        }

        var answered =
            from user in ReadUsers(context)
            from query in user.Queries
            where answers.Values.All(method => method.ContainsKey(query.Id))
            select (User: user.Id, Query: query);
        var byDistance = answered
            .Select(one => (one.User, one.Query, Distance: MeasureDistance(one.Query)))
            .OrderByDescending(one => one.Distance)
            .ToList();
        if (answers.Count > 1 && byDistance is [(_, _, 0), ..])
        {
            console.WriteLine("The methods answer every query alike, for example:");
        }

        foreach (var (user, query, _) in byDistance.Take(ShownQueries))
        {
            console.MarkupLineInterpolated($"[bold]user {user}:[/] {Truncate(query.Input, 140)}");
            console.Write(CreateTable(query, answers));
        }

        double MeasureDistance(LampQuery query) =>
            AnswerDistance.Mean([.. answers.Values.Select(texts => texts[query.Id])]);
    }

    /// <summary>The users of the run; where no stage has read them, without the messages of reading.</summary>
    static IReadOnlyList<LampUser> ReadUsers(StageContext context)
    {
        if (context.Workspace.LoadedDataset is { } loaded)
        {
            return loaded.Users;
        }

        using var quiet = new RunWorkspace(context.Recipe, context.Run, context.Inputs);
        return quiet.Dataset.Users;
    }

    /// <summary>The answers of each method by query, by the method's heading.</summary>
    static Dictionary<string, IReadOnlyDictionary<string, string>> ReadAnswers(StageContext context)
    {
        var measured = ResultsFile.ReadJson(context.Run.Results).Methods;
        return context
            .Recipe.Methods()
            .Where(method => measured.Contains(method.Name) && File.Exists(context.Run.Predictions(method.Name)))
            .ToDictionary(
                method => method.Title,
                IReadOnlyDictionary<string, string> (method) =>
                    PredictionFile
                        .Read(context.Run.Predictions(method.Name))
                        .Predictions.ToDictionary(answer => answer.Id, answer => answer.Output)
            );
    }

    static Table CreateTable(LampQuery query, Dictionary<string, IReadOnlyDictionary<string, string>> answers)
    {
        var table = new Table { Border = TableBorder.Simple, ShowHeaders = false };
        table.AddColumn(new TableColumn("method") { NoWrap = true });
        table.AddColumn("answer");
        table.AddRow("[bold]the user[/]", TerminalText.ToMarkup(Truncate(query.Gold, MaxTextLength)));
        foreach (var (title, texts) in answers)
        {
            table.AddRow(TerminalText.ToMarkup(title), TerminalText.ToMarkup(Truncate(texts[query.Id], MaxTextLength)));
        }

        return table;
    }

    static string Truncate(string text, int length)
    {
        var line = string.Join(' ', text.Split(['\r', '\n'], StringSplitOptions.RemoveEmptyEntries));
        if (string.IsNullOrWhiteSpace(line))
        {
            return "(empty)";
        }

        return line.Length <= length ? line : string.Concat(line.AsSpan(0, length - 3), "...");
    }
}
