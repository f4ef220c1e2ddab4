using CoPe.Experiments.Runs;
using CoPe.Experiments.Settings;

namespace CoPe.Cli;

/// <summary>How an error becomes one line and an exit code.</summary>
static class Failure
{
    const int NoSpaceUnix = 28;
    const int DiskFullWindows = unchecked((int)0x80070070);

    /// <summary>Writes the line, and with <paramref name="isVerbose"/> where it comes from.</summary>
    public static int Report(CommandHost host, Exception error, bool isVerbose)
    {
        while (error is AggregateException { InnerException: { } inner })
        {
            error = inner;
        }

        host.Error.WriteLine(
            error is OperationCanceledException
                ? "cope: stopped; the same command goes on from what was saved"
                : $"cope: error: {Describe(error)}"
        );
        if (isVerbose)
        {
            host.Error.WriteLine(error);
        }

        return error switch
        {
            OperationCanceledException => ExitCode.Cancelled,
            SettingsException or UsageException => ExitCode.Usage,
            _ => ExitCode.Failure,
        };
    }

    /// <summary>An error in one line.</summary>
    public static string Describe(Exception error) => OneLine(Explain(error));

    static string Explain(Exception error) =>
        error switch
        {
            _ when IsDiskFull(error) =>
                $"the disk is full ({error.Message}): free some space and run the same command again, it goes on from here",
            InsufficientMemoryException => $"not enough memory: {error.Message}",
            _ when IsOutOfMemory(error) =>
                "not enough memory: lower tam.tokens_per_pass, sft.tokens_per_pass, dpo.tokens_per_pass or decode.max_rows with --set, or use a smaller model",
            SettingsException or UsageException or RunException => error.Message,
            _ when error.GetType().Namespace?.StartsWith("CoPe.", StringComparison.Ordinal) == true => error.Message,
            ArgumentException argument => argument
                .Message.Split("\nActual value was")[0]
                .Replace($" (Parameter '{argument.ParamName}')", "", StringComparison.Ordinal),
            IOException or UnauthorizedAccessException or InvalidDataException => error.Message,
            _ => $"{error.GetType().Name}: {error.Message} (--verbose shows where)",
        };

    static bool IsDiskFull(Exception error) =>
        error is IOException
        && (
            error.HResult == DiskFullWindows
            || (!OperatingSystem.IsWindows() && (error.HResult & 0xFFFF) == NoSpaceUnix)
        );

    static bool IsOutOfMemory(Exception error) =>
        error is OutOfMemoryException
        || error.Message.Contains("can't allocate memory", StringComparison.Ordinal)
        || error.Message.Contains("out of memory", StringComparison.OrdinalIgnoreCase);

    /// <summary>
    /// A message without line breaks, and without the native stack that libtorch puts behind its own.
    /// </summary>
    static string OneLine(string text)
    {
        var native = text.IndexOf("\nException raised from", StringComparison.Ordinal);
        return string.Join(
            ' ',
            (native < 0 ? text : text[..native]).Split(
                (char[])['\r', '\n'],
                StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries
            )
        );
    }
}

/// <summary>What the command ends with.</summary>
static class ExitCode
{
    public const int Ok = 0;

    public const int Failure = 1;

    /// <summary>The command line or the recipe is wrong.</summary>
    public const int Usage = 2;

    /// <summary>Stopped by Ctrl-C or SIGTERM, as shells have it: 128 + SIGINT.</summary>
    public const int Cancelled = 130;
}

/// <summary>A command line that cannot be carried out as written.</summary>
sealed class UsageException(string message) : Exception(message);
