using CoPe;
using CoPe.Cli;
using CoPe.Cli.Hosting;

if (ProcessLimits.FindProblem() is { } problem)
{
    Console.Error.WriteLine($"cope: error: {problem}");
    return ExitCode.Failure;
}

return CommandLine.Run(args, CommandHost.CreateForProcess());
