using System.CommandLine;
using System.Globalization;
using CoPe.Decoding;
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
        command.Options.Add(method);
        var trace = new Option<bool>("--trace") { Description = "Shows where the time of the decoding steps went." };
        command.Options.Add(again);
        command.Options.Add(trace);
        command.SetAction(parsed =>
        {
            var named = parsed.GetValue(method)!.Select(PredictionMethod.Find).ToList();
            var isAgain = parsed.GetValue(again);
            var measured = parsed.GetValue(trace) ? new DecodingTrace() : null;
            new RunSession(host, options.Read(parsed)).Execute(
                (pipeline, context) =>
                {
                    foreach (var chosen in named.Count > 0 ? named : context.Recipe.Methods())
                    {
                        pipeline.RunStage(context with { Trace = measured }, "predict " + chosen.Name, isAgain);
                    }
                }
            );
            if (measured is not null)
            {
                DecodingTraceView.Write(host, measured);
            }

            return ExitCode.Ok;
        });
        return command;
    }

    /// <summary>The option that names methods.</summary>
    public static Option<string[]> CreateMethodOption(string what) =>
        new("--method")
        {
            Description =
                $"{what}: {string.Join(", ", PredictionMethod.All.Select(known => known.Name))}; may be given several times; by default those of the recipe.",
            DefaultValueFactory = _ => [],
            HelpName = "name",
        };
}

/// <summary>A decoding's time by section.</summary>
static class DecodingTraceView
{
    public static void Write(CommandHost host, DecodingTrace trace)
    {
        var console = host.CreateTableConsole();
        if (trace.Steps == 0)
        {
            console.WriteLine(
                "Nothing was decoded, so there is no trace: the answers are there already (--again makes them anew)."
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
        console.WriteLine(
            string.Create(
                CultureInfo.InvariantCulture,
                $"{trace.Steps:N0} steps of {(double)trace.Rows / trace.Steps:0.0} rows on average; times of batches on several cores are added up."
            )
        );
        console.WriteLine(
            string.Create(
                CultureInfo.InvariantCulture,
                $"Prompts: {trace.PromptTokensComputed:N0} tokens computed, {trace.PromptTokensCopied:N0} copied from rows that begin alike and wear the same adapters."
            )
        );
    }

    static string FormatNumber(double value, string format) => value.ToString(format, CultureInfo.InvariantCulture);
}
