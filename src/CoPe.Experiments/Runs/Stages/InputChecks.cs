using CoPe.Adapters;

namespace CoPe.Experiments.Runs.Stages;

/// <summary>What stages check of their inputs before anything of the run changes.</summary>
static class InputChecks
{
    /// <summary>Model and data, and that an item of a history can be worded and answered.</summary>
    /// <param name="preflight">What is checked already.</param>
    /// <param name="maxNewTokens">Room for the answer in the model's context; 0 where none is generated.</param>
    public static void CheckHistories(this RunPreflight preflight, int maxNewTokens = 0)
    {
        var workspace = preflight.CheckAll();
        if (workspace.Dataset.Users.SelectMany(user => user.History).FirstOrDefault() is { } item)
        {
            new ExampleEncoder(workspace, workspace.Recipe.Sft).EncodePrompt(item, maxNewTokens);
        }
    }

    /// <summary>Model and data, and that a query can be worded and answered.</summary>
    /// <param name="preflight">What is checked already.</param>
    /// <param name="maxNewTokens">Room for the answer in the model's context.</param>
    public static void CheckQueries(this RunPreflight preflight, int maxNewTokens)
    {
        var workspace = preflight.CheckAll();
        if (workspace.Dataset.Users.SelectMany(user => user.Queries).FirstOrDefault() is { } query)
        {
            new ExampleEncoder(workspace, workspace.Recipe.Sft).EncodePrompt(query, maxNewTokens);
        }
    }

    /// <summary>That the other users have queries to train on, and that the adapter fits the model.</summary>
    public static void CheckOthers(this RunPreflight preflight, LoraConfig lora)
    {
        preflight.CheckAdapter("tam", lora);
        var workspace = preflight.CheckAll();
        var query = workspace.Dataset.Others.SelectMany(user => user.Queries).FirstOrDefault();
        if (query is null)
        {
            throw new RunException(
                "the other users have no queries to train the task-adaptive model on: look at "
                    + Path.Combine(workspace.Inputs.Data, "user_others.json")
            );
        }

        new ExampleEncoder(workspace, workspace.Recipe.Tam).EncodePrompt(query, maxNewTokens: 0);
    }

    static RunWorkspace CheckAll(this RunPreflight preflight)
    {
        preflight.CheckModel();
        preflight.CheckData();
        preflight.CheckEncoder();
        return preflight.Context.Workspace;
    }
}
