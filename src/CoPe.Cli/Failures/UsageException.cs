namespace CoPe.Cli.Failures;

/// <summary>A command line that cannot be executed as written.</summary>
sealed class UsageException(string message) : Exception(message);
