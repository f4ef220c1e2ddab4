using System.Text.Json;
using CoPe.Experiments.Evaluation;
using CoPe.Experiments.Report;
using CoPe.Experiments.Report.Pages;
using CoPe.Experiments.Runs.Recipes;

namespace CoPe.Experiments.Runs.Results;

/// <summary>A sweep as a page, as CSV and as JSON.</summary>
static class SweepFiles
{
    /// <summary>Most metrics that get a panel each.</summary>
    const int MaxPanels = 6;

    /// <summary>Writes the page of the curves.</summary>
    public static void WriteReport(IReadOnlyList<SweepCurve> curves, string recipeYaml, string path) =>
        AtomicFile.WriteText(path, writer => SweepReport.Write(CreateModel(curves, recipeYaml), writer));

    /// <summary>Writes every result: key, value, method, metric, mean, standard error, count.</summary>
    public static void WriteCsv(IReadOnlyList<SweepCurve> curves, string path) =>
        AtomicFile.WriteText(
            path,
            writer =>
            {
                ResultsCsv.WriteHeading(writer, "key,value,", hasSeeds: false);
                foreach (var curve in curves)
                {
                    foreach (var point in curve.Points)
                    {
                        var cells = point.Results.Table.Cells;
                        ResultsCsv.WriteCells(writer, [curve.Key, point.Value], cells, hasSeeds: false);
                    }
                }
            }
        );

    /// <summary>Writes the tests of the parts of the method against SFT at every value.</summary>
    public static void WriteGains(IReadOnlyList<SweepCurve> curves, string path)
    {
        const string Heading =
            "key,value,nats_per_token,method,baseline,metric,difference,low,high,p,unit,helped,hurt,equal\n";
        var rows =
            from curve in curves
            from point in curve.Points
            let gains = curve.ComputeGains(point)
            from test in gains.OverSft
            let line = SignificanceLine.FromTest(test)
            select CsvLine.Format(
                curve.Key,
                point.Value,
                CsvLine.Number(gains.Distance),
                line.Method,
                line.Baseline,
                line.Metric,
                CsvLine.Number(line.Difference),
                CsvLine.Number(line.Low),
                CsvLine.Number(line.High),
                CsvLine.Number(line.BootstrapP),
                line.Unit,
                CsvLine.Number(line.Helped),
                CsvLine.Number(line.Hurt),
                CsvLine.Number(line.Equal)
            );
        AtomicFile.WriteText(path, string.Concat(rows.Prepend(Heading)));
    }

    /// <summary>What was chosen and from which results.</summary>
    public static string ToJson(IReadOnlyList<SweepCurve> curves)
    {
        var content = curves.Select(curve => new
        {
            curve.Key,
            curve.Method,
            Metric = curve.Metric.Name,
            Chosen = curve.ChosenValue,
            Tie = curve.DescribeTie(),
            Points = curve.Points.Select(point => ToPoint(curve, point)),
        });
        return JsonSerializer.Serialize(content, ResultsJson.Options) + "\n";
    }

    static object ToPoint(SweepCurve curve, SweepPoint point)
    {
        var score = curve.ScoreAt(point);
        var gains = curve.ComputeGains(point);
        return new
        {
            point.Value,
            score.Mean,
            Se = score.StandardError,
            N = score.Count,
            P = curve.CompareChosenWith(point)?.BootstrapP,
            NatsPerToken = gains.Distance,
            OverSft = gains.OverSft.Select(test => new
            {
                test.Method,
                test.Difference,
                P = test.BootstrapP,
                test.Helped,
                test.Hurt,
            }),
        };
    }

    static SweepModel CreateModel(IReadOnlyList<SweepCurve> curves, string recipeYaml)
    {
        var results = curves[0].Points[0].Results;
        var keys = string.Join(", ", curves.Select(curve => curve.Key));
        return new()
        {
            Title = $"{results.Task.Name.Replace('_', ' ')}: {keys}",
            Lead =
                $"On {results.Golds.Count} development queries, taken from the ends of the users' histories; "
                + "the real queries were not used. Lines are means, bars their standard errors.",
            Keys = [.. curves.Select(CreateKey)],
            RecipeYaml = recipeYaml,
        };
    }

    static SweepKey CreateKey(SweepCurve curve)
    {
        var title = PredictionMethod.GetTitle(curve.Method);
        var panels = SelectMetrics(curve).Select(metric => CreatePanel(curve, metric)).ToList();
        return new()
        {
            Key = curve.Key,
            Values = [.. curve.Points.Select(point => point.Value)],
            Chosen = curve.Chosen,
            ChoiceExplanation =
                $"Chosen: {curve.ChosenValue}, by {curve.Metric.Title} of {title}.{DescribeDoubt(curve)}"
                + DescribeFewUnits(curve),
            UnaffectedMethods = FindUnaffectedMethods(panels, title),
            Panels = panels,
            Gains = [.. curve.Points.SelectMany(point => CreateGains(curve, point))],
        };
    }

    static IEnumerable<SweepGain> CreateGains(SweepCurve curve, SweepPoint point)
    {
        var gains = curve.ComputeGains(point);
        return gains.OverSft.Select(test => new SweepGain(point.Value, PredictionMethod.GetTitle(test.Method))
        {
            Distance = gains.Distance,
            Difference = test.Difference,
            P = test.BootstrapP,
            Helped = test.Helped,
            Hurt = test.Hurt,
        });
    }

    /// <summary>Metrics that get a panel, the one that decides first.</summary>
    static IEnumerable<Metric> SelectMetrics(SweepCurve curve)
    {
        // ROUGE-Lsum of texts of one line is ROUGE-L: it gets a panel only where it decides.
        return Metric
            .All.Where(metric => metric.IsDirected && (metric != Metric.RougeLsum || metric == curve.Metric))
            .Where(metric => curve.Points.Any(point => HasMetric(point, metric)))
            .OrderBy(metric => metric == curve.Metric ? 0 : 1)
            .Take(MaxPanels);

        bool HasMetric(SweepPoint point, Metric metric) =>
            point.Results.Report.ScoresOf(curve.Method).Metrics.ContainsKey(metric.Name);
    }

    /// <summary>Methods with the same results at every value, but for the one that decides.</summary>
    static IReadOnlyList<string> FindUnaffectedMethods(IReadOnlyList<SweepPanel> panels, string deciding) =>
        [
            .. panels
                .SelectMany(panel => panel.Series)
                .GroupBy(series => series.Method)
                .Where(method => method.Key != deciding && method.All(series => series.Cells.Distinct().Count() == 1))
                .Select(method => method.Key),
        ];

    /// <summary>Says so where no other value is clearly worse than the chosen one.</summary>
    static string DescribeDoubt(SweepCurve curve) =>
        curve.DescribeTie() is { } tie ? $" A {tie}."
        : curve.Points.Any(point => curve.CompareChosenWith(point) is { BootstrapP: < 0.05 }) ? ""
        : " No other value is clearly worse (paired bootstrap, p ≥ 0.05): between them the choice is a guess.";

    /// <summary>Says so where the bootstrap had too little to draw from.</summary>
    static string DescribeFewUnits(SweepCurve curve)
    {
        var test = curve.Points.Select(curve.CompareChosenWith).OfType<PairedComparison>().FirstOrDefault();
        if (test is null || test.Units >= PairedTest.MinUnitsForBootstrap)
        {
            return "";
        }

        var unit = test.Unit == PairedUnit.Users ? "users" : "queries";
        return $" With fewer than {PairedTest.MinUnitsForBootstrap} {unit} p is too small.";
    }

    static SweepPanel CreatePanel(SweepCurve curve, Metric metric) =>
        new(
            MetricColumn.Create(metric, metric.Title),
            [.. curve.Points[0].Results.Report.Methods.Select(scores => CreateSeries(curve, scores.Method, metric))]
        );

    static SweepSeries CreateSeries(SweepCurve curve, string method, Metric metric) =>
        new(
            PredictionMethod.GetTitle(method),
            [.. curve.Points.Select(point => point.Results.Table.Find(method, metric.Name)?.OverQueries)]
        );
}
