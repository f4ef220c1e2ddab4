using System.Runtime.Intrinsics;

namespace CoPe.Kernels;

/// <summary>A vector register of float32 numbers of one width, as kernels that are written once for all widths see it.</summary>
unsafe interface ILanes<TSelf> where TSelf : struct, ILanes<TSelf>
{
    /// <summary>Numbers in a register.</summary>
    static abstract int Count { get; }

    /// <summary>Registers of this width.</summary>
    static abstract int Registers { get; }

    /// <summary>The next numbers.</summary>
    static abstract TSelf Load(float* numbers);

    /// <summary>Stores them.</summary>
    static abstract void Store(TSelf value, float* numbers);

    /// <summary>Twice as many bf16 numbers, as they lie; <see cref="Even"/> and <see cref="Odd"/> make float32 numbers of them.</summary>
    static abstract TSelf LoadPairs(ushort* numbers);

    /// <summary>The even numbers of the pairs: a bf16 number is the upper half of a float32.</summary>
    static abstract TSelf Even(TSelf pairs);

    /// <summary>The odd numbers of the pairs.</summary>
    static abstract TSelf Odd(TSelf pairs);

    /// <summary><c>a * b + sum</c>, rounded once.</summary>
    static abstract TSelf MultiplyAdd(TSelf a, TSelf b, TSelf sum);

    /// <summary>One number in all lanes.</summary>
    static abstract TSelf Broadcast(float number);

    /// <summary>The smaller of each two numbers.</summary>
    static abstract TSelf Min(TSelf a, TSelf b);

    /// <summary>The larger of each two numbers.</summary>
    static abstract TSelf Max(TSelf a, TSelf b);

    /// <summary>The nearest whole numbers.</summary>
    static abstract TSelf Round(TSelf x);

    /// <summary><c>2^n</c> for whole n from -126 to 127.</summary>
    static abstract TSelf PowerOfTwo(TSelf n);

    /// <summary>The largest of the lanes.</summary>
    static abstract float Largest(TSelf x);

    /// <summary>Sum over the lanes of each of four registers: with short rows, summing one after the other would cost more than the product.</summary>
    static abstract Vector128<float> Sums(TSelf a, TSelf b, TSelf c, TSelf d);
}
