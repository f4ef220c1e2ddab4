using System.CommandLine;
using System.CommandLine.Invocation;
using CoPe.Cli.Display;
using CoPe.Experiments.Evaluation;
using CoPe.Experiments.Runs;

namespace CoPe.Cli.Verbs;

/// <summary><c>cope evaluate</c>: a run, or prediction files against golds.</summary>
static class EvaluateVerb
{
    public static Command Create(CommandHost host)
    {
        var command = new StageVerb(
            StageId.Evaluate,
            "evaluate",
            "Measure the answers against the users' own texts (stage 6), or prediction files against golds, "
                + "and show the table."
        )
        {
            ShowsFigures = true,
            OnCompleted = (context, request) => ResultsView.Write(host, context, request.IsJson),
        }.Create(host);
        var predictions = new Option<string[]>("--predictions")
        {
            Description =
                "Scores prediction files instead of a run: FILE or METHOD=FILE, json or a zip of all tasks; "
                + "may be given several times.",
            HelpName = "file",
            DefaultValueFactory = _ => [],
        };
        var golds = new Option<string?>("--golds")
        {
            Description = "Their golds: a label file, a zip of them, or a data folder.",
            HelpName = "path",
        };
        var partial = new Option<bool>("--partial")
        {
            Description = "Scores the ids that match and lists the others, instead of an error.",
        };
        var median = new Option<bool>("--bootstrap-median")
        {
            Description = "ROUGE as the reference reports it: the median of the means of 1,000 resamples.",
        };
        var stemmer = new Option<bool>("--stemmer") { Description = "ROUGE compares stems." };
        var csv = new Option<string?>("--csv")
        {
            Description = "Also writes every figure into this file.",
            HelpName = "file",
        };
        command.AddOptions(predictions, golds, partial, median, stemmer, csv);

        var evaluateRun = (SynchronousCommandLineAction)command.Action!;
        Option[] fileOptions = [golds, partial, median, stemmer, csv];
        command.SetAction(parsed =>
        {
            var files = parsed.GetValue(predictions)!;
            if (files.Length == 0)
            {
                RefuseGiven(parsed, fileOptions);
                return evaluateRun.Invoke(parsed);
            }

            var evaluation = new FileEvaluation
            {
                Predictions = files,
                Golds =
                    parsed.GetValue(golds)
                    ?? throw new UsageException(
                        "--predictions needs --golds: a label file, a zip of them, or a data folder"
                    ),
                Options = new()
                {
                    Mismatch = parsed.GetValue(partial) ? IdMismatch.Report : IdMismatch.Error,
                    Average = parsed.GetValue(median) ? AverageKind.BootstrapMedian : AverageKind.PlainMean,
                    RougeStemmer = parsed.GetValue(stemmer),
                },
            };
            WriteScores(host, evaluation, parsed.GetValue(csv), parsed.GetValue<bool>("--json"));
            return ExitCode.Ok;
        });
        return command;
    }

    static void RefuseGiven(ParseResult parsed, IEnumerable<Option> options)
    {
        var given = options.FirstOrDefault(option => parsed.GetResult(option) is { Implicit: false });
        if (given is not null)
        {
            throw new UsageException(
                $"{given.Name} goes with --predictions FILE; "
                    + "a run is measured as its recipe says (evaluate.average, evaluate.stemmer)"
            );
        }
    }

    static void WriteScores(CommandHost host, FileEvaluation evaluation, string? csv, bool isJson)
    {
        var output = csv is null ? null : Path.GetFullPath(host.PathOf(csv));
        if (output is not null && evaluation.ListInputs(host).Contains(output))
        {
            throw new UsageException($"--csv {csv} is one of the inputs, which are never written: name another file");
        }

        var scored = evaluation.Score(host);
        if (output is not null)
        {
            FileEvaluation.WriteCsv(scored, output);
        }

        if (isJson)
        {
            host.Out.Write(ResultsFile.ToJson(FileEvaluation.CreateTables(scored)));
        }
        else
        {
            FileEvaluation.WriteTables(host, scored);
        }
    }
}
