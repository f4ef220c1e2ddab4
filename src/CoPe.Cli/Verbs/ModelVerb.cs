using System.CommandLine;

namespace CoPe.Cli.Verbs;

/// <summary><c>cope model info|merge</c>.</summary>
static class ModelVerb
{
    public static Command Create(CommandHost host) => new("model", "Look at models, and merge adapters into them.")
    {
        ModelInfoVerb.Create(host),
        ModelMergeVerb.Create(host),
    };
}
