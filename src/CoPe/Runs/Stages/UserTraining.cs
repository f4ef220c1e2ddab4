namespace CoPe.Runs.Stages;

/// <summary>A user and what his adapter is trained on.</summary>
/// <param name="Id">The user.</param>
/// <param name="Index">His place in the dataset and in the banks of all users.</param>
/// <param name="Examples">His examples.</param>
sealed record UserTraining<T>(string Id, int Index, IReadOnlyList<T> Examples);
