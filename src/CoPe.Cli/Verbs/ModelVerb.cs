using System.CommandLine;

namespace CoPe.Cli.Verbs;

/// <summary><c>cope model pull|info|merge</c>.</summary>
static class ModelVerb
{
    public static Command Create(CommandHost host) => new("model", "Get models, look at them, and merge adapters into them.")
    {
        ModelPullVerb.Create(host),
        ModelInfoVerb.Create(host),
        ModelMergeVerb.Create(host),
    };
}
