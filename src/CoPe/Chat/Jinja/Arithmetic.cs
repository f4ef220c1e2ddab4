using System.Globalization;
using System.Numerics;

namespace CoPe.Chat.Jinja;

/// <summary>
/// Python's arithmetic, on whole numbers of 64 bits: where Python's would grow beyond them, the template fails.
/// </summary>
static class Arithmetic
{
    public static object Compute(string symbol, long x, long y)
    {
        if (y == 0 && symbol is "/" or "//" or "%")
        {
            throw new JinjaException("division by zero");
        }

        try
        {
            return symbol switch
            {
                "+" => (object)checked(x + y),
                "-" => checked(x - y),
                "*" => checked(x * y),
                "/" => (double)x / y,
                "//" => checked((x / y) - (x % y != 0 && (x < 0) != (y < 0) ? 1 : 0)),
                "%" => Modulo(x, y),
                _ => y < 0 ? Compute(symbol, (double)x, y) : (object)Power(x, y),
            };
        }
        catch (OverflowException)
        {
            throw new JinjaException($"{x} {symbol} {y} is too large");
        }
    }

    public static double Compute(string symbol, double x, double y) =>
        symbol switch
        {
            "+" => x + y,
            "-" => x - y,
            "*" => x * y,
            "/" when y == 0 => throw new JinjaException("float division by zero"),
            "//" or "%" when y == 0 => throw new JinjaException("float floor division by zero"),
            "/" => x / y,
            "//" => FloorDivide(x, y),
            "%" => Modulo(x, y),
            _ => Power(x, y),
        };

    /// <summary>A whole number of a float, as <c>int()</c> makes it.</summary>
    public static long Truncate(double number) =>
        Math.Truncate(number) is var whole && whole is >= -9.2233720368547758e18 and < 9.2233720368547758e18
            ? (long)whole
            : throw new JinjaException($"{PythonText.FormatFloat(number)} is too large for a whole number");

    /// <summary>
    /// Rounds to so many places as Python does: by the number's exact value, half to even.
    /// </summary>
    public static double Round(double number, int places)
    {
        const int EnoughDigits = 330;
        if (!double.IsFinite(number) || places > EnoughDigits)
        {
            return number;
        }

        var (mantissa, exponent) = Decompose(number);
        var numerator = mantissa * BigInteger.Pow(10, Math.Max(0, places));
        var denominator = BigInteger.Pow(10, Math.Clamp(-places, 0, EnoughDigits));
        numerator *= exponent > 0 ? BigInteger.Pow(2, exponent) : 1;
        denominator *= exponent < 0 ? BigInteger.Pow(2, -exponent) : 1;

        var rounded = DivideToNearest(BigInteger.Abs(numerator), denominator);
        var digits = $"{rounded}e{-places}";
        var magnitude = double.Parse(digits, CultureInfo.InvariantCulture);
        return double.IsNegative(number) ? -magnitude : magnitude;
    }

    public static long Round(long number, int places)
    {
        if (places >= 0)
        {
            return number;
        }

        var unit = BigInteger.Pow(10, Math.Min(-places, 30));
        var rounded = DivideToNearest(BigInteger.Abs(number), unit) * unit;
        return rounded <= long.MaxValue
            ? (long)(number < 0 ? -rounded : rounded)
            : throw new JinjaException($"{number} rounded to {places} places is too large");
    }

    static BigInteger DivideToNearest(BigInteger numerator, BigInteger denominator)
    {
        var quotient = BigInteger.DivRem(numerator, denominator, out var remainder);
        var comparison = (remainder * 2).CompareTo(denominator);
        var roundsUp = comparison > 0 || (comparison == 0 && !quotient.IsEven);
        return roundsUp ? quotient + 1 : quotient;
    }

    /// <summary>The number as a whole one times a power of two.</summary>
    static (BigInteger Mantissa, int Exponent) Decompose(double number)
    {
        const int MantissaBits = 52;
        const int Bias = 1075;
        var bits = BitConverter.DoubleToInt64Bits(number);
        var exponent = (int)((bits >> MantissaBits) & 0x7FF);
        var mantissa = bits & ((1L << MantissaBits) - 1);
        return exponent == 0 ? (mantissa, 1 - Bias) : (mantissa | (1L << MantissaBits), exponent - Bias);
    }

    static long Modulo(long x, long y)
    {
        if (y == -1)
        {
            return 0;
        }

        var remainder = x % y;
        return remainder != 0 && (remainder < 0) != (y < 0) ? remainder + y : remainder;
    }

    static double Modulo(double x, double y)
    {
        var remainder = x % y;
        if (remainder == 0)
        {
            return Math.CopySign(0, y);
        }

        return remainder < 0 != y < 0 ? remainder + y : remainder;
    }

    static double FloorDivide(double x, double y)
    {
        var quotient = (x - Modulo(x, y)) / y;
        var floor = Math.Floor(quotient);
        return quotient - floor > 0.5 ? floor + 1 : floor;
    }

    static double Power(double x, double y)
    {
        if (x == 0 && y < 0)
        {
            throw new JinjaException("0.0 cannot be raised to a negative power");
        }

        var power = Math.Pow(x, y);
        return double.IsFinite(power) || !double.IsFinite(x) || !double.IsFinite(y)
            ? power
            : throw new JinjaException($"{PythonText.FormatFloat(x)} ** {PythonText.FormatFloat(y)} is no float");
    }

    // Any other base overflows within 63 steps.
    static long Power(long x, long y)
    {
        if (x is 0 or 1 || y == 0)
        {
            return y == 0 ? 1 : x;
        }

        if (x == -1)
        {
            return y % 2 == 0 ? 1 : -1;
        }

        var result = 1L;
        for (; y > 0; y--)
        {
            result = checked(result * x);
        }

        return result;
    }
}
