using System.Globalization;
using CoPe.Experiments.Evaluation;

namespace CoPe.Cli.Display;

/// <summary>Numbers as text for people, the same in every locale.</summary>
static class DisplayFormat
{
    /// <summary>Figures shown while a stage runs; all figures are in the metrics files and the report.</summary>
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

    static readonly CultureInfo Culture = CultureInfo.InvariantCulture;

    /// <summary><c>0:07</c>, <c>12:34</c>, <c>1:02:03</c>.</summary>
    public static string Duration(TimeSpan span) =>
        span.TotalHours >= 1
            ? string.Create(Culture, $"{(int)span.TotalHours}:{span.Minutes:00}:{span.Seconds:00}")
            : string.Create(Culture, $"{span.Minutes}:{span.Seconds:00}");

    /// <summary>A number with three or four significant digits.</summary>
    public static string Number(double value)
    {
        var size = Math.Abs(value);
        var isWhole = size < 1e15 && size == Math.Floor(size);
        var format = size switch
        {
            _ when isWhole => "#,0",
            < 0.001 => "0.0e-0",
            < 100 => "0.000",
            _ => "#,0",
        };
        return value.ToString(format, Culture);
    }

    /// <summary>A difference with its sign: <c>+0.0123</c>, <c>-0.0123</c>, <c>0.0000</c>.</summary>
    public static string Signed(double value) => value.ToString("+0.0000;-0.0000;0.0000", Culture);

    /// <summary><c>0.1634 ± 0.0091</c>; a single value, which has no standard error, without one.</summary>
    public static string MeanAndError(MeanWithError value)
    {
        var mean = value.Mean.ToString("0.0000", Culture);
        return value.Count > 1 ? $"{mean} ± {value.StandardError.ToString("0.0000", Culture)}" : mean;
    }

    /// <summary>A p-value; below a thousandth only the bound.</summary>
    public static string PValue(double p) => p < 0.001 ? "<.001" : p.ToString("0.000", Culture);

    /// <summary>
    /// The caption of a table of tests: what was resampled and counted, and whether there was enough of it.
    /// </summary>
    public static string TestNote(string unit, int units)
    {
        var note = $"p of a paired bootstrap over {unit}; {unit} helped, hurt, the same";
        return NoteFewUnits(unit, units) is { } few ? $"{note}\n{few}: trust the counts more than p" : note;
    }

    /// <summary>That a bootstrap had too little to draw from; null where it had enough.</summary>
    public static string? NoteFewUnits(string unit, int units) =>
        units < PairedTest.MinUnitsForBootstrap ? $"fewer than {PairedTest.MinUnitsForBootstrap} {unit}" : null;

    /// <summary><c>512 B</c>, <c>3.1 kB</c>, <c>14.5 GB</c>: decimal units.</summary>
    public static string Bytes(long bytes) =>
        bytes < 1000 ? $"{bytes} B" : WithUnit(bytes, ["kB", "MB", "GB", "TB", "PB"]);

    /// <summary><c>950</c>, <c>3.1 M</c>, <c>7.2 B</c>: thousand, million, billion.</summary>
    public static string Count(long count) => count < 1000 ? $"{count}" : WithUnit(count, ["k", "M", "B", "T", "Q"]);

    /// <summary><c>1 error</c>, <c>3 errors</c>.</summary>
    public static string Plural(int count, string noun)
    {
        var number = count.ToString("#,0", Culture);
        return count == 1 ? $"{number} {noun}" : $"{number} {noun}s";
    }

    /// <summary>A text as one argument of a shell: <c>me</c>, <c>"Ada L."</c>.</summary>
    public static string ShellArgument(string text)
    {
        if (text.All(letter => char.IsLetterOrDigit(letter) || letter is '-' or '_' or '.' or '/'))
        {
            return text;
        }

        var escaped = text.Replace(@"\", @"\\", StringComparison.Ordinal)
            .Replace("\"", "\\\"", StringComparison.Ordinal);
        return $"\"{escaped}\"";
    }

    /// <summary>A number type as Hugging Face names it.</summary>
    public static string Dtype(TorchSharp.torch.ScalarType dtype) => dtype.ToString().ToLowerInvariant();

    /// <summary>The progress of a stage: <c>12 users, 140 of 240 steps, loss 1.93, 2,140 tokens/s</c>.</summary>
    public static string Progress(StageProgress progress)
    {
        var parts = new List<string>();
        if (progress.User is { } user)
        {
            parts.Add(long.TryParse(user, out _) ? $"user {user}" : user);
        }

        parts.Add(string.Create(Culture, $"{progress.Done} of {progress.Total} {progress.Unit}"));
        parts.AddRange(progress.Figures.Where(figure => ShownFigures.Contains(figure.Key)).Select(FormatFigure));
        return string.Join(", ", parts);
    }

    static string FormatFigure(KeyValuePair<string, double> figure)
    {
        var (name, value) = figure;
        if (name == "memory MB")
        {
            return $"{Number(Math.Round(value))} MB";
        }

        if (name.EndsWith("/s", StringComparison.Ordinal))
        {
            return $"{Number(value)} {name}";
        }

        var shortName = name[(name.IndexOf('/', StringComparison.Ordinal) + 1)..];
        return $"{shortName} {Number(value)}";
    }

    static string WithUnit(double value, string[] units)
    {
        var unit = -1;
        for (; value >= 999.5 && unit < units.Length - 1; unit++)
        {
            value /= 1000;
        }

        var number = value.ToString(value < 99.95 ? "0.0" : "0", Culture);
        return $"{number} {units[Math.Max(unit, 0)]}";
    }
}
