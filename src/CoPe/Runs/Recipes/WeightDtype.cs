using System.Runtime.Serialization;

namespace CoPe.Runs.Recipes;

/// <summary>Number type in which a model's weights are held and multiplied.</summary>
public enum WeightDtype
{
    /// <summary>The checkpoint's own; float32 for a bf16 model of up to 32 MB on a processor that does not multiply bf16 (x86 without AVX-512, Arm).</summary>
    Auto,

    /// <summary>bfloat16.</summary>
    Bf16,

    /// <summary>float32.</summary>
    Fp32,

    /// <summary>int8 with a factor per row, for decoding and scoring alone: lossy.</summary>
    [EnumMember(Value = "int8")]
    ScaledBytes,
}
