using System.CommandLine;
using CoPe.Cli.Endpoint;
using CoPe.Cli.Hosting;
using CoPe.Experiments.Runs;

namespace CoPe.Cli.Verbs;

/// <summary><c>cope negatives sample|select</c>.</summary>
static class NegativesVerb
{
    public static Command Create(CommandHost host) =>
        new("negatives", "Make the rejected answers of preference training.")
        {
            new StageVerb(
                StageId.SampleNegatives,
                "sample",
                "Sample candidates for every history item from the task-adaptive model (stage 3a), or at an endpoint."
            )
            {
                Endpoint = new EndpointCommandOptions(),
                DtypeKey = "decode_dtype",
            }.Create(host),
            new StageVerb(
                StageId.SelectNegatives,
                "select",
                "Choose each item's rejected answer by its implicit reward (stage 3b)."
            )
            {
                DtypeKey = "decode_dtype",
            }.Create(host),
        };
}
