using System.CommandLine;
using CoPe.Cli.Display;
using CoPe.Cli.Failures;
using CoPe.Cli.Hosting;
using CoPe.Cli.Sessions;
using CoPe.Experiments.Evaluation;
using CoPe.Experiments.Runs.Results;

namespace CoPe.Cli.Verbs;

/// <summary><c>cope compare RUN RUN ...</c>.</summary>
static class CompareVerb
{
    static readonly Argument<string[]> RunsArgument = new("runs")
    {
        Description = "Folders of two runs or more; one with runs seed-N in it counts as their average.",
        Arity = ArgumentArity.OneOrMore,
    };

    static readonly Option<string[]> MetricsOption = new("--metric")
    {
        Description = "Metric to test, for example meteor; may be given several times; by default the task's first.",
        HelpName = "name",
        DefaultValueFactory = _ => [],
    };

    static readonly Option<string?> CsvOption = new("--csv")
    {
        Description = "Also writes every figure of every run into this file.",
        HelpName = "file",
    };

    static readonly Option<bool> JsonOption = new("--json")
    {
        Description = "Results and tests as JSON instead of tables.",
    };

    static readonly Option<bool> VerboseOption = new("--verbose") { Description = "The stack trace of an error." };

    public static Command Create(CommandHost host)
    {
        var command = new Command(
            "compare",
            "Set several runs of one task beside each other, "
                + "and test each method against the same one of the first run."
        );
        command.Arguments.Add(RunsArgument);
        var allowStale = AllowStaleOption.Create();
        command.AddOptions(MetricsOption, CsvOption, JsonOption, allowStale, VerboseOption);

        command.SetAction(parsed =>
        {
            var names = parsed.GetValue(RunsArgument)!;
            if (names.Length < 2)
            {
                var first = names.FirstOrDefault("runs/a");
                throw new UsageException(
                    $"'cope compare' needs two runs or more, for example 'cope compare {first} runs/b'"
                );
            }

            var tested = parsed.GetValue(MetricsOption)!.Select(FindMetric).ToList();
            var reader = new ResultsReader(host, parsed.GetValue(allowStale));
            var comparison = RunComparison.Compute([
                .. names.Select(name => reader.Read(InterruptedRebuild.OpenRun(host, name))),
            ]);
            if (parsed.GetValue(CsvOption) is { } file)
            {
                WriteCsv(comparison, host.PathOf(file));
            }

            if (parsed.GetValue(JsonOption))
            {
                host.Out.Write(ComparisonFile.ToJson(comparison));
            }
            else
            {
                CompareView.Write(
                    host,
                    comparison,
                    tested.Count > 0 ? tested : [Metric.HeadlineFor(comparison.Runs[0].Task.Outcome)]
                );
            }

            return ExitCode.Ok;
        });
        return command;
    }

    /// <summary>The metric of a name, or an error that offers the nearest.</summary>
    internal static Metric FindMetric(string name)
    {
        if (Metric.All.FirstOrDefault(metric => metric.Name == name) is { } found)
        {
            return found;
        }

        var known = Metric.All.Select(metric => metric.Name).ToList();
        throw new UsageException(
            $"unknown metric '{name}'{NearestName.Hint(name, known)} (there are {string.Join(", ", known)})"
        );
    }

    static void WriteCsv(RunComparison comparison, string path) =>
        AtomicFile.WriteText(path, writer => ComparisonFile.WriteCsv(comparison, writer));
}
