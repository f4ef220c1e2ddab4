using System.Text.Json;
using CoPe.Experiments.Runs.Stages;

namespace CoPe.Experiments.Runs.Personal;

/// <summary>What is chosen on a person's texts, because it was not given.</summary>
/// <param name="Rate">The learning rate.</param>
/// <param name="Epochs">The number of epochs.</param>
/// <param name="Length">Most tokens of an answer.</param>
sealed record PersonalChoiceKeys(bool Rate, bool Epochs, bool Length);

/// <summary>
/// Chooses keys of the recipe on a person's texts. From <see cref="Begin"/> to <see cref="End"/> the run says what is
/// to be chosen, so that an interrupted command goes on where it stopped, with the same result.
/// </summary>
static class PersonalChoice
{
    const int TokenStep = 16;
    const int MinTokens = 32;

    /// <summary>Share of the texts that an answer has room for.</summary>
    const double LengthPercentile = 0.95;

    /// <summary>Notes in the run what is to be chosen.</summary>
    public static void Begin(RunDirectory run, PersonalChoiceKeys keys)
    {
        Directory.CreateDirectory(run.CheckpointsFolder);
        AtomicFile.WriteBytes(GetPath(run), JsonSerializer.SerializeToUtf8Bytes(keys));
    }

    /// <summary>What a former command was to choose and did not finish; null where there is nothing.</summary>
    /// <exception cref="RunException">The file is not of this form.</exception>
    public static PersonalChoiceKeys? FindPending(RunDirectory run) =>
        File.Exists(GetPath(run))
            ? RunJson.Read<PersonalChoiceKeys>(
                GetPath(run),
                JsonSerializerOptions.Default,
                "delete the file and repeat the command with what is to be chosen"
            )
            : null;

    /// <summary>Chooses; returns the keys of the recipe, each as <c>key=value</c>.</summary>
    public static IReadOnlyList<string> Choose(StageContext context, PersonalChoiceKeys keys)
    {
        var values = new List<string>();
        if (keys.Rate || keys.Epochs)
        {
            var choice = new TrainingSearch(context, keys.Rate, keys.Epochs).Run();
            values.Add(FormattableString.Invariant($"sft.learning_rate={choice.LearningRate}"));
            values.Add(FormattableString.Invariant($"sft.epochs={choice.Epochs}"));
        }

        if (keys.Length)
        {
            values.Add(FormattableString.Invariant($"decode.max_new_tokens={ChooseLength(context)}"));
        }

        return values;
    }

    /// <summary>The values are in the run's recipe, and its stages are complete.</summary>
    public static void End(RunDirectory run)
    {
        AtomicFile.Remove(TrainingSearch.GetFolder(run));
        AtomicFile.Remove(GetPath(run));
    }

    /// <summary>Room for all but the longest of the texts, but never more than half of the model's context.</summary>
    static int ChooseLength(StageContext context)
    {
        var workspace = context.Workspace;
        var source = new ExampleEncoder(workspace, context.Recipe.Sft);
        var lengths = workspace
            .Dataset.Users[0]
            .History.Select(item => source.EncodeAnswer(item).Count)
            .Order()
            .ToList();
        var length = lengths[(int)Math.Ceiling(LengthPercentile * lengths.Count) - 1];
        var rounded = (length + TokenStep - 1) / TokenStep * TokenStep;
        return Math.Clamp(rounded, MinTokens, Math.Max(MinTokens, workspace.ContextLength / 2));
    }

    static string GetPath(RunDirectory run) => TrainingSearch.GetFolder(run) + ".json";
}
