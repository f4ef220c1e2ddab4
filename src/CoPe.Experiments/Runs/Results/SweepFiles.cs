using System.Globalization;
using System.Text.Json;
using CoPe.Experiments.Evaluation;
using CoPe.Experiments.Report;
using CoPe.Experiments.Runs.Recipes;

namespace CoPe.Experiments.Runs.Results;

/// <summary>A sweep as a page, as CSV and as JSON.</summary>
public static class SweepFiles
{
    /// <summary>Most metrics that get a panel each.</summary>
    const int MaxPanels = 6;

    /// <summary>Writes the page of the curves.</summary>
    public static void WriteReport(IReadOnlyList<SweepCurve> curves, string recipeYaml, string path) =>
        AtomicFile.WriteText(path, writer => SweepReport.Write(Model(curves, recipeYaml), writer));

    /// <summary>Writes every figure: key, value, method, metric, mean, standard error, count.</summary>
    public static void WriteCsv(IReadOnlyList<SweepCurve> curves, string path) =>
        AtomicFile.WriteText(
            path,
            writer =>
            {
                writer.Write("key,value,method,metric,mean,standard_error,n\n");
                foreach (var curve in curves)
                {
                    foreach (var point in curve.Points)
                    {
                        foreach (var cell in ResultsTable.Create(point.Results.Report).Cells)
                        {
                            writer.Write(
                                CsvLine.Format(
                                    curve.Key,
                                    point.Value,
                                    cell.Method,
                                    cell.Metric,
                                    CsvLine.Number(cell.Mean),
                                    CsvLine.Number(cell.StandardError),
                                    cell.Count.ToString(CultureInfo.InvariantCulture)
                                )
                            );
                        }
                    }
                }
            }
        );

    /// <summary>What was chosen and from which figures.</summary>
    public static string ToJson(IReadOnlyList<SweepCurve> curves) =>
        JsonSerializer.Serialize(
            curves.Select(curve => new
            {
                curve.Key,
                curve.Method,
                Metric = curve.Metric.Name,
                Chosen = curve.Points[curve.Chosen].Value,
                Points = curve.Points.Select(point => new
                {
                    point.Value,
                    curve.ScoreAt(point).Mean,
                    Se = curve.ScoreAt(point).StandardError,
                    N = curve.ScoreAt(point).Count,
                    P = curve.CompareChosenWith(point)?.BootstrapP,
                }),
            }),
            ComparisonFile.Options
        ) + "\n";

    static SweepModel Model(IReadOnlyList<SweepCurve> curves, string recipeYaml)
    {
        var figures = curves[0].Points[0].Results;
        return new()
        {
            Title = $"{figures.Task.Name.Replace('_', ' ')}: {string.Join(", ", curves.Select(curve => curve.Key))}",
            Lead =
                $"On {figures.Golds.Count} development queries, taken from the ends of the users' histories; the real queries were not looked at. Lines are means, bars their standard errors.",
            Keys = [.. curves.Select(Key)],
            RecipeYaml = recipeYaml,
        };
    }

    static SweepKey Key(SweepCurve curve)
    {
        var chosen = curve.Points[curve.Chosen];
        Metric[] alike = curve.Metric == Metric.RougeLsum ? [] : [Metric.RougeLsum]; // of one line it is ROUGE-L
        var measured = Metric
            .All.Except(alike)
            .Where(metric =>
                metric.Direction != MetricDirection.Neutral
                && curve.Points.Any(point =>
                    point.Results.Report.ScoresOf(curve.Method).Metrics.ContainsKey(metric.Name)
                )
            );
        IReadOnlyList<SweepPanel> panels =
        [
            .. measured
                .OrderBy(metric => metric == curve.Metric ? 0 : 1)
                .Take(MaxPanels)
                .Select(metric => Panel(curve, metric)),
        ];
        return new()
        {
            Key = curve.Key,
            Values = [.. curve.Points.Select(point => point.Value)],
            Chosen = curve.Chosen,
            ChoiceExplanation =
                $"Chosen: {chosen.Value}, by {curve.Metric.Title} of {PredictionMethod.GetTitle(curve.Method)}.{Doubt(curve)}",
            UnaffectedMethods = Unmoved(panels, PredictionMethod.GetTitle(curve.Method)),
            Panels = panels,
        };
    }

    /// <summary>Methods with the same figures at every value, but for the one that decides.</summary>
    static IReadOnlyList<string> Unmoved(IReadOnlyList<SweepPanel> panels, string deciding) =>
        [
            .. panels
                .SelectMany(panel => panel.Series)
                .GroupBy(series => series.Method)
                .Where(method => method.Key != deciding && method.All(series => series.Cells.Distinct().Count() == 1))
                .Select(method => method.Key),
        ];

    /// <summary>Says so where no other value is clearly worse than the chosen one.</summary>
    static string Doubt(SweepCurve curve) =>
        curve.Points.Any(point => curve.CompareChosenWith(point) is { BootstrapP: < 0.05 })
            ? ""
            : " No other value is clearly worse (paired bootstrap, p ≥ 0.05): between them the choice is a guess.";

    static SweepPanel Panel(SweepCurve curve, Metric metric) =>
        new(
            new()
            {
                Name = metric.Title,
                LowerIsBetter = metric.Direction == MetricDirection.Lower,
                Description = metric.Description,
            },
            [
                .. curve
                    .Points[0]
                    .Results.Report.Methods.Select(scores => new SweepSeries(
                        PredictionMethod.GetTitle(scores.Method),
                        [
                            .. curve.Points.Select(point =>
                                point
                                    .Results.Report.Methods.FirstOrDefault(other => other.Method == scores.Method)
                                    ?.Metrics.GetValueOrDefault(metric.Name)
                            ),
                        ]
                    )),
            ]
        );
}
