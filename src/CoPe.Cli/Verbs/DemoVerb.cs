using System.CommandLine;
using CoPe.Cli.Display;
using CoPe.Cli.Failures;
using CoPe.Cli.Hosting;
using CoPe.Cli.Sessions;
using CoPe.Experiments.Data.Samples;

namespace CoPe.Cli.Verbs;

/// <summary><c>cope demo</c>: the shipped demo recipe on sample data made on the spot.</summary>
static class DemoVerb
{
    /// <summary>Enough users and queries to tell methods apart, and no text to pre-train on.</summary>
    static readonly SampleOptions Sample = new()
    {
        Users = 24,
        QueriesPerUser = 20,
        Documents = 0,
        Instructions = 0,
    };

    public static Command Create(CommandHost host)
    {
        var command = new Command(
            "demo",
            "Personalize the embedded model for 24 invented users, all stages, in a few minutes."
        );
        var options = RunOptions.AddTo(command, takesRecipe: false, trainsUsers: true, runsAll: true).AddJson(command);
        command.SetAction(parsed =>
        {
            var request = options.Read(host, parsed, "demo");
            request = request with { Run = request.Run ?? Path.Combine("runs", "demo") };
            RefuseOtherRun(host, request, request.Run);
            request = request with { Overrides = [$"data={Path.Combine(request.Run, "data")}", .. request.Overrides] };
            var context = new RunSession(host, request).Execute(
                (pipeline, context) => pipeline.Run(context),
                writeData: folder => SampleData.Write(folder, Sample, cancellation: host.Cancellation)
            );
            ResultsView.Write(host, context, request.IsJson);
            return ExitCode.Ok;
        });
        return command;
    }

    /// <summary>The sample data would take the place of somebody's own.</summary>
    static void RefuseOtherRun(CommandHost host, RunRequest request, string run)
    {
        if (request.HoldsRecipe(host) && !SampleData.IsSample(host.PathOf(Path.Combine(run, "data"))))
        {
            throw new UsageException(
                $"{run} is no run of the demo: name another folder with --run, or continue it with "
                    + $"'cope run --run {run}'"
            );
        }
    }
}
