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

    /// <summary>The task's prompt file.</summary>
    Prompt = 4,

    /// <summary>All three.</summary>
    All = Model | Data | Prompt,
}
