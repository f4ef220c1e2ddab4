using System.Globalization;

namespace CoPe.Experiments.Report;

/// <summary>Numbers as the report prints them, independent of the machine's culture.</summary>
static class NumberFormat
{
    /// <summary>Shown in place of a number that does not exist.</summary>
    public const string Missing = "–";

    /// <summary>A measured value: three decimals below 10, fewer above.</summary>
    public static string Value(double value) => double.IsFinite(value) ? Plain(value) : Missing;

    /// <summary>A difference, always with its sign.</summary>
    public static string Signed(double value)
    {
        if (!double.IsFinite(value))
        {
            return Missing;
        }

        if (Math.Abs(value) < 0.0005)
        {
            return "±0.000";
        }

        return value > 0 ? "+" + Plain(value) : Plain(value);
    }

    /// <summary>A relative difference in percent, with its sign; a dash where the base is 0.</summary>
    public static string Percent(double difference, double basis)
    {
        var percent = 100 * difference / Math.Abs(basis);
        return double.IsFinite(percent)
            ? Minus(percent.ToString("+0.0;-0.0;0.0", CultureInfo.InvariantCulture)) + " %"
            : Missing;
    }

    /// <summary>A share in percent.</summary>
    public static string Share(double part, double whole) =>
        (100 * part / whole).ToString("0.0", CultureInfo.InvariantCulture) + " %";

    /// <summary>A share in percent, with the two digits that matter: <c>0.00123</c> as <c>0.12 %</c>.</summary>
    public static string SmallShare(double share)
    {
        var percent = 100 * share;
        var digits = percent > 0 ? Math.Clamp(1 - (int)Math.Floor(Math.Log10(percent)), 0, 6) : 0;
        return percent.ToString($"F{digits}", CultureInfo.InvariantCulture) + " %";
    }

    /// <summary>A p-value; below a thousandth only the bound.</summary>
    public static string PValue(double p)
    {
        if (!double.IsFinite(p))
        {
            return Missing;
        }

        return p < 0.001 ? "< 0.001" : p.ToString("0.000", CultureInfo.InvariantCulture);
    }

    /// <summary>A whole number with thousands separated.</summary>
    public static string Count(long count) => count.ToString("N0", CultureInfo.InvariantCulture);

    /// <summary>A count with its noun, for example <c>1 user</c> or <c>2 users</c>.</summary>
    public static string Count(long count, string noun) => $"{Count(count)} {noun}{(count == 1 ? "" : "s")}";

    /// <summary>A time in the two units that matter.</summary>
    public static string Duration(TimeSpan time) =>
        time switch
        {
            { TotalSeconds: < 10 } => time.TotalSeconds.ToString("0.0", CultureInfo.InvariantCulture) + " s",
            { TotalSeconds: < 60 } => time.TotalSeconds.ToString("0", CultureInfo.InvariantCulture) + " s",
            { TotalHours: < 1 } => string.Create(
                CultureInfo.InvariantCulture,
                $"{time.Minutes} min {time.Seconds:00} s"
            ),
            _ => string.Create(CultureInfo.InvariantCulture, $"{(long)time.TotalHours} h {time.Minutes:00} min"),
        };

    /// <summary>A coordinate or a share in a style, with a point and at most two decimals.</summary>
    public static string Css(double value) => Math.Round(value, 2).ToString("0.##", CultureInfo.InvariantCulture);

    /// <summary>A hyphen before a number becomes the minus sign.</summary>
    public static string Minus(string number) => number.Replace('-', '−');

    static string Plain(double value)
    {
        var format = Math.Abs(value) switch
        {
            >= 1000 => "#,0",
            >= 100 => "0.0",
            >= 10 => "0.00",
            _ => "0.000",
        };
        return Minus(value.ToString(format, CultureInfo.InvariantCulture));
    }
}
