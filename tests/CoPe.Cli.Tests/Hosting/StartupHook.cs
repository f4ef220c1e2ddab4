using System.Diagnostics;
using CoPe;

/// <summary>
/// Kills the process with SIGKILL before its N-th file operation. The runtime loads it into the real program, which a
/// test starts with <c>DOTNET_STARTUP_HOOKS</c>, and finds it by this name without a namespace.
/// </summary>
static class StartupHook
{
    public const string OperationVariable = "COPE_TEST_KILLED_BEFORE_OPERATION";

    public static void Initialize()
    {
        var killed = int.Parse(
            Environment.GetEnvironmentVariable(OperationVariable)!,
            System.Globalization.CultureInfo.InvariantCulture
        );
        var count = 0;
        AtomicFile.BeforeOperation = _ =>
        {
            if (Interlocked.Increment(ref count) == killed)
            {
                Process.GetCurrentProcess().Kill();
                Thread.Sleep(Timeout.Infinite);
            }
        };
    }
}
