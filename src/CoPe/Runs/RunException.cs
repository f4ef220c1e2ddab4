namespace CoPe.Runs;

/// <summary>Work that cannot go on, for a reason a person can act on: the message says what, where, and what to do.</summary>
public sealed class RunException : Exception
{
    /// <summary>With its message.</summary>
    public RunException(string message) : base(message)
    {
    }

    /// <summary>With its message and cause.</summary>
    public RunException(string message, Exception inner) : base(message, inner)
    {
    }

    /// <summary>Without particulars.</summary>
    public RunException()
    {
    }
}
