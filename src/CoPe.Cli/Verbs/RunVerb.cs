using System.CommandLine;
using CoPe.Cli.Display;
using CoPe.Cli.Failures;
using CoPe.Cli.Hosting;
using CoPe.Cli.Sessions;
using CoPe.Experiments.Runs;
using CoPe.Experiments.Runs.Recipes;
using CoPe.Experiments.Runs.Results;

namespace CoPe.Cli.Verbs;

/// <summary><c>cope run RECIPE</c>.</summary>
static class RunVerb
{
    public static Command Create(CommandHost host)
    {
        var command = new Command(
            "run",
            "Run all stages of a recipe in order; what is complete is kept, what was interrupted resumes."
        );
        var options = RunOptions
            .AddTo(command, trainsUsers: true, runsAll: true, dtypeKey: "decode_dtype")
            .AddJson(command);
        var seeds = new Option<int>("--seeds")
        {
            Description = "Runs the recipe with so many seeds, each in RUN/seed-N, and averages them.",
            HelpName = "n",
            DefaultValueFactory = _ => 1,
        };
        var method = PredictVerb.CreateMethodOption("Answers by these methods alone, and trains only what they need");
        var shard = new ShardOptions();
        command.AddOptions(method, seeds);
        shard.AddTo(command);
        command.SetAction(parsed =>
        {
            var request = options.Read(host, parsed);
            var named = parsed.GetValue(method)!.Select(name => PredictionMethod.Find(name).Name).Distinct().ToList();
            if (named.Count > 0)
            {
                request = request with { Overrides = [.. request.Overrides, $"predict={string.Join(',', named)}"] };
            }

            var count = parsed.GetValue(seeds);
            if (count < 1)
            {
                throw new UsageException($"--seeds is {count}; it must be at least 1");
            }

            if (shard.Read(parsed) is { } part)
            {
                if (count > 1 || request.IsJson || request.AllowCostlyRebuild)
                {
                    throw new UsageException("--shard makes blocks alone: leave --seeds, --json and --restart out");
                }

                return new ShardSession(host, request, shard.CreateWork(host, parsed)).Execute(part);
            }

            if (count > 1)
            {
                var (figures, run) = new SeedRunner(host, request).Execute(count);
                ResultsView.WriteSeeds(host, figures, run, request.IsJson);
                return ExitCode.Ok;
            }

            var context = new RunSession(host, request).Execute((pipeline, context) => pipeline.Run(context));
            ResultsView.Write(host, context, request.IsJson);
            return ExitCode.Ok;
        });
        return command;
    }
}

/// <summary>
/// Runs one recipe with several seeds, each in its own folder within the run's, and averages them.
/// </summary>
sealed class SeedRunner(CommandHost host, RunRequest request)
{
    /// <summary>Runs the recipe's seed and those that follow it; complete stages are kept.</summary>
    public (RunResults Results, RunDirectory Run) Execute(int count)
    {
        var (_, run, file, recipe) = ResolvedRun.Read(host, request);
        var seeds = new List<SeedRun>();
        for (var i = 0; i < count; i++)
        {
            var seed = recipe.Seed + i;
            var seedRun = run.GetSeedRun(seed);
            if (!request.IsQuiet)
            {
                host.WriteMessage($"seed {seed}, run {i + 1} of {count}, in {seedRun.Name}");
            }

            var seedRequest = request with
            {
                Recipe = file,
                Run = seedRun.Name,
                Overrides = [.. request.Overrides, $"seed={seed}"],
            };
            new RunSession(host, seedRequest).Execute((pipeline, context) => pipeline.Run(context));
            seeds.Add(new(seed, new ResultsReader(host, allowStale: false).Read(seedRun)));
        }

        Pipeline.SaveRecipe(recipe, run);
        var average = RunResults.AverageSeeds(run.Name, [.. seeds.Select(seed => seed.Results)]);
        SeedFiles.Write(run, recipe, average, seeds);
        return (average, run);
    }
}
