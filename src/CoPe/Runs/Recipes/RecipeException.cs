namespace CoPe.Runs.Recipes;

/// <summary>A recipe that cannot be used: the message names the file and line or the override, the key, what was found and what was expected.</summary>
public sealed class RecipeException : Exception
{
    /// <summary>With its message.</summary>
    public RecipeException(string message) : base(message)
    {
    }

    /// <summary>With its message and cause.</summary>
    public RecipeException(string message, Exception inner) : base(message, inner)
    {
    }

    /// <summary>Without particulars.</summary>
    public RecipeException()
    {
    }
}
