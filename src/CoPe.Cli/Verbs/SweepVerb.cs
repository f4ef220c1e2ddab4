using System.CommandLine;
using CoPe.Cli.Display;
using CoPe.Runs.Results;

namespace CoPe.Cli.Verbs;

/// <summary><c>cope sweep RECIPE --over KEY=VALUE,VALUE</c>.</summary>
static class SweepVerb
{
    public static Command Create(CommandHost host)
    {
        var command = new Command("sweep", "Try values of a recipe's keys on development queries from the histories, and write the recipe with the best.");
        var options = RunOptions.AddTo(command).WithJson(command);
        var over = new Option<string[]>("--over") { Description = "Key and values, for example decode.contrast=0,0.1,0.3; several keys are tried one after another.", HelpName = "key=v,v", Required = true };
        var metric = new Option<string?>("--metric") { Description = "Metric that decides, for example meteor; by default the task's first.", HelpName = "name" };
        var method = new Option<string?>("--method") { Description = "Method that decides; by default the recipe's last.", HelpName = "name" };
        var items = new Option<int>("--items") { Description = "Items per user that become development queries, where the recipe does not say.", HelpName = "n", DefaultValueFactory = _ => 3 };
        foreach (var option in (Option[])[over, metric, method, items]) command.Options.Add(option);
        command.SetAction(parsed =>
        {
            var request = options.Read(parsed);
            var plan = new SweepPlan
            {
                Axes = [.. parsed.GetValue(over)!.Select(SweepAxis.Parse)],
                Metric = parsed.GetValue(metric) is { } name ? CompareVerb.Named(name) : null,
                Method = parsed.GetValue(method),
                DevelopmentItems = parsed.GetValue(items) is >= 1 and var count ? count : throw new UsageException($"--items is {parsed.GetValue(items)}; it must be at least 1"),
            };
            var (curves, run) = new Sweep(host, InFolderOfItsOwn(request), plan).Work();
            SweepView.Write(host, curves, run, request.IsJson);
            return ExitCode.Ok;
        });
        return command;
    }

    /// <summary>A sweep's runs lie beside the recipe's own, not in it.</summary>
    static RunRequest InFolderOfItsOwn(RunRequest request) => request.Run is not null || request.Recipe is null ? request
        : request with { Run = Path.Combine("runs", Path.GetFileNameWithoutExtension(request.Recipe) + "-sweep") };
}
