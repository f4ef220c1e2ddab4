namespace CoPe.Data.Checking;

/// <summary>How much a finding matters.</summary>
public enum CheckSeverity
{
    /// <summary>A run refuses the file, or its figures mean nothing.</summary>
    Error,

    /// <summary>A run takes it, and a person should know.</summary>
    Warning,
}
