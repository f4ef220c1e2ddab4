using System.Globalization;
using System.Text.Json;
using CoPe.Evaluation;
using CoPe.Evaluation.Report;
using CoPe.Evaluation.Report.Sweeps;
using CoPe.Runs.Recipes;

namespace CoPe.Runs.Results;

/// <summary>A sweep as a page, as CSV and as JSON.</summary>
public static class SweepFiles
{
    /// <summary>Most metrics that get a panel each.</summary>
    const int MostPanels = 6;

    /// <summary>Writes the page of the curves.</summary>
    public static void WriteReport(IReadOnlyList<SweepCurve> curves, string recipeYaml, string path) => AtomicFile.WriteText(path, writer => SweepReport.Write(Model(curves, recipeYaml), writer));

    /// <summary>Writes every figure: key, value, method, metric, mean, standard error, count.</summary>
    public static void WriteCsv(IReadOnlyList<SweepCurve> curves, string path) => AtomicFile.WriteText(path, writer =>
    {
        writer.Write("key,value,method,metric,mean,standard_error,n\n");
        foreach (var curve in curves)
            foreach (var point in curve.Points)
                foreach (var cell in ResultsTable.Of(point.Figures.Report).Cells)
                    writer.Write(CsvLine.Of(curve.Key, point.Value, cell.Method, cell.Metric, CsvLine.Number(cell.Mean), CsvLine.Number(cell.StandardError), cell.Count.ToString(CultureInfo.InvariantCulture)));
    });

    /// <summary>What was chosen and from which figures.</summary>
    public static string Json(IReadOnlyList<SweepCurve> curves) => JsonSerializer.Serialize(
        curves.Select(curve => new
        {
            curve.Key,
            curve.Method,
            Metric = curve.Metric.Name,
            Chosen = curve.Points[curve.Chosen].Value,
            Points = curve.Points.Select(point => new { point.Value, curve.Of(point).Mean, Se = curve.Of(point).StandardError, N = curve.Of(point).Count, P = curve.ChosenAgainst(point)?.BootstrapP }),
        }),
        ComparisonFile.Options) + "\n";

    static SweepModel Model(IReadOnlyList<SweepCurve> curves, string recipeYaml)
    {
        var figures = curves[0].Points[0].Figures;
        return new()
        {
            Title = $"{figures.Task.Name.Replace('_', ' ')}: {string.Join(", ", curves.Select(curve => curve.Key))}",
            Lead = $"On {figures.Golds.Count} development queries, taken from the ends of the users' histories; the real queries were not looked at. Lines are means, bars their standard errors.",
            Keys = [.. curves.Select(Key)],
            RecipeYaml = recipeYaml,
        };
    }

    static SweepKey Key(SweepCurve curve)
    {
        var chosen = curve.Points[curve.Chosen];
        Metric[] alike = curve.Metric == Metric.RougeLsum ? [] : [Metric.RougeLsum]; // of one line it is ROUGE-L
        var measured = Metric.All.Except(alike).Where(metric => metric.Direction != MetricDirection.Neutral && curve.Points.Any(point => point.Figures.Report.Of(curve.Method).Metrics.ContainsKey(metric.Name)));
        IReadOnlyList<SweepPanel> panels = [.. measured.OrderBy(metric => metric == curve.Metric ? 0 : 1).Take(MostPanels).Select(metric => Panel(curve, metric))];
        return new()
        {
            Key = curve.Key,
            Values = [.. curve.Points.Select(point => point.Value)],
            Chosen = curve.Chosen,
            Choice = $"Chosen: {chosen.Value}, by {curve.Metric.Title} of {PredictionMethod.TitleOf(curve.Method)}.{Doubt(curve)}",
            Unmoved = Unmoved(panels, PredictionMethod.TitleOf(curve.Method)),
            Panels = panels,
        };
    }

    /// <summary>Methods with the same figures at every value, but for the one that decides.</summary>
    static IReadOnlyList<string> Unmoved(IReadOnlyList<SweepPanel> panels, string deciding) =>
        [.. panels.SelectMany(panel => panel.Series).GroupBy(series => series.Method).Where(method => method.Key != deciding && method.All(series => series.Cells.Distinct().Count() == 1)).Select(method => method.Key)];

    /// <summary>Says so where no other value is clearly worse than the chosen one.</summary>
    static string Doubt(SweepCurve curve) => curve.Points.Any(point => curve.ChosenAgainst(point) is { BootstrapP: < 0.05 }) ? ""
        : " No other value is clearly worse (paired bootstrap, p ≥ 0.05): between them the choice is a guess.";

    static SweepPanel Panel(SweepCurve curve, Metric metric) => new(
        new() { Name = metric.Title, LowerIsBetter = metric.Direction == MetricDirection.Lower, Meaning = metric.Meaning },
        [
            .. curve.Points[0].Figures.Report.Methods.Select(scores => new SweepSeries(
                PredictionMethod.TitleOf(scores.Method),
                [.. curve.Points.Select(point => point.Figures.Report.Methods.FirstOrDefault(other => other.Method == scores.Method)?.Metrics.GetValueOrDefault(metric.Name))])),
        ]);
}
