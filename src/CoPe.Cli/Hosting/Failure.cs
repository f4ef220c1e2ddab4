using CoPe.Cli.Failures;
using CoPe.Experiments.Runs;
using CoPe.Experiments.Settings;

namespace CoPe.Cli.Hosting;

/// <summary>How an error becomes one line and an exit code.</summary>
static class Failure
{
    const int DiskFullWindows = unchecked((int)0x80070070);

    // Errors of Linux, where .NET puts them.
    const int TooManyFiles = 24;
    const int FileTooLarge = 27;
    const int NoSpace = 28;
    const int QuotaExceeded = 122;

    const string OutOfMemoryAdvice =
        "not enough memory: lower tam.tokens_per_pass, sft.tokens_per_pass, dpo.tokens_per_pass or decode.max_rows "
        + "with --set, or use a smaller model";

    /// <summary>Writes the error in one line, and its stack trace with <paramref name="isVerbose"/>.</summary>
    public static int Report(CommandHost host, Exception error, bool isVerbose)
    {
        while (error is AggregateException or TypeInitializationException && error.InnerException is { } inner)
        {
            error = inner;
        }

        host.WriteMessage(
            error is OperationCanceledException
                ? "stopped; the same command resumes from what was saved"
                : $"error: {Describe(error)}"
        );
        if (isVerbose)
        {
            host.Error.WriteLine(error);
        }

        return error switch
        {
            OperationCanceledException => ExitCode.Cancelled,
            SettingsException or UsageException or PlanMismatchException => ExitCode.Usage,
            _ => ExitCode.Failure,
        };
    }

    /// <summary>An error in one line.</summary>
    public static string Describe(Exception error) => OneLine(Explain(error));

    static string Explain(Exception error)
    {
        if (ExplainDisk(error) is { } explanation)
        {
            return explanation;
        }

        if (error is InsufficientMemoryException)
        {
            return $"not enough memory: {error.Message}";
        }

        if (IsOutOfMemory(error))
        {
            return OutOfMemoryAdvice;
        }

        if (IsOurs(error) || error is IOException or UnauthorizedAccessException or InvalidDataException)
        {
            return error.Message;
        }

        return error is ArgumentException argument
            ? WithoutParameter(argument)
            : $"{error.GetType().Name}: {error.Message} (--verbose shows where)";
    }

    /// <summary>Errors of this program, whose messages are written for people.</summary>
    static bool IsOurs(Exception error) =>
        error.GetType().Namespace?.StartsWith("CoPe.", StringComparison.Ordinal) == true;

    /// <summary>The message without the parameter's name and value that .NET appends.</summary>
    static string WithoutParameter(ArgumentException error) =>
        error
            .Message.Split("\nActual value was")[0]
            .Replace($" (Parameter '{error.ParamName}')", "", StringComparison.Ordinal);

    /// <summary>What to do about an error of the disk that a person can mend; null for any other.</summary>
    static string? ExplainDisk(Exception error)
    {
        var (problem, advice) = FindDiskError(error) switch
        {
            NoSpace => ("the disk is full", "free some space"),
            QuotaExceeded => ("your share of the disk is used up", "free some space, or ask for a larger quota,"),
            FileTooLarge => ("a file is larger than the disk or 'ulimit -f' allows", "raise the limit"),
            TooManyFiles => ("too many files are open", "raise 'ulimit -n'"),
            _ => ("", ""),
        };
        return problem.Length == 0
            ? null
            : $"{problem} ({error.Message}): {advice} and run the same command again to resume";
    }

    /// <summary>The error's number on Linux, whatever the system; 0 for none.</summary>
    static int FindDiskError(Exception error)
    {
        const int MacQuotaExceeded = 69;
        if (error is ArgumentOutOfRangeException { ParamName: "value" })
        {
            // What .NET makes of EFBIG.
            return error.StackTrace?.Contains("System.IO.", StringComparison.Ordinal) == true ? FileTooLarge : 0;
        }

        if (error is not IOException)
        {
            return 0;
        }

        if (OperatingSystem.IsWindows())
        {
            return error.HResult == DiskFullWindows ? NoSpace : 0;
        }

        var number = error.HResult & 0xFFFF;
        return OperatingSystem.IsMacOS() && number == MacQuotaExceeded ? QuotaExceeded : number;
    }

    static bool IsOutOfMemory(Exception error) =>
        error is OutOfMemoryException
        || error.Message.Contains("can't allocate memory", StringComparison.Ordinal)
        || error.Message.Contains("out of memory", StringComparison.OrdinalIgnoreCase);

    /// <summary>A message without line breaks, and without the native stack trace that libtorch appends.</summary>
    static string OneLine(string text)
    {
        var native = text.IndexOf("\nException raised from", StringComparison.Ordinal);
        var message = native < 0 ? text : text[..native];
        var lines = message.Split(['\r', '\n'], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        return string.Join(' ', lines);
    }
}

/// <summary>What the command ends with.</summary>
static class ExitCode
{
    public const int Ok = 0;

    public const int Failure = 1;

    /// <summary>The command line or the recipe is wrong, or the run is planned for another machine.</summary>
    public const int Usage = 2;

    /// <summary>
    /// A shard was stopped with everything saved, or others are at work in its blocks: the same command, started again,
    /// goes on. What sysexits.h calls a temporary failure.
    /// </summary>
    public const int TryAgain = 75;

    /// <summary>Stopped by Ctrl-C or SIGTERM, by the shells' convention: 128 + SIGINT.</summary>
    public const int Cancelled = 130;
}
