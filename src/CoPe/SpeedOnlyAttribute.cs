namespace CoPe;

/// <summary>
/// Marks a setting that changes speed and memory only: a stage's outputs stay current when it changes.
/// </summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class SpeedOnlyAttribute : Attribute;
