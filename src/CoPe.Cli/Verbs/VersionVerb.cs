using System.CommandLine;
using System.Runtime.InteropServices;
using CoPe.Cli.Hosting;
using CoPe.Experiments.Runs;

namespace CoPe.Cli.Verbs;

/// <summary><c>cope version</c>.</summary>
static class VersionVerb
{
    public static Command Create(CommandHost host)
    {
        var command = new Command("version", "Show the version of the program and of what it runs on.");
        command.SetAction(_ =>
        {
            var cope = typeof(Pipeline).Assembly.GetName().Version!.ToString(3);
            var torch = typeof(TorchSharp.torch).Assembly.GetName().Version!.ToString(3);
            var dotnet = RuntimeInformation.FrameworkDescription;
            host.Out.WriteLine($"cope {cope} (TorchSharp {torch}, {dotnet}, {RuntimeInformation.RuntimeIdentifier})");
        });
        return command;
    }
}
