using System.CommandLine;
using CoPe.Cli.Display;
using CoPe.Cli.Failures;
using CoPe.Cli.Hosting;
using CoPe.Experiments.Runs;
using CoPe.Experiments.Runs.Blocks;

namespace CoPe.Cli.Sessions;

/// <summary>The options of a shard.</summary>
sealed class ShardOptions
{
    readonly Option<string?> _shard = new("--shard")
    {
        Description =
            "Makes this shard's blocks of users alone, I from 0 to N-1, as one of several processes on any machines; "
            + "without I/N the variables of a Slurm array or of an Indexed Job of Kubernetes tell.",
        HelpName = "I/N",
        Arity = ArgumentArity.ZeroOrOne,
    };

    readonly Option<double> _silentAfter = new("--silent-after")
    {
        Description =
            "Seconds without a sign of life after which a shard takes up another process's block; with --shard.",
        HelpName = "s",
        DefaultValueFactory = _ => new BlockWork().SilentAfter.TotalSeconds,
    };

    /// <summary>Adds them to a command.</summary>
    public void AddTo(Command command) => command.AddOptions(_shard, _silentAfter);

    /// <summary>The shard that is asked for; null for none.</summary>
    /// <exception cref="UsageException">It is none.</exception>
    public Shard? Read(ParseResult parsed)
    {
        if (parsed.GetResult(_shard) is null)
        {
            return parsed.GetResult(_silentAfter) is { Implicit: false }
                ? throw new UsageException("--silent-after is for --shard I/N: leave it out")
                : null;
        }

        return parsed.GetValue(_shard) is { } text
            ? Shard.TryParse(text)
                ?? throw new UsageException($"--shard is '{text}'; it must be I/N, I from 0 to N-1, for example 0/8")
            : Shard.FromEnvironment(Environment.GetEnvironmentVariable)
                ?? throw new UsageException(
                    "--shard needs I/N where neither SLURM_ARRAY_TASK_ID nor JOB_COMPLETION_INDEX is set"
                );
    }

    /// <summary>Who works at the blocks.</summary>
    public BlockWork CreateWork(CommandHost host, ParseResult parsed)
    {
        var seconds = parsed.GetValue(_silentAfter);
        return seconds is >= 1 and <= 86_400
            ? new()
            {
                Job = SchedulerJob.Find(Environment.GetEnvironmentVariable),
                SilentAfter = TimeSpan.FromSeconds(seconds),
                Time = host.Time,
            }
            : throw new UsageException($"--silent-after is {seconds}; it must be 1 to 86400 seconds");
    }
}

/// <summary>The job of a scheduler that a process belongs to, as the scheduler's commands name it.</summary>
static class SchedulerJob
{
    /// <summary>Its name; null outside of one.</summary>
    /// <param name="read">Reads a variable of the environment.</param>
    public static string? Find(Func<string, string?> read) =>
        (read("SLURM_ARRAY_JOB_ID"), read("SLURM_JOB_ID")) switch
        {
            ({ } array, _) => $"{array}_{read("SLURM_ARRAY_TASK_ID")}",
            (null, { } job) => job,
            _ => read("JOB_COMPLETION_INDEX") is { } index ? $"index {index}" : null,
        };
}

/// <summary>Makes the blocks of a shard. The run itself is only read, and several sessions may be at work.</summary>
sealed class ShardSession(CommandHost host, RunRequest request, BlockWork work)
{
    /// <summary>Makes them; the exit code says whether the same command must be started again.</summary>
    public int Execute(Shard shard)
    {
        if (request.Recipe is not null || request.Overrides.Count > 0 || request.Run is null)
        {
            throw new UsageException(
                "a shard makes a run as it was prepared: give --run FOLDER and neither a recipe nor settings; "
                    + "'cope shards prepare RECIPE --run FOLDER' takes them"
            );
        }

        host.Interrupts.TakesRepeatedTermination = true;
        var resolved = ResolvedRun.Read(host, request);
        if (RunReplacement.IsPending(resolved.Run))
        {
            throw new RunException(
                $"{resolved.Run.Name} is being rebuilt, or a rebuild was killed: 'cope shards prepare --run "
                    + $"{resolved.Run.Name}' goes on with it"
            );
        }

        ErasureJournal.ThrowIfInterrupted(resolved.Run);
        var stages = host.Pipeline.SelectStages(resolved.Recipe).Select(stage => stage.Name);
        using var display = RunDisplay.Create(host, request, [.. stages]);
        using var workspace = new RunWorkspace(
            resolved.Recipe,
            resolved.Run,
            resolved.FindInputs(resolved.Recipe.Data, request.IsQuiet),
            display
        );
        var context = new StageContext
        {
            Workspace = workspace,
            Progress = display,
            Events = display,
            Log = display,
            Time = host.Time,
            Cancellation = host.Cancellation,
        };
        try
        {
            IReadOnlyList<int> elsewhere = [];
            display.ShowWhile(() => elsewhere = new ShardRunner(host.Pipeline, context, work).Run(shard));
            return Report(shard, elsewhere);
        }
        catch (OperationCanceledException)
        {
            host.WriteMessage("stopped; the same command resumes from what was saved, here or elsewhere");
            return ExitCode.TryAgain;
        }
    }

    int Report(Shard shard, IReadOnlyList<int> elsewhere)
    {
        if (elsewhere.Count == 0)
        {
            return ExitCode.Ok;
        }

        host.WriteMessage(
            $"others are at work in blocks {ArrayExpression.Format(elsewhere)} of shard {shard.Index}/{shard.Count}: "
                + "started again, this command waits for them or takes them up"
        );
        return ExitCode.TryAgain;
    }
}
