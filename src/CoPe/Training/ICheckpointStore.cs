namespace CoPe.Training;

/// <summary>Keeps the state of one unfinished training.</summary>
public interface ICheckpointStore
{
    /// <summary>The last complete checkpoint, or null.</summary>
    TrainingCheckpoint? Load();

    /// <summary>Replaces the last checkpoint; if it fails, the last one stays.</summary>
    void Save(TrainingCheckpoint checkpoint);

    /// <summary>Forgets every checkpoint.</summary>
    void Clear();
}
