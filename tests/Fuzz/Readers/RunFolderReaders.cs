using CoPe.Cli.Sessions;
using CoPe.Experiments.Evaluation;
using CoPe.Experiments.Report;
using CoPe.Experiments.Report.Pages;
using CoPe.Experiments.Runs;
using CoPe.Experiments.Runs.Artifacts;
using CoPe.Experiments.Runs.Recipes;
using CoPe.Experiments.Runs.Results;
using CoPe.Experiments.Runs.Stages;
using CoPe.Fuzz.Mutations;

namespace CoPe.Fuzz.Readers;

/// <summary>Run folders as a whole, one of whose files is the input.</summary>
static class RunFolderReaders
{
    const string Recipe = "task: news_headline\nmodel: model\ndata: data\n";

    static readonly string Results =
        "{"
        + string.Join(
            ",\n",
            PredictionMethod.All.Select(method =>
                $$$"""
                    "{{{method.Name}}}": {"rouge-1": {"mean": 0.5, "se": 0.01, "n": 2},
                     "rouge-l": {"mean": 1, "se": 0, "n": 2}}
                    """
            )
        )
        + "}";

    public static IEnumerable<FuzzedReader> All =>
        [
            Create("run-recipe", InputFormat.Yaml, Recipe, run => run.Recipe, ReadRun),
            Create("run-marker", InputFormat.Json, RunReaders.Marker, run => run.Marker(StageId.TrainSft), ReadRun),
            Create("run-results", InputFormat.Json, Results, run => run.Results, ReadResults),
            Create("run-scores", InputFormat.JsonLines, RunReaders.Scores, run => run.Scores, ReadResults),
            Create("report", InputFormat.Json, Results, run => run.Results, WriteReport) with
            {
                AlsoThrows = [typeof(InvalidDataException)],
            },
            Create("report-text", InputFormat.Text, "<b>It \"rains\"</b> & pours", run => run.Profiles, WriteTexts),
            Create("run-list", InputFormat.Json, Results, run => run.Results, ListRun),
        ];

    static FuzzedReader Create(
        string name,
        InputFormat format,
        string seed,
        Func<RunDirectory, string> getFile,
        Action<RunDirectory> read
    ) =>
        new()
        {
            Name = name,
            Format = format,
            Covers = ["RunAdapters.Open", "RunResults.Read", "TrainedUsers.List"],
            Seeds = _ => Bytes.OfAll(seed),
            Open = scratch =>
            {
                var run = WriteRun(scratch, name);
                var file = Path.GetRelativePath(scratch.Folder, getFile(run));
                return input =>
                {
                    scratch.Write(file, input);
                    read(run);
                };
            },
            AlsoThrows = [typeof(InvalidDataException)],
            Share = 1,
        };

    /// <summary>A run that was evaluated and from which everything else is gone.</summary>
    static RunDirectory WriteRun(Scratch scratch, string name)
    {
        var run = new RunDirectory(scratch.MakeFolder(name));
        scratch.Write($"{name}/recipe.yaml", Recipe);
        scratch.Write($"{name}/results.json", Results);
        scratch.Write(Path.GetRelativePath(scratch.Folder, run.Scores), RunReaders.Scores);
        scratch.Write(Path.GetRelativePath(scratch.Folder, run.Metrics(StageId.TrainSft)), RunReaders.Metrics);
        Directory.CreateDirectory(run.SftAdapter("1"));
        return run;
    }

    static void ReadRun(RunDirectory run)
    {
        TrainedUsers.List(run);
        RunRecipe.ReadModel(run);
        RunAdapters.Open(run.Root, allowStale: true);
    }

    static void ReadResults(RunDirectory run)
    {
        var results = RunResults.Read(
            run,
            [run.Root, AppContext.BaseDirectory],
            new Pipeline(RunStages.All),
            new() { AllowStale = true }
        );
        RunComparison.Compute([results, results with { Name = "again" }], new() { Resamples = 100 });
    }

    static void WriteReport(RunDirectory run)
    {
        var table = ResultsFile.ReadJson(run.Results);
        Write(
            new()
            {
                Title = "run",
                Results = table,
                Curves = [.. TrainingCurves.Read(run)],
            }
        );
    }

    static void WriteTexts(RunDirectory run)
    {
        var text = File.ReadAllText(run.Profiles);
        Write(
            new()
            {
                Title = text,
                RecipeYaml = text,
                Examples =
                [
                    new()
                    {
                        User = text,
                        Query = text,
                        Input = text,
                        Gold = text,
                        Outputs = [new() { Method = text, Text = text }],
                    },
                ],
            }
        );
    }

    static void Write(ReportModel model) => HtmlReport.Write(model, TextWriter.Null);

    static void ListRun(RunDirectory run) =>
        RunSummaryReader.Read(CommandReaders.CreateHost(Path.GetDirectoryName(run.Root)!), run);
}
