using System.Collections.Concurrent;
using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Reflection;
using System.Runtime.CompilerServices;

namespace CoPe;

/// <summary>
/// Checks options against the <see cref="RangeAttribute"/> that they are declared with, in the same way whether code or
/// a settings file sets them.
/// </summary>
static class OptionGuard
{
    static readonly ConcurrentDictionary<(Type Options, string Name), RangeAttribute> Ranges = new();

    /// <summary>The value, for the setter of a property of <paramref name="options"/>.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is outside the property's range.</exception>
    public static int Check(Type options, int value, [CallerMemberName] string name = "")
    {
        ThrowIfOutside(options, value, name);
        return value;
    }

    /// <inheritdoc cref="Check(Type, int, string)"/>
    public static long Check(Type options, long value, [CallerMemberName] string name = "")
    {
        ThrowIfOutside(options, value, name);
        return value;
    }

    /// <inheritdoc cref="Check(Type, int, string)"/>
    public static int? Check(Type options, int? value, [CallerMemberName] string name = "")
    {
        ThrowIfOutside(options, value, name);
        return value;
    }

    /// <inheritdoc cref="Check(Type, int, string)"/>
    public static double Check(Type options, double value, [CallerMemberName] string name = "")
    {
        ThrowIfOutside(options, value, name);
        return value;
    }

    /// <inheritdoc cref="Check(Type, int, string)"/>
    public static double? Check(Type options, double? value, [CallerMemberName] string name = "")
    {
        ThrowIfOutside(options, value, name);
        return value;
    }

    /// <summary>Checks every property of a record that has a range.</summary>
    /// <exception cref="ArgumentOutOfRangeException">One is outside its range.</exception>
    public static void CheckAll(object options)
    {
        foreach (var property in options.GetType().GetProperties().Where(HasRange))
        {
            ThrowIfOutside(options.GetType(), property.GetValue(options), property.Name);
        }
    }

    /// <summary>
    /// What a value must be, for example <c>greater than 0 and at most 1</c>; null where it is that. Compares as
    /// numbers: the attribute's own check would round 0.3 to 0 where its bounds are written as whole ones.
    /// </summary>
    public static string? FindViolation(RangeAttribute range, object value)
    {
        var (number, least, most) = (ToNumber(value), ToNumber(range.Minimum), ToNumber(range.Maximum));
        var isAboveLeast = range.MinimumIsExclusive ? number > least : number >= least;
        var isBelowMost = range.MaximumIsExclusive ? number < most : number <= most;
        if (isAboveLeast && isBelowMost && double.IsFinite(number))
        {
            return null;
        }

        var low = $"{(range.MinimumIsExclusive ? "greater than" : "at least")} {Format(least)}";
        return most >= int.MaxValue
            ? low
            : $"{low} and {(range.MaximumIsExclusive ? "less than" : "at most")} {Format(most)}";
    }

    static void ThrowIfOutside(Type options, object? value, string name)
    {
        if (value is null || FindViolation(GetRange(options, name), value) is not { } expected)
        {
            return;
        }

        throw new ArgumentOutOfRangeException(
            name,
            $"{options.Name}.{name} is {Format(ToNumber(value))}; it must be {expected}."
        );
    }

    static RangeAttribute GetRange(Type options, string name) =>
        Ranges.GetOrAdd(
            (options, name),
            static key =>
                key.Options.GetProperty(key.Name)?.GetCustomAttribute<RangeAttribute>()
                ?? throw new InvalidOperationException($"{key.Options.Name}.{key.Name} has no range")
        );

    static bool HasRange(PropertyInfo property) => property.IsDefined(typeof(RangeAttribute));

    static double ToNumber(object value) => Convert.ToDouble(value, CultureInfo.InvariantCulture);

    static string Format(double number) => number.ToString(CultureInfo.InvariantCulture);
}
