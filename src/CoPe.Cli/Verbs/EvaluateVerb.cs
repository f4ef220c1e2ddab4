using System.CommandLine;
using System.CommandLine.Invocation;
using CoPe.Cli.Display;
using CoPe.Cli.Failures;
using CoPe.Cli.Hosting;
using CoPe.Cli.Sessions;
using CoPe.Experiments.Evaluation;
using CoPe.Experiments.Runs;
using CoPe.Experiments.Runs.Stages;

namespace CoPe.Cli.Verbs;

/// <summary><c>cope evaluate</c>: a run, or prediction files against golds.</summary>
static class EvaluateVerb
{
    static readonly Option<string[]> PredictionsOption = new("--predictions")
    {
        Description =
            "Scores prediction files instead of a run: FILE or METHOD=FILE, json or a zip of all tasks; "
            + "may be given several times.",
        HelpName = "file",
        DefaultValueFactory = _ => [],
    };

    static readonly Option<string?> GoldsOption = new("--golds")
    {
        Description = "Their golds: a label file, a zip of them, or a data folder.",
        HelpName = "path",
    };

    static readonly Option<bool> PartialOption = new("--partial")
    {
        Description = "Scores the ids that match and lists the others, instead of an error.",
    };

    static readonly Option<bool> MedianOption = new("--bootstrap-median")
    {
        Description = "ROUGE as the reference reports it: the median of the means of 1,000 resamples.",
    };

    const string RougeScoreTokenizer = "rouge_score";
    const string UnicodeTokenizer = "unicode";

    static readonly Option<bool> StemmerOption = new("--stemmer") { Description = "ROUGE compares stems." };

    static readonly Option<string> TokenizerOption = CreateTokenizerOption();

    static readonly Option<string?> CsvOption = new("--csv")
    {
        Description = "Also writes every figure into this file.",
        HelpName = "file",
    };

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
            SelectWork = PredictedMethods.Select,
            OnCompleted = (context, request) =>
            {
                ResultsView.Write(host, context, request.IsJson);
                NameUnmeasured(host, context);
            },
        }.Create(host);
        command.AddOptions(
            PredictionsOption,
            GoldsOption,
            PartialOption,
            MedianOption,
            StemmerOption,
            TokenizerOption,
            CsvOption
        );

        var evaluateRun = (SynchronousCommandLineAction)command.Action!;
        Option[] fileOptions = [GoldsOption, PartialOption, MedianOption, StemmerOption, TokenizerOption, CsvOption];
        command.SetAction(parsed =>
        {
            var files = parsed.GetValue(PredictionsOption)!;
            if (files.Length == 0)
            {
                RefuseGiven(parsed, fileOptions);
                return evaluateRun.Invoke(parsed);
            }

            var evaluation = new FileEvaluation
            {
                Predictions = files,
                Golds =
                    parsed.GetValue(GoldsOption)
                    ?? throw new UsageException(
                        "--predictions needs --golds: a label file, a zip of them, or a data folder"
                    ),
                Options = new()
                {
                    Mismatch = parsed.GetValue(PartialOption) ? IdMismatch.Report : IdMismatch.Error,
                    Average = parsed.GetValue(MedianOption) ? AverageKind.BootstrapMedian : AverageKind.PlainMean,
                    RougeStemmer = parsed.GetValue(StemmerOption),
                    Tokenizer =
                        parsed.GetValue(TokenizerOption) == UnicodeTokenizer
                            ? WordTokenizerKind.Unicode
                            : WordTokenizerKind.RougeScore,
                },
            };
            WriteScores(host, evaluation, parsed.GetValue(CsvOption), parsed.GetValue<bool>("--json"));
            return ExitCode.Ok;
        });
        return command;
    }

    static Option<string> CreateTokenizerOption()
    {
        var option = new Option<string>("--tokenizer")
        {
            Description =
                $"What a word is: {RougeScoreTokenizer}, a to z and 0 to 9, or {UnicodeTokenizer}, of any script.",
            HelpName = "name",
            DefaultValueFactory = _ => RougeScoreTokenizer,
        };
        option.AcceptOnlyFromAmong(RougeScoreTokenizer, UnicodeTokenizer);
        return option;
    }

    /// <summary>Says which methods of the recipe the figures lack, and what adds them.</summary>
    static void NameUnmeasured(CommandHost host, StageContext context)
    {
        var measured = ResultsFile.ReadJson(context.Run.Results).Methods;
        var missing = context.Recipe.Methods().Select(method => method.Name).Except(measured).ToList();
        if (missing.Count > 0)
        {
            var run = DisplayFormat.ShellArgument(context.Run.Name);
            host.WriteMessage(
                $"not measured, as there are no current predictions: {string.Join(", ", missing)}; "
                    + $"'cope predict --run {run}' makes them, then run this again"
            );
        }
    }

    static void RefuseGiven(ParseResult parsed, IEnumerable<Option> options)
    {
        var given = options.FirstOrDefault(option => parsed.GetResult(option) is { Implicit: false });
        if (given is not null)
        {
            throw new UsageException(
                $"{given.Name} goes with --predictions FILE; "
                    + "a run is measured as its recipe says (evaluate.average, evaluate.stemmer, evaluate.tokenizer)"
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
