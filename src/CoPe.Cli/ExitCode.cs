namespace CoPe.Cli;

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
