using System.CommandLine;
using CoPe.Cli.Verbs.Data;

namespace CoPe.Cli.Verbs;

/// <summary><c>cope data ...</c>.</summary>
static class DataVerb
{
    public static Command Create(CommandHost host) => new("data", "Make, check and explain data.")
    {
        DataCheckVerb.Create(host),
        DataShowVerb.Create(host),
        DataImportVerb.Create(host),
        DataBuildVerb.Create(host),
        DataSampleVerb.Create(host),
        DataTasksVerb.Create(host),
    };
}
