using CoPe.Data;

namespace CoPe.Runs.Stages;

/// <summary>A query whose answer is known, and the answers that its likelihood is measured of.</summary>
/// <param name="User">Who asked.</param>
/// <param name="Index">The user's place in the dataset and in the banks.</param>
/// <param name="Query">What was asked.</param>
/// <param name="Answers">Ids of the user's own answer, then those of sampled ones.</param>
sealed record AskedQuery(LampUser User, int Index, LampQuery Query, IReadOnlyList<IReadOnlyList<int>> Answers)
{
    /// <summary>Tokens that the prompt must leave room for.</summary>
    public int LongestAnswer => Answers.Max(answer => answer.Count);
}
