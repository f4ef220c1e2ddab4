using System.Globalization;
using CoPe.Experiments.Evaluation;

namespace CoPe.Cli.Display;

/// <summary>Figures in words, the same on every machine.</summary>
static class DisplayFormat
{
    /// <summary>Figures a person watches; the others are in the metrics files and the report.</summary>
    static readonly string[] ShownFigures =
    [
        "loss",
        "rewards/margins",
        "rewards/accuracies",
        "lr",
        "tokens",
        "tokens/s",
        "memory MB",
        "MB/s",
    ];

    /// <summary><c>0:07</c>, <c>12:34</c>, <c>1:02:03</c>.</summary>
    public static string Duration(TimeSpan span) =>
        span.TotalHours >= 1
            ? string.Create(CultureInfo.InvariantCulture, $"{(int)span.TotalHours}:{span.Minutes:00}:{span.Seconds:00}")
            : string.Create(CultureInfo.InvariantCulture, $"{span.Minutes}:{span.Seconds:00}");

    /// <summary>A figure with three or four digits that count.</summary>
    public static string Number(double value) =>
        Math.Abs(value) switch
        {
            var size when size < 1e15 && size == Math.Floor(size) => value.ToString(
                "#,0",
                CultureInfo.InvariantCulture
            ),
            < 0.001 => value.ToString("0.0e-0", CultureInfo.InvariantCulture),
            < 100 => value.ToString("0.000", CultureInfo.InvariantCulture),
            _ => value.ToString("#,0", CultureInfo.InvariantCulture),
        };

    /// <summary><c>0.1634 ± 0.0091</c>; of a single value, which has no standard error, the value alone.</summary>
    public static string MeanAndError(MeanWithError value) =>
        FormattableString.Invariant($"{value.Mean:0.0000}")
        + (value.Count > 1 ? FormattableString.Invariant($" ± {value.StandardError:0.0000}") : "");

    /// <summary>A p-value; below a thousandth only the bound.</summary>
    public static string PValue(double p) => p < 0.001 ? "<.001" : p.ToString("0.000", CultureInfo.InvariantCulture);

    /// <summary>
    /// What stands under a table of tests: what was drawn again and counted, and whether there was enough of it.
    /// </summary>
    public static string TestNote(string unit, int units) =>
        $"p of a paired bootstrap over {unit}; {unit} helped, hurt, the same"
        + (
            units < PairedTest.MinUnitsForBootstrap
                ? $"\nfewer than {PairedTest.MinUnitsForBootstrap} {unit}: trust the counts more than p"
                : ""
        );

    /// <summary><c>512 B</c>, <c>3.1 kB</c>, <c>14.5 GB</c>: decimal, as disks and networks are sold.</summary>
    public static string Bytes(long bytes) =>
        bytes < 1000 ? $"{bytes} B" : WithUnit(bytes, ["kB", "MB", "GB", "TB", "PB"]);

    /// <summary><c>950</c>, <c>3.1 M</c>, <c>7.2 B</c>: thousand, million, billion.</summary>
    public static string Count(long count) => count < 1000 ? $"{count}" : WithUnit(count, ["k", "M", "B", "T", "Q"]);

    /// <summary><c>1 error</c>, <c>3 errors</c>.</summary>
    public static string Plural(int count, string noun) =>
        $"{count.ToString("#,0", CultureInfo.InvariantCulture)} {noun}{(count == 1 ? "" : "s")}";

    /// <summary>A word as a shell takes it for one: <c>me</c>, <c>"Ada L."</c>.</summary>
    public static string ShellArgument(string word) =>
        word.All(letter => char.IsLetterOrDigit(letter) || letter is '-' or '_' or '.' or '/')
            ? word
            : $"\"{word.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)}\"";

    /// <summary>A number type as Hugging Face names it.</summary>
    public static string Dtype(TorchSharp.torch.ScalarType dtype) => dtype.ToString().ToLowerInvariant();

    static string WithUnit(double value, string[] units)
    {
        var unit = -1;
        for (; value >= 999.5 && unit < units.Length - 1; unit++)
        {
            value /= 1000;
        }

        return string.Create(
            CultureInfo.InvariantCulture,
            $"{(value < 99.95 ? value.ToString("0.0", CultureInfo.InvariantCulture) : value.ToString("0", CultureInfo.InvariantCulture))} {units[Math.Max(unit, 0)]}"
        );
    }

    /// <summary>Where a stage stands: <c>12 users, 140 of 240 steps, loss 1.93, 2,140 tokens/s</c>.</summary>
    public static string Progress(StageProgress progress)
    {
        string[] head = progress.User is { } user ? [long.TryParse(user, out _) ? $"user {user}" : user] : [];
        string[] parts =
        [
            .. head,
            string.Create(CultureInfo.InvariantCulture, $"{progress.Done} of {progress.Total} {progress.Unit}"),
            .. progress.Figures.Where(figure => ShownFigures.Contains(figure.Key)).Select(FormatFigure),
        ];
        return string.Join(", ", parts);
    }

    static string FormatFigure(KeyValuePair<string, double> figure) =>
        figure.Key == "memory MB" ? $"{Number(Math.Round(figure.Value))} MB"
        : figure.Key.EndsWith("/s", StringComparison.Ordinal) ? $"{Number(figure.Value)} {figure.Key}"
        : $"{figure.Key[(figure.Key.IndexOf('/', StringComparison.Ordinal) + 1)..]} {Number(figure.Value)}";
}
