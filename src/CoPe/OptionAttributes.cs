namespace CoPe;

/// <summary>Marks an option that changes speed and memory only: no result depends on it.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class SpeedOnlyAttribute : Attribute;

/// <summary>Marks an option that code sets and settings files do not know.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class CodeOnlyAttribute : Attribute;

/// <summary>Names an option's key in settings files, where that is not its name in snake case.</summary>
/// <param name="key">The key.</param>
[AttributeUsage(AttributeTargets.Property)]
public sealed class OptionKeyAttribute(string key) : Attribute
{
    /// <summary>The key.</summary>
    public string Key { get; } = key;
}
