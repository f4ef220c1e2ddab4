using System.CommandLine;
using CoPe.Cli.Hosting;
using CoPe.Experiments.Runs;

namespace CoPe.Cli.Verbs;

/// <summary><c>cope profile</c>.</summary>
static class ProfileVerb
{
    public static Command Create(CommandHost host) =>
        new StageVerb(
            StageId.WriteProfiles,
            "profile",
            "Let the model describe each user from their history, for the method pag."
        )
        {
            DtypeKey = "decode_dtype",
        }.Create(host);
}
