using System.Runtime.Intrinsics;

namespace CoPe.Kernels;

/// <summary>A vector register of int16 numbers of one width, or of the int32 sums of their products, as kernels that are written once for all widths see it.</summary>
unsafe interface IWords<TSelf> where TSelf : struct, IWords<TSelf>
{
    /// <summary>Numbers in a register.</summary>
    static abstract int Count { get; }

    /// <summary>Columns that a product takes at once without running out of registers: 1, 2 or 4.</summary>
    static abstract int Columns { get; }

    /// <summary>The next numbers.</summary>
    static abstract TSelf Load(short* numbers);

    /// <summary>The next numbers, of int8.</summary>
    static abstract TSelf Widen(sbyte* numbers);

    /// <summary>To each sum the products of two numbers. What is added may not exceed an int32.</summary>
    static abstract TSelf MultiplyAdd(TSelf a, TSelf b, TSelf sums);

    /// <summary>Total of each of four registers of sums.</summary>
    static abstract Vector128<float> Totals(TSelf a, TSelf b, TSelf c, TSelf d);
}
