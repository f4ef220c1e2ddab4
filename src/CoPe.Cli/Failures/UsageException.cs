namespace CoPe.Cli.Failures;

/// <summary>A command line that cannot be executed as written: the message is one line, whatever was typed.</summary>
sealed class UsageException(string message) : Exception(MessageText.ToOneLine(message));
