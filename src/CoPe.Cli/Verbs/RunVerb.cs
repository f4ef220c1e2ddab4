using System.CommandLine;
using CoPe.Cli.Display;
using CoPe.Runs.Recipes;

namespace CoPe.Cli.Verbs;

/// <summary><c>cope run RECIPE</c>.</summary>
static class RunVerb
{
    public static Command Create(CommandHost host)
    {
        var command = new Command("run", "Run all stages of a recipe in order; what is complete is kept, what was interrupted goes on.");
        var options = RunOptions.AddTo(command, trainsUsers: true, runsAll: true, dtypeKey: "decode_dtype").WithJson(command);
        var seeds = new Option<int>("--seeds") { Description = "Runs the recipe with so many seeds, each in RUN/seed-N, and averages them.", HelpName = "n", DefaultValueFactory = _ => 1 };
        var method = PredictVerb.Methods("Answers by these methods alone, and trains only what they need");
        command.Options.Add(method);
        command.Options.Add(seeds);
        command.SetAction(parsed =>
        {
            var request = options.Read(parsed);
            var named = parsed.GetValue(method)!.Select(name => PredictionMethod.Of(name).Name).Distinct().ToList();
            if (named.Count > 0) request = request with { Overrides = [.. request.Overrides, $"predict={string.Join(',', named)}"] };
            var count = parsed.GetValue(seeds);
            if (count < 1) throw new UsageException($"--seeds is {count}; it must be at least 1");
            if (count > 1)
            {
                var (figures, run) = new SeedRuns(host, request).Work(count);
                ResultsView.WriteSeeds(host, figures, run, request.IsJson);
                return ExitCode.Ok;
            }

            var context = new RunSession(host, request).Work((pipeline, context) => pipeline.Run(context));
            ResultsView.Write(host, context, request.IsJson);
            return ExitCode.Ok;
        });
        return command;
    }
}
