namespace CoPe.Data.Importing;

/// <summary>How a date with slashes, such as 03/04/2024, is meant.</summary>
public enum DateOrder
{
    /// <summary>Told by the other dates of the column; refused where they do not tell.</summary>
    Auto,

    /// <summary>Day first.</summary>
    Dmy,

    /// <summary>Month first.</summary>
    Mdy,
}
