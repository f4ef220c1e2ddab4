using System.Globalization;
using System.Text.Json;

namespace CoPe.Experiments.Runs.Results;

/// <summary>Learning rate and epochs of a person's adapter, and how they were chosen.</summary>
sealed record TrainingChoice
{
    /// <summary>Fewest texts to choose by.</summary>
    public const int MinTexts = 5;

    static readonly JsonSerializerOptions Options = new()
    {
        WriteIndented = true,
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
    };

    /// <summary>Learning rate.</summary>
    public required double LearningRate { get; init; }

    /// <summary>Passes over the texts.</summary>
    public required int Epochs { get; init; }

    /// <summary>Texts that were learned from while choosing.</summary>
    public required int Texts { get; init; }

    /// <summary>Texts that were held out to choose by; 0 where there were too few to choose.</summary>
    public required int HeldOut { get; init; }

    /// <summary>What was tried, in order.</summary>
    public IReadOnlyList<TrainingTrial> Trials { get; init; } = [];

    /// <summary>
    /// The trial whose values were taken: the best of those that trained as the adapter will be; null where there is
    /// none.
    /// </summary>
    public TrainingTrial? Best() =>
        Trials.Where(trial => trial is { IsWhole: true, Loss: not null }).MinBy(trial => trial.Loss);

    /// <summary>The choice in a line.</summary>
    public string Describe()
    {
        var values = $"rate {FormatRate(LearningRate)}, {Epochs} {(Epochs == 1 ? "epoch" : "epochs")}";
        if (HeldOut == 0)
        {
            var texts = Texts == 1 ? "1 text is" : $"{Texts} texts are";
            return $"{values}: the usual ones, as {texts} too few to choose by " + $"({MinTexts} at least)";
        }

        if (Best() is not { } best)
        {
            return $"{values}: the usual ones, as no trial ended with a loss";
        }

        return string.Create(
            CultureInfo.InvariantCulture,
            $"{values}: held-out loss {best.Loss:0.00}, from {best.LossBefore:0.00} ({Trials.Count} short trainings on "
                + $"{Texts} of the texts, measured on {HeldOut} more)"
        );
    }

    /// <summary>A rate without a sign or zeros that say nothing: <c>3e-3</c>.</summary>
    internal static string FormatRate(double rate) => rate.ToString("0.##e0", CultureInfo.InvariantCulture);

    /// <summary>Reads the choice of a run; null where it made none.</summary>
    /// <exception cref="RunException">The file is not of this form.</exception>
    public static TrainingChoice? Read(RunDirectory run)
    {
        ArgumentNullException.ThrowIfNull(run);
        return File.Exists(run.TrainingChoice)
            ? RunJson.Read<TrainingChoice>(
                run.TrainingChoice,
                Options,
                "delete the file; the values stay in the run's recipe"
            )
            : null;
    }

    internal void Write(RunDirectory run) =>
        AtomicFile.WriteBytes(run.TrainingChoice, JsonSerializer.SerializeToUtf8Bytes(this, Options));
}

/// <summary>A learning rate that was tried.</summary>
/// <param name="LearningRate">The rate.</param>
/// <param name="Epochs">Its epochs; where it was stopped early, those up to the lowest held-out loss.</param>
/// <param name="IsWhole">Whether it trained all its epochs, with the rate falling to zero.</param>
/// <param name="Loss">Held-out loss per token then, in nats; null where it was no number.</param>
/// <param name="LossBefore">Held-out loss per token before the first step.</param>
sealed record TrainingTrial(double LearningRate, int Epochs, bool IsWhole, double? Loss, double? LossBefore)
{
    /// <summary>The trial in a line.</summary>
    public string Describe()
    {
        var loss = Loss is { } value
            ? $"held-out loss {value.ToString("0.000", CultureInfo.InvariantCulture)}"
            : "diverged";
        var epochs = $"{(IsWhole ? "epochs" : "best epoch")} {Epochs}";
        return $"rate {TrainingChoice.FormatRate(LearningRate)}, {epochs}: {loss}";
    }
}
