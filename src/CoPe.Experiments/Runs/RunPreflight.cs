using CoPe.Adapters;
using CoPe.Decoding;
using CoPe.Modeling;
using Microsoft.Extensions.Logging;

namespace CoPe.Experiments.Runs;

/// <summary>
/// Opens and checks what stages will read before anything of the run changes, each thing once: no weight is read, the
/// headers of the weights are compared with the configuration and with the files' lengths.
/// </summary>
/// <param name="context">The run, and the recipe and files that its stages would be built from.</param>
sealed class RunPreflight(StageContext context)
{
    bool _isModelChecked;
    bool _isEncoderChecked;
    bool _isDataChecked;

    /// <summary>The run, and the recipe and files that its stages would be built from.</summary>
    public StageContext Context => context;

    /// <summary>The model's configuration, its weights and the device. Throws where it could not be loaded.</summary>
    public void CheckModel()
    {
        if (_isModelChecked)
        {
            return;
        }

        var workspace = context.Workspace;
        CheckpointReader.ReadEntries(context.Inputs.Model, workspace.ModelConfig);
        _ = workspace.Device;
        _isModelChecked = true;
    }

    /// <summary>Whether adapters of a shape fit the model.</summary>
    /// <param name="section">Section of the recipe that the shape stands in.</param>
    /// <param name="lora">The shape.</param>
    /// <exception cref="RunException">They do not.</exception>
    public void CheckAdapter(string section, LoraConfig lora)
    {
        CheckModel();
        try
        {
            lora.CheckFits(context.Workspace.ModelConfig);
        }
        catch (ArgumentException error)
        {
            var problem = error.Message.Split(" (Parameter '")[0];
            throw new RunException($"{section}.lora with model {context.Recipe.Model}: {problem}", error);
        }

        if (context.Workspace.ResolveLora(lora) is { Active: ActivePositions.Answer, InvocationTokens: { Count: 0 } })
        {
            throw new RunException(
                $"{section}.lora.active is answer, but nothing in the prompts of {context.Recipe.Model} marks where "
                    + "an answer begins: it has no chat template that writes a header; "
                    + $"set {section}.lora.active=everywhere"
            );
        }
    }

    /// <summary>
    /// The tokenizer and the chat template, and that they belong to the model; says where files of the model disagree.
    /// </summary>
    public void CheckEncoder()
    {
        if (_isEncoderChecked)
        {
            return;
        }

        var (folder, workspace) = (context.Inputs.Model, context.Workspace);
        TokenizerFit.Check(folder, workspace.Encoder, workspace.ModelConfig);
        foreach (var conflict in ModelFileConflicts.Find(folder, workspace.Encoder))
        {
            context.Log.LogWarning("files of {Model} disagree: {Conflict}", context.Recipe.Model, conflict);
        }

        _isEncoderChecked = true;
    }

    /// <summary>
    /// The task, its wording and its data files; says so where the recipe asks for more users than there are.
    /// </summary>
    public void CheckData()
    {
        if (_isDataChecked)
        {
            return;
        }

        _ = context.Workspace.Template;
        var found = context.Workspace.Dataset.Users.Count;
        if (
            !context.Workspace.IsPart
            && context.Workspace.Forgotten.RemainingLimit(context.Recipe.Users) is { } most
            && found < most
        )
        {
            context.Log.LogWarning(
                "users is {Most}, but {Data} has {Found} that can be used: all of them are taken",
                most,
                context.Inputs.Data,
                found
            );
        }

        _isDataChecked = true;
    }
}
