using System.Globalization;

namespace CoPe.Evaluation.Report.Plots;

/// <summary>Maps values to coordinates of a drawing, linearly or by logarithm.</summary>
internal sealed record PlotScale
{
    /// <summary>Smallest value.</summary>
    public required double Min { get; init; }

    /// <summary>Largest value, above <see cref="Min"/>.</summary>
    public required double Max { get; init; }

    /// <summary>Coordinate of <see cref="Min"/>.</summary>
    public required double From { get; init; }

    /// <summary>Coordinate of <see cref="Max"/>.</summary>
    public required double To { get; init; }

    /// <summary>True for a logarithmic scale; then <see cref="Min"/> is above 0.</summary>
    public bool Logarithmic { get; init; }

    /// <summary>A linear scale over the values, widened to round numbers; a single value gets room around it.</summary>
    public static PlotScale Round(double min, double max, double from, double to, int ticks = 4)
    {
        if (max <= min)
        {
            var room = min == 0 ? 1 : Math.Abs(min) * 0.1;
            (min, max) = (min - room, max + room);
        }
        var step = Step(max - min, ticks);
        return new PlotScale { Min = Math.Floor((min / step) + 1e-9) * step, Max = Math.Ceiling((max / step) - 1e-9) * step, From = from, To = to };
    }

    /// <summary>The coordinate of a value.</summary>
    public double Map(double value) => From + ((To - From) * (Position(value) - Position(Min)) / (Position(Max) - Position(Min)));

    /// <summary>True where only whole numbers are marked, as for steps and counts.</summary>
    public bool Whole { get; init; }

    /// <summary>Round values within the scale, with their labels.</summary>
    public IReadOnlyList<(double Value, string Label)> Ticks(int count = 4) => Logarithmic ? LogarithmicTicks() : LinearTicks(count);

    private double Position(double value) => Logarithmic ? Math.Log10(Math.Max(value, Min)) : value;

    private static double Step(double range, int ticks)
    {
        var raw = range / ticks;
        var power = Math.Pow(10, Math.Floor(Math.Log10(raw)));
        return power * ((raw / power) switch { <= 1.0001 => 1, <= 2.0001 => 2, <= 2.5001 => 2.5, <= 5.0001 => 5, _ => 10 });
    }

    private List<(double Value, string Label)> LinearTicks(int count)
    {
        var step = Whole ? Math.Ceiling(Step(Max - Min, count)) : Step(Max - Min, count);
        var format = Max - Min >= 1e6 || step < 1e-6 ? "0.##e0" : "#,0." + new string('#', Math.Clamp((int)Math.Ceiling(-Math.Log10(step)) + 1, 0, 8));
        var ticks = new List<(double, string)>();
        for (var index = Math.Ceiling((Min / step) - 1e-9); index * step <= Max + (step * 1e-9); index++)
            ticks.Add((index * step, Figures.Minus(((index * step) + 0.0).ToString(format, CultureInfo.InvariantCulture))));
        return ticks;
    }

    private List<(double Value, string Label)> LogarithmicTicks()
    {
        var wide = Max / Min > 1000;
        var ticks = new List<(double, string)>();
        for (var power = Math.Pow(10, Math.Floor(Math.Log10(Min))); power <= Max; power *= 10)
            foreach (var factor in wide ? [1.0] : (ReadOnlySpan<double>)[1, 2, 5])
                if (factor * power >= Min * 0.999 && factor * power <= Max * 1.001)
                    ticks.Add((factor * power, (factor * power).ToString("#,0.##", CultureInfo.InvariantCulture)));
        return ticks;
    }
}
