using CoPe.Runs.Recipes;

namespace CoPe.Runs.Stages;

/// <summary>A user and what his adapter is trained on.</summary>
/// <param name="Id">The user.</param>
/// <param name="Index">His place in the dataset and in the banks of all users.</param>
/// <param name="Examples">What he learns from.</param>
/// <param name="HeldOut">What he is measured by; none where training goes to the end anyway.</param>
sealed record UserTraining<T>(string Id, int Index, IReadOnlyList<T> Examples, IReadOnlyList<T> HeldOut)
{
    /// <summary>With the last of his examples, but at most half of them, held out for early stopping.</summary>
    public static UserTraining<T> Of(string id, int index, IReadOnlyList<T> examples, EarlyStoppingSettings stopping)
    {
        var learnt = examples.Count - Math.Min(stopping.Items, examples.Count / 2);
        return new(id, index, [.. examples.Take(learnt)], [.. examples.Skip(learnt)]);
    }
}
