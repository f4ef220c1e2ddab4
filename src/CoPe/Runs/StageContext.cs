using CoPe.Decoding;
using CoPe.Negatives;
using CoPe.Runs.Recipes;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace CoPe.Runs;

/// <summary>What a stage is given: the recipe, where things lie, and whom to tell.</summary>
public sealed record StageContext
{
    /// <summary>The recipe.</summary>
    public required Recipe Recipe { get; init; }

    /// <summary>The run's paths.</summary>
    public required RunDirectory Run { get; init; }

    /// <summary>Where the recipe's model, data and prompt really lie.</summary>
    public required InputPaths Inputs { get; init; }

    /// <summary>What stages share while the process lives, such as the loaded model. The caller of the pipeline owns it.</summary>
    public required SharedResources Shared { get; init; }

    /// <summary>Stages that were made from other inputs are made anew however long they took, and whatever they cost.</summary>
    public bool Restarts { get; init; }

    /// <summary>Draws candidates elsewhere; null draws them here, from the task-adaptive model.</summary>
    public CandidateEndpoint? CandidateEndpoint { get; init; }

    /// <summary>Takes where the time of decoding goes; null measures nothing.</summary>
    public DecodingTrace? Trace { get; init; }

    /// <summary>Where progress goes.</summary>
    public IProgress<StageProgress> Progress { get; init; } = new Ignored<StageProgress>();

    /// <summary>Told when a stage begins and ends.</summary>
    public IProgress<StageEvent> Events { get; init; } = new Ignored<StageEvent>();

    /// <summary>Where messages go.</summary>
    public ILogger Log { get; init; } = NullLogger.Instance;

    /// <summary>The clock.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>Asks for an early end, with everything saved.</summary>
    public CancellationToken Cancellation { get; init; }

    sealed class Ignored<T> : IProgress<T>
    {
        public void Report(T value)
        {
        }
    }
}
