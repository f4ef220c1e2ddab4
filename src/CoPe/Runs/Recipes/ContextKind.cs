namespace CoPe.Runs.Recipes;

/// <summary>What of a user's history stands in the prompt beside the request.</summary>
public enum ContextKind
{
    /// <summary>Nothing.</summary>
    None,

    /// <summary>The latest items.</summary>
    Recent,

    /// <summary>The items nearest to the request by BM25 (RAG).</summary>
    Similar,

    /// <summary>A description of the user that the model wrote from his history (PAG).</summary>
    Profile,
}
