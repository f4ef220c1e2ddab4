namespace CoPe;

/// <summary>Marks an option that changes speed and memory only: no result depends on it.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class SpeedOnlyAttribute : Attribute;

/// <summary>Marks an option that code sets and settings files do not know.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class CodeOnlyAttribute : Attribute;

/// <summary>
/// Marks an option that counts among the inputs of a stage only where it is not the default: stages that are complete
/// stay current when the option is new.
/// </summary>
[AttributeUsage(AttributeTargets.Property)]
sealed class InputUnlessDefaultAttribute : Attribute;

/// <summary>Names an option's key in settings files, where that is not its name in snake case.</summary>
/// <param name="key">The key.</param>
[AttributeUsage(AttributeTargets.Property)]
public sealed class OptionKeyAttribute(string key) : Attribute
{
    /// <summary>The key.</summary>
    public string Key { get; } = key;
}
