namespace CoPe.Cli;

/// <summary>A command line that cannot be carried out as written.</summary>
sealed class UsageException(string message) : Exception(message);
