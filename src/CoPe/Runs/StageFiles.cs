namespace CoPe.Runs;

/// <summary>Kinds of files a stage reads, whose content is part of its inputs.</summary>
[Flags]
public enum StageFiles
{
    /// <summary>None but other stages' outputs.</summary>
    None = 0,

    /// <summary>The model folder.</summary>
    Model = 1,

    /// <summary>The task's data files.</summary>
    Data = 2,

    /// <summary>The task file, and the prompt file where the recipe names one.</summary>
    Task = 4,

    /// <summary>All three.</summary>
    All = Model | Data | Task,
}
