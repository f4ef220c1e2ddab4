using System.Collections.Concurrent;
using TorchSharp;
using static TorchSharp.torch;

namespace CoPe.Kernels.Torch;

/// <summary>
/// Numbers as torch's operations take them, kept for good. TorchSharp makes a temporary native object of every number
/// given to an operation and does not keep it alive during the call: as soon as another thread sets off a garbage
/// collection, torch reads freed memory. Temporary ones are therefore banned (BannedSymbols.txt).
/// </summary>
static class Scalars
{
    static readonly ConcurrentDictionary<double, Scalar> Reals = new();
    static readonly ConcurrentDictionary<long, Scalar> Integers = new();

    /// <summary>One, the factor of a plain sum.</summary>
    public static Scalar One { get; } = Of(1);

    /// <summary>A real number. Meant for constants: each different one is kept.</summary>
    public static Scalar Of(double value) => Reals.GetOrAdd(value, Create);

    /// <summary>A whole number.</summary>
    public static Scalar Of(long value) => Integers.GetOrAdd(value, Create);

    /// <summary>
    /// The numbers from <paramref name="start"/> to below <paramref name="end"/>, <c>[end - start]</c> int64, owned by
    /// the caller.
    /// </summary>
    public static Tensor Range(long start, long end, Device device) =>
        arange(Of(start), Of(end), One, dtype: ScalarType.Int64, device: device);

#pragma warning disable RS0030 // the one place where they are made
    static Scalar Create(double value) => value;

    static Scalar Create(long value) => value;
#pragma warning restore RS0030
}
