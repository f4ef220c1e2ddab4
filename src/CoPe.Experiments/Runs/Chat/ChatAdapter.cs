using CoPe.Experiments.Runs.Artifacts;
using CoPe.Experiments.Runs.Recipes;
using CoPe.Experiments.Runs.Stages;

namespace CoPe.Experiments.Runs.Chat;

/// <summary>The adapter with which a chat answers as a user.</summary>
/// <param name="Stage">The stage that trained it: <c>dpo</c> where there is one, else <c>sft</c>.</param>
/// <param name="Folder">Its folder.</param>
/// <param name="Trained">When it was written.</param>
public sealed record ChatAdapter(string Stage, string Folder, DateTimeOffset Trained)
{
    /// <summary>What is out of date of it and used all the same, or of others and left alone.</summary>
    public IReadOnlyList<string> Warnings { get; init; } = [];

    /// <summary>The best adapter of a user.</summary>
    /// <exception cref="RunException">
    /// The run has none, or no task-adaptive model; or one of them is out of date, and
    /// <see cref="StageContext.AllowStale"/> is not set.
    /// </exception>
    public static ChatAdapter Find(StageContext context, string user)
    {
        ArgumentNullException.ThrowIfNull(context);
        var adapters = new RunAdapters(new Pipeline(RunStages.All), context, context.AllowStale);
        var found = adapters.FindUser(user);
        adapters.FindTam();
        var stage = found.Kind == UserAdapterKind.Dpo ? "dpo" : "sft";
        return new(stage, found.Folder, Directory.GetLastWriteTimeUtc(found.Folder)) { Warnings = adapters.Warnings };
    }
}
