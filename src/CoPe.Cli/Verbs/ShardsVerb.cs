using System.CommandLine;
using CoPe.Cli.Display;
using CoPe.Cli.Failures;
using CoPe.Cli.Hosting;
using CoPe.Cli.Sessions;
using CoPe.Experiments.Runs.Blocks;

namespace CoPe.Cli.Verbs;

/// <summary><c>cope shards</c>.</summary>
static class ShardsVerb
{
    public static Command Create(CommandHost host) =>
        new("shards", "Make a run in blocks of users, on several machines.")
        {
            CreatePrepare(host),
            CreateList(host),
            CreateScript(host),
        };

    static Command CreatePrepare(CommandHost host)
    {
        var command = new Command(
            "prepare",
            "Make what all users share (the task-adaptive model) and plan the run; its blocks are made by 'cope run "
                + "--run RUN --shard I/N' then, and put together by 'cope finish RUN'."
        );
        var options = RunOptions.AddTo(command, trainsUsers: true, runsAll: true, dtypeKey: "decode_dtype");
        command.SetAction(parsed =>
        {
            var request = options.Read(host, parsed);
            var context = new RunSession(host, request).Execute((pipeline, context) => pipeline.RunShared(context));
            host.Out.WriteLine(context.Workspace.Blocks.Count);
            return ExitCode.Ok;
        });
        return command;
    }

    static Command CreateScript(CommandHost host)
    {
        var command = new Command(
            "script",
            "Print what a scheduler is given to make a run in blocks: what all users share, an array of shards, the "
                + "end. It is a file of deploy/ with this run's values; cope itself submits nothing."
        );
        var options = RunOptions.AddTo(command, trainsUsers: true, dtypeKey: "decode_dtype");
        var engine = new Option<string>("--engine")
        {
            Description = "slurm: a script that submits jobs; kubernetes: jobs for kubectl.",
            HelpName = "name",
            Required = true,
        };
        engine.AcceptOnlyFromAmong("slurm", "kubernetes");
        var shards = new Option<int>("--shards")
        {
            Description = "How many shards; any number, also another one next time.",
            HelpName = "N",
            DefaultValueFactory = _ => 8,
        };
        command.AddOptions(engine, shards);
        command.SetAction(parsed =>
        {
            var request = options.Read(host, parsed);
            if (parsed.GetValue(shards) < 1)
            {
                throw new UsageException($"--shards is {parsed.GetValue(shards)}; it must be at least 1");
            }

            var run = request.FindFolder(host) ?? throw new UsageException("name a recipe, or a run with --run");
            var script = new ShardScript
            {
                Folder = host.WorkingFolder,
                Program = Environment.ProcessPath ?? "cope",
                Run = run.Name,
                Prepare =
                [
                    .. request.Recipe is { } recipe ? [recipe] : (string[])[],
                    .. request.Overrides.SelectMany(setting => (string[])["--set", setting]),
                ],
                Shards = parsed.GetValue(shards),
            };
            host.Out.Write(script.Create(parsed.GetValue(engine)!));
            return ExitCode.Ok;
        });
        return command;
    }

    static Command CreateList(CommandHost host)
    {
        var command = new Command(
            "ls",
            "List the blocks of a run: complete, running (where, since when, last sign of life), silent, missing."
        );
        var options = RunOptions.AddToInspection(command).AddJson(command);
        var missing = new Option<bool>("--missing") { Description = "Those alone that are not complete." };
        var array = new Option<bool>("--array") { Description = "Their numbers alone, as an array expression: 0,3-5." };
        var shards = new Option<int?>("--shards")
        {
            Description = "With --array: numbers of those of N shards that the blocks are in, instead of the blocks'.",
            HelpName = "N",
        };
        command.AddOptions(missing, array, shards);
        command.SetAction(parsed =>
        {
            var request = options.Read(host, parsed);
            if (parsed.GetValue(shards) is < 1)
            {
                throw new UsageException("--shards must be at least 1");
            }

            var all = new RunSession(host, request).Inspect(
                context => BlockStatus.List(host.Pipeline, context),
                duringChange: true
            );
            var listed = all.Where(block => !parsed.GetValue(missing) || block.State != BlockState.Complete).ToList();
            if (parsed.GetValue(array))
            {
                var numbers = listed.Select(block => block.Block);
                var count = parsed.GetValue(shards);
                host.Out.WriteLine(
                    ArrayExpression.Format(count is null ? numbers : numbers.Select(b => b % count.Value))
                );
            }
            else
            {
                BlocksView.Write(host, listed, request.IsJson);
            }

            return ExitCode.Ok;
        });
        return command;
    }
}
