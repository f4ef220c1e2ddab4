using System.Collections;
using System.Reflection;
using System.Runtime.InteropServices;
using CoPe.Experiments.Evaluation;
using CoPe.Experiments.Report;
using CoPe.Experiments.Report.Pages;
using CoPe.Experiments.Runs.Recipes;
using CoPe.Experiments.Runs.Results;
using CoPe.Training;

namespace CoPe.Experiments.Runs.Stages;

/// <summary>Gathers what a run has written into what its report shows.</summary>
/// <param name="context">The stage at work.</param>
/// <param name="workspace">Data and model.</param>
sealed class RunReport(StageContext context, RunWorkspace workspace)
{
    readonly Recipe _recipe = context.Recipe;

    /// <summary>The report's content.</summary>
    public ReportModel Build()
    {
        var run = context.Run;
        var users = workspace.Dataset.Users;
        var scores = RunResults.ReadEvaluated(run, _recipe, workspace.Task).Report;
        var model = Path.GetFileName(Path.TrimEndingDirectorySeparator(_recipe.Model));
        return new ReportModel
        {
            Title = $"{workspace.Task.Name.Replace('_', ' ')} with {model}",
            RunName = Path.GetFileName(run.Root),
            RecipeYaml = _recipe.ToYaml(),
            Facts = RunFacts.Collect(context, workspace),
            StageTimes = [.. RunFacts.ReadStageTimes(context)],
            Results = ReportTables.CreateTable(scores),
            Comparisons = ReportTables.CreateComparisons(scores),
            Significance = ReportTables.SelectTests(scores, SignificanceFile.Read(run)),
            UserScores = [.. ReportTables.CreateUserScores(scores)],
            HistoryLengths = users.ToDictionary(user => user.Id, user => user.History.Count),
            Curves = [.. TrainingCurves.Read(run)],
            Rewards = [.. ReadRewards()],
            PreferenceEffect = TrainingSummary.ComputeEffect(TrainingSummary.Read(run, StageId.TrainDpo)),
            ExpertDistance = PartGains.ComputeDistance(scores),
            GoldLikelihoods = [.. AverageLikelihoods(JsonLines.Enumerate<QueryLikelihood>(run.Likelihood))],
            TokenTraces = TokenTraces.Compute(context, workspace),
            Examples = CreateExamples(scores),
        };
    }

    IEnumerable<RewardPair> ReadRewards() =>
        from pair in JsonLines.Enumerate<SelectedPair>(context.Run.Pairs)
        where pair is { ChosenReward: not null, RejectedReward: not null }
        select new RewardPair(pair.ChosenReward!.Value, pair.RejectedReward!.Value);

    /// <summary>Means over the queries, of the models that the first was measured under.</summary>
    static IEnumerable<GoldLikelihood> AverageLikelihoods(IEnumerable<QueryLikelihood> likelihood)
    {
        var models = new OrderedDictionary<string, List<double>>();
        foreach (var (place, query) in likelihood.Index())
        {
            foreach (var (model, nll) in query.Nll)
            {
                if (place == 0)
                {
                    models.Add(model, []);
                }

                models.GetValueOrDefault(model)?.Add(nll);
            }
        }

        foreach (var (model, values) in models)
        {
            var mean = MeanWithError.Compute(values);
            yield return new GoldLikelihood
            {
                Adapter = PredictionMethod.Find(model).Title,
                NegativeLogLikelihood = mean.Mean,
                StandardError = mean.StandardError,
                Count = mean.Count,
            };
        }
    }

    /// <summary>Every query with all answers, of which the page shows some: each is made when it is read.</summary>
    ComputedList<ReportExample> CreateExamples(EvaluationReport scores)
    {
        var headline = ReportTables.SelectMetrics(scores)[0].Name;
        var methods = _recipe.Methods().Select(method => ReadOutputs(method, scores, headline)).ToList();
        var queries = workspace
            .Dataset.Users.SelectMany(user => Enumerable.Range(0, user.Queries.Count).Select(place => (user, place)))
            .ToList();
        return new(
            queries.Count,
            index =>
            {
                var (user, place) = queries[index];
                var query = user.Queries[place];
                return new ReportExample
                {
                    User = user.Id,
                    Query = query.Id,
                    Input = query.Input,
                    Gold = query.Gold,
                    Outputs = [.. methods.Select(method => method.CreateOutput(query.Id))],
                };
            }
        );
    }

    MethodOutputs ReadOutputs(PredictionMethod method, EvaluationReport scores, string headline)
    {
        var predictions = PredictionFile.Read(context.Run.Predictions(method.Name)).Predictions;
        var scored = scores.ScoresOf(method.Name).Queries.Where(query => query.Values.ContainsKey(headline));
        return new(
            method.Title,
            predictions.ToDictionary(prediction => prediction.Id, prediction => prediction.Output),
            scored.ToDictionary(query => query.Id, query => query.Values[headline])
        );
    }

    /// <summary>The answers of a method by query, with their scores in the headline's metric.</summary>
    sealed record MethodOutputs(
        string Title,
        IReadOnlyDictionary<string, string> Texts,
        IReadOnlyDictionary<string, double> Scores
    )
    {
        public ExampleOutput CreateOutput(string query) =>
            new()
            {
                Method = Title,
                Text = Texts.GetValueOrDefault(query, ""),
                Score = Scores.TryGetValue(query, out var score) ? score : null,
            };
    }
}

/// <summary>A list whose elements are computed each time they are read, and not kept.</summary>
/// <param name="count">How many there are.</param>
/// <param name="compute">Computes one, by its place.</param>
sealed class ComputedList<T>(int count, Func<int, T> compute) : IReadOnlyList<T>
{
    public int Count => count;

    public T this[int index] => compute(index);

    public IEnumerator<T> GetEnumerator() => Enumerable.Range(0, count).Select(compute).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}

/// <summary>Writes the run's report, one HTML file that needs nothing else.</summary>
sealed class ReportStage : Stage
{
    public override StageId Id => StageId.Report;

    public override IReadOnlyList<string> RecipeKeys => [];

    internal override UserParts ReadsOfUser(Recipe recipe) => UserParts.All;

    public override IEnumerable<StageId> Needs(Recipe recipe) => [StageId.Evaluate];

    public override bool IsRequestedBy(Recipe recipe) => true;

    public override IEnumerable<StageOutput> Outputs(RunDirectory run) =>
        [new UserFigures(run.Report, "texts and figures of users")];

    internal override void CheckInputs(RunPreflight preflight) => preflight.CheckHistories();

    public override InputKinds RebuildReads => InputKinds.Files;

    public override void RebuildWithoutUser(StageContext context) => Execute(context);

    public override void Execute(StageContext context)
    {
        var model = new RunReport(context, context.Workspace).Build();
        AtomicFile.WriteText(context.Run.Report, writer => HtmlReport.Write(model, writer));
    }
}

/// <summary>
/// What a reader needs to judge and repeat a run: seed, versions, machine, hashes of the inputs, times.
/// </summary>
static class RunFacts
{
    /// <summary>The facts in the order of the report.</summary>
    public static IReadOnlyList<ReportFact> Collect(StageContext context, RunWorkspace workspace)
    {
        var hashes = context.Workspace.Hashes;
        var queries = workspace.Dataset.Users.Sum(user => user.Queries.Count);
        var ofDevelopment = context.Recipe.DevelopmentItems > 0 ? " (development items from the histories)" : "";
        return
        [
            CreateFact("Run", "task", workspace.Task.Name),
            CreateFact("Run", "model", context.Recipe.Model),
            CreateFact("Run", "seed", $"{context.Recipe.Seed}"),
            CreateFact("Run", "users", $"{workspace.Dataset.Users.Count}"),
            CreateFact("Run", "queries", $"{queries}{ofDevelopment}"),
            CreateFact("Versions", "CoPe for .NET", GetVersion(typeof(RunFacts))),
            CreateFact("Versions", "TorchSharp", GetVersion(typeof(TorchSharp.torch))),
            CreateFact("Versions", "libtorch", context.Environment.Compute?.Torch ?? "not used"),
            CreateFact("Versions", ".NET", Environment.Version.ToString()),
            CreateFact("Versions", "ICU", context.Environment.Icu),
            CreateFact("Machine", "system", RuntimeInformation.OSDescription),
            CreateFact(
                "Machine",
                "processor",
                $"{Environment.ProcessorCount} x {RuntimeInformation.ProcessArchitecture}"
            ),
            CreateFact("Machine", "instruction sets", context.Environment.Instructions),
            CreateFact("Machine", "threads of torch", $"{context.Environment.Compute?.Threads ?? 0}"),
            .. context
                .Inputs.ListFiles(InputKinds.Files)
                .Select(file => CreateFact("SHA-256 of inputs", file.Label, hashes.ComputeHash(file.FullPath))),
        ];
    }

    /// <summary>Wall-clock time of every complete stage.</summary>
    public static IEnumerable<StageTime> ReadStageTimes(StageContext context) =>
        from stage in RunStages.All
        let marker = StageMarker.Read(context.Run.Marker(stage.Id))
        where marker is not null
        select new StageTime(stage.Name, TimeSpan.FromSeconds(marker.Seconds));

    static ReportFact CreateFact(string group, string name, string value) =>
        new()
        {
            Group = group,
            Name = name,
            Value = value,
        };

    static string GetVersion(Type type) =>
        type.Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0]
        ?? "unknown";
}

/// <summary>Curves of the training stages, from their metrics: means over the users at each step.</summary>
static class TrainingCurves
{
    /// <summary>Name of the held-out loss among the figures of a training.</summary>
    public const string DevelopmentLoss = "development loss";

    static readonly (StageId Stage, string Title)[] Stages =
    [
        (StageId.TrainTam, "TAM"),
        (StageId.TrainTamAll, "TAM-all"),
        (StageId.TrainSft, "SFT (mean over users)"),
        (StageId.TrainDpo, "DPO (mean over users)"),
    ];

    static readonly (string Metric, string Quantity, string Series)[] Series =
    [
        ("loss", "loss", "training"),
        (DevelopmentLoss, "loss", "held out"),
        ("rewards/chosen", "reward", "chosen"),
        ("rewards/rejected", "reward", "rejected"),
        ("rewards/margins", "reward margin", ""),
        ("rewards/accuracies", "accuracy", ""),
        ("logps/chosen", "log-probability", "chosen"),
        ("logps/rejected", "log-probability", "rejected"),
        ("lr", "learning rate", ""),
        ("tokens/s", "tokens/s", ""),
        ("memory MB", "memory, MB", ""),
    ];

    /// <summary>The curves of the stages that have run.</summary>
    public static IEnumerable<TrainingCurve> Read(RunDirectory run) =>
        Stages.SelectMany(stage => Read(run.Metrics(stage.Stage), stage.Title));

    static IEnumerable<TrainingCurve> Read(string file, string title)
    {
        var figures = new StepCurves([.. Series.Select(series => series.Metric)]);
        foreach (var row in JsonLines.Enumerate<StepMetrics>(file).Where(row => !TrainingSummary.IsSummary(row)))
        {
            figures.Add(row);
        }

        foreach (var (metric, quantity, series) in Series)
        {
            List<CurvePoint> points = [.. figures.Average(metric)];
            if (points.Count > 0)
            {
                yield return new TrainingCurve
                {
                    Stage = title,
                    Quantity = quantity,
                    Series = series,
                    Points = points,
                };
            }
        }
    }
}

/// <summary>
/// The figures of a training as numbers alone, for as many users as there may be. Where an interrupted stage took a
/// step again, the last line of a user's step counts.
/// </summary>
/// <param name="metrics">The figures that are kept.</param>
sealed class StepCurves(IReadOnlyList<string> metrics)
{
    readonly Dictionary<(string User, long Step, bool IsHeldOut), int> _places = [];
    readonly List<long> _steps = [];
    readonly Dictionary<string, List<double?>> _columns = metrics.ToDictionary(name => name, _ => new List<double?>());

    /// <summary>Takes a line.</summary>
    public void Add(StepMetrics row)
    {
        var key = (row.User, row.Step, row.Figures.ContainsKey(TrainingCurves.DevelopmentLoss));
        if (!_places.TryGetValue(key, out var place))
        {
            place = _places[key] = _steps.Count;
            _steps.Add(row.Step);
            foreach (var column in _columns.Values)
            {
                column.Add(null);
            }
        }

        foreach (var (metric, column) in _columns)
        {
            column[place] = row.Figures.TryGetValue(metric, out var value) ? value : null;
        }
    }

    /// <summary>The mean of a figure over the users at each step.</summary>
    public IEnumerable<CurvePoint> Average(string metric) =>
        _steps
            .Zip(_columns[metric], (step, value) => (Step: step, Value: value))
            .Where(line => line.Value is not null)
            .GroupBy(line => line.Step, line => line.Value!.Value)
            .OrderBy(step => step.Key)
            .Select(step => new CurvePoint(step.Key, step.Average()));
}
