using CoPe.Data;

namespace CoPe.Runs.Privacy;

/// <summary>By what a user is recognised in a run's files.</summary>
sealed class KnownUser
{
    /// <summary>Fewest letters of a text that is told from others by itself.</summary>
    const int LeastLetters = 12;

    public KnownUser(LampUser user, LampTask task)
    {
        Id = user.Id;
        Queries = user.Queries.Select(query => query.Id).ToHashSet();
        Texts = user.Profile.Select(item => item.Fields[task.OutputField]).Concat(user.Queries.Select(query => query.Gold)).Select(text => text.Trim()).Where(text => text.Length >= LeastLetters).ToHashSet();
    }

    public string Id { get; }

    public IReadOnlySet<string> Queries { get; }

    /// <summary>The texts he wrote.</summary>
    public IReadOnlySet<string> Texts { get; }
}
