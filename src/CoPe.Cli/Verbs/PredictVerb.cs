using System.CommandLine;
using CoPe.Cli.Display;
using CoPe.Decoding;
using CoPe.Runs.Recipes;

namespace CoPe.Cli.Verbs;

/// <summary><c>cope predict --method M</c>.</summary>
static class PredictVerb
{
    public static Command Create(CommandHost host)
    {
        var command = new Command("predict", "Write the answers to the users' queries (stage 5).");
        var options = RunOptions.AddTo(command, dtypeKey: "decode.dtype");
        var method = Methods("Method");
        var again = new Option<bool>("--again") { Description = "Also where the answers are there already." };
        command.Options.Add(method);
        var trace = new Option<bool>("--trace") { Description = "Shows where the time of the decoding steps went." };
        command.Options.Add(again);
        command.Options.Add(trace);
        command.SetAction(parsed =>
        {
            var named = parsed.GetValue(method)!.Select(PredictionMethod.Of).ToList();
            var isAgain = parsed.GetValue(again);
            var measured = parsed.GetValue(trace) ? new DecodingTrace() : null;
            new RunSession(host, options.Read(parsed)).Work((pipeline, context) =>
            {
                foreach (var chosen in named.Count > 0 ? named : context.Recipe.Methods()) pipeline.RunOnly(context with { Trace = measured }, "predict " + chosen.Name, isAgain);
            });
            if (measured is not null) TraceView.Write(host, measured);
            return ExitCode.Ok;
        });
        return command;
    }

    /// <summary>The option that names methods.</summary>
    public static Option<string[]> Methods(string what) => new("--method")
    {
        Description = $"{what}: {string.Join(", ", PredictionMethod.All.Select(known => known.Name))}; may be given several times; by default those of the recipe.",
        DefaultValueFactory = _ => [],
        HelpName = "name",
    };
}
