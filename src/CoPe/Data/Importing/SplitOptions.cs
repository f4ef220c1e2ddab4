namespace CoPe.Data.Importing;

/// <summary>How authors are divided into test users and others, and each one's texts into history and queries.</summary>
public sealed record SplitOptions
{
    /// <summary>Most test users, those with the longest histories; never more than half of the authors.</summary>
    public int TestUsers { get; init => field = AtLeast(1, value, nameof(TestUsers)); } = 100;

    /// <summary>Fewest texts of a test user.</summary>
    public int LeastItems { get; init => field = AtLeast(2, value, nameof(LeastItems)); } = 5;

    /// <summary>Most queries of a test user: his latest texts, at most a fifth of them.</summary>
    public int Queries { get; init => field = AtLeast(1, value, nameof(Queries)); } = 5;

    /// <summary>Most queries of another user, his latest texts: they train the task-adaptive model.</summary>
    public int OtherQueries { get; init => field = AtLeast(1, value, nameof(OtherQueries)); } = 20;

    static int AtLeast(int least, int value, string name) =>
        value >= least ? value : throw new ArgumentOutOfRangeException(name, value, $"{name} is {value}, expected {least} or more.");
}
