namespace CoPe.Runs;

/// <summary>Kinds of files a stage reads, whose content is part of its inputs.</summary>
[Flags]
public enum StageFiles
{
    /// <summary>None but other stages' outputs.</summary>
    None = 0,

    /// <summary>The model folder.</summary>
    Model = 1,

    /// <summary>The test users' histories, queries and golds.</summary>
    Users = 2,

    /// <summary>The task file, and the prompt file where the recipe names one.</summary>
    Task = 4,

    /// <summary>The other users' queries.</summary>
    Others = 8,

    /// <summary>The task's data files.</summary>
    Data = Users | Others,

    /// <summary>All of them.</summary>
    All = Model | Users | Task | Others,
}
