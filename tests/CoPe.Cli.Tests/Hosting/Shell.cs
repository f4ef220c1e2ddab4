using System.Diagnostics;

namespace CoPe.Cli.Tests.Hosting;

/// <summary>The program itself, started by a shell: for what only a process has, such as limits and streams.</summary>
static class Shell
{
    /// <summary>Runs a script of bash, in which <c>$COPE</c> is the program.</summary>
    public static Result Run(string script)
    {
        using var process = Start(script);
        var error = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return new(process.ExitCode, output, error.GetAwaiter().GetResult());
    }

    /// <summary>Starts a script of bash; what it writes is piped to the caller.</summary>
    public static Process Start(string script)
    {
        var start = new ProcessStartInfo("bash", ["-c", script])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["COPE"] = Path.Combine(AppContext.BaseDirectory, "CoPe.Cli");
        return Process.Start(start)!;
    }

    /// <summary>How a script ended, and what it wrote.</summary>
    public sealed record Result(int Code, string Output, string Error);
}
