using System.CommandLine;
using System.Globalization;
using CoPe.Cli.Hosting;
using CoPe.Cli.Sessions;
using CoPe.Decoding;
using CoPe.Experiments.Runs;
using CoPe.Experiments.Runs.Recipes;
using Spectre.Console;

namespace CoPe.Cli.Verbs;

/// <summary><c>cope predict --method M</c>.</summary>
static class PredictVerb
{
    public static Command Create(CommandHost host)
    {
        var command = new Command("predict", "Write the answers to the users' queries (stage 5).");
        var options = RunOptions.AddTo(command, dtypeKey: "decode.dtype");
        var method = CreateMethodOption("Method");
        var again = new Option<bool>("--again") { Description = "Also where the answers are there already." };
        var trace = new Option<bool>("--trace") { Description = "Shows the time of the decoding steps by section." };
        command.AddOptions(method, again, trace);
        command.SetAction(parsed =>
        {
            var methods = parsed.GetValue(method)!.Select(PredictionMethod.Find).ToList();
            var isAgain = parsed.GetValue(again);
            var decodingTrace = parsed.GetValue(trace) ? new DecodingTrace() : null;
            new RunSession(host, options.Read(host, parsed)).Execute(
                (pipeline, context) =>
                {
                    foreach (var chosen in methods.Count > 0 ? methods : context.Recipe.Methods())
                    {
                        pipeline.RunStage(context with { Trace = decodingTrace }, StageId.Predict(chosen), isAgain);
                    }
                }
            );
            if (decodingTrace is not null)
            {
                DecodingTraceView.Write(host, decodingTrace);
            }

            return ExitCode.Ok;
        });
        return command;
    }

    /// <summary>The option <c>--method</c>.</summary>
    /// <param name="summary">What it does, for help.</param>
    public static Option<string[]> CreateMethodOption(string summary)
    {
        var known = string.Join(", ", PredictionMethod.All.Select(method => method.Name));
        return new("--method")
        {
            Description = $"{summary}: {known}; may be given several times; by default those of the recipe.",
            DefaultValueFactory = _ => [],
            HelpName = "name",
        };
    }
}

/// <summary>The time of decoding by section, as a table.</summary>
static class DecodingTraceView
{
    public static void Write(CommandHost host, DecodingTrace trace)
    {
        var console = host.CreateTableConsole();
        if (trace.Steps == 0)
        {
            console.WriteLine(
                "Nothing was decoded, so there is no trace: the answers are there already (--again decodes them again)."
            );
            return;
        }

        var all = trace.Sections.Sum(section => section.Time.TotalMilliseconds);
        var table = new Table { Border = TableBorder.Simple };
        table.AddColumn("section");
        foreach (var column in (string[])["ms per step", "share"])
        {
            table.AddColumn(new TableColumn(column).RightAligned());
        }

        foreach (var (section, time) in trace.Sections)
        {
            table.AddRow(
                section,
                FormatNumber(time.TotalMilliseconds / trace.Steps, "0.00"),
                FormatNumber(100 * time.TotalMilliseconds / all, "0.0") + " %"
            );
        }

        table.AddRow("all", FormatNumber(all / trace.Steps, "0.00"), "");
        console.Write(table);
        var rows = FormatNumber((double)trace.Rows / trace.Steps, "0.0");
        console.WriteLine(
            $"{FormatNumber(trace.Steps, "N0")} steps of {rows} rows on average; "
                + "times of batches on several cores are added up."
        );
        console.WriteLine(
            $"Prompts: {FormatNumber(trace.PromptTokensComputed, "N0")} tokens computed, "
                + $"{FormatNumber(trace.PromptTokensCopied, "N0")} copied from rows with the same beginning "
                + "and the same adapters."
        );
    }

    static string FormatNumber(double value, string format) => value.ToString(format, CultureInfo.InvariantCulture);
}
