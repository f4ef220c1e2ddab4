namespace CoPe.Evaluation;

/// <summary>What is drawn again and counted when two methods are compared.</summary>
public enum PairedUnit
{
    /// <summary>Users, each with all his queries: queries of one user are not independent.</summary>
    Users,

    /// <summary>Single queries.</summary>
    Queries,
}
