using System.Runtime.Serialization;

namespace CoPe.Runs.Recipes;

/// <summary>Number type in which a model's weights are held and multiplied.</summary>
public enum WeightDtype
{
    /// <summary>The checkpoint's own where it is fast on this machine, else float32.</summary>
    Auto,

    /// <summary>bfloat16.</summary>
    Bf16,

    /// <summary>float32.</summary>
    Fp32,

    /// <summary>int8 with a factor per row, for decoding and scoring alone: lossy.</summary>
    [EnumMember(Value = "int8")]
    ScaledBytes,
}
