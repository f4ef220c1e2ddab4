using System.Globalization;

namespace CoPe;

/// <summary>Checks option values where they are set.</summary>
static class OptionGuard
{
    public static double Positive(double value, string name) =>
        value > 0 && double.IsFinite(value) ? value : throw OutOfRange(name, value, "a number above 0");

    public static int Positive(int value, string name) =>
        value > 0 ? value : throw OutOfRange(name, value, "1 or more");

    public static double AtLeast(double value, double least, string name) =>
        value >= least && double.IsFinite(value)
            ? value
            : throw OutOfRange(name, value, string.Create(CultureInfo.InvariantCulture, $"{least} or more"));

    public static int AtLeast(int value, int least, string name) =>
        value >= least
            ? value
            : throw OutOfRange(name, value, string.Create(CultureInfo.InvariantCulture, $"{least} or more"));

    public static double Within(double value, double least, double most, string name) =>
        value >= least && value <= most
            ? value
            : throw OutOfRange(name, value, string.Create(CultureInfo.InvariantCulture, $"between {least} and {most}"));

    static ArgumentOutOfRangeException OutOfRange(string name, IFormattable value, string expected) =>
        new(name, $"{name} is {value.ToString(null, CultureInfo.InvariantCulture)}; expected {expected}.");
}
