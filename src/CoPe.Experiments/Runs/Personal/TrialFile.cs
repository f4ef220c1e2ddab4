using System.Text.Json;
using CoPe.Experiments.Runs.Results;

namespace CoPe.Experiments.Runs.Personal;

/// <summary>A trial to be done.</summary>
/// <param name="LearningRate">The rate.</param>
/// <param name="IsWhole">Whether all epochs are trained; otherwise it stops where the loss no longer falls.</param>
/// <param name="Epochs">Epochs of the schedule.</param>
sealed record TrialPlan(double LearningRate, bool IsWhole, int Epochs);

/// <summary>The trials of a search that are done, kept while the search is not.</summary>
sealed class TrialFile
{
    readonly string _path;
    readonly StoredTrials _stored;

    /// <summary>Those of the same search; what another one left is removed.</summary>
    public TrialFile(string path, string fingerprint)
    {
        _path = path;
        _stored = new(fingerprint, []);
        if (RunJson.TryRead<StoredTrials>(path) is { } stored && stored.Fingerprint == fingerprint)
        {
            _stored = stored;
            return;
        }

        AtomicFile.Remove(Path.GetDirectoryName(path)!);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        Save();
    }

    public TrainingTrial? Find(TrialPlan plan) =>
        _stored.Trials.Find(trial =>
            trial.LearningRate == plan.LearningRate
            && trial.IsWhole == plan.IsWhole
            && (!plan.IsWhole || trial.Epochs == plan.Epochs)
        );

    public void Add(TrainingTrial trial)
    {
        _stored.Trials.Add(trial);
        Save();
    }

    void Save() => AtomicFile.WriteBytes(_path, JsonSerializer.SerializeToUtf8Bytes(_stored));

    sealed record StoredTrials(string Fingerprint, List<TrainingTrial> Trials);
}
