namespace CoPe.Evaluation.Language;

/// <summary>In which cases a word is seen.</summary>
[Flags]
enum WordCase
{
    /// <summary>It is not seen at all.</summary>
    Unknown = 0,

    /// <summary>It is an ordinary word.</summary>
    Lower = 1,

    /// <summary>It is a name or a part of one.</summary>
    Capital = 2,
}
