using System.CommandLine;
using CoPe.Cli.Endpoint;
using CoPe.Cli.Failures;
using CoPe.Cli.Hosting;
using CoPe.Cli.Sessions;
using CoPe.Experiments.Negatives;
using CoPe.Experiments.Runs;

namespace CoPe.Cli.Verbs;

/// <summary><c>cope negatives sample|select|import</c>.</summary>
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
            CreateImport(host),
        };

    static Command CreateImport(CommandHost host)
    {
        var file = new Argument<string>("file")
        {
            Description = "user_top_100_history_with_pseudo_negatives.json, or with the selections ..._max.json.",
        };
        var command = new Command(
            "import",
            "Take the candidates, and the rejected answers where they are selected, from a file of the reference."
        )
        {
            file,
        };
        var options = RunOptions.AddTo(command, takesRecipe: false);
        var again = new Option<bool>("--again")
        {
            Description = "Also where there are candidates that were paid for, or imported.",
        };
        command.AddOptions(again);
        command.SetAction(parsed =>
        {
            var path = host.PathOf(parsed.GetValue(file)!);
            if (!File.Exists(path))
            {
                throw new UsageException($"{parsed.GetValue(file)} is no file: name a file of the reference's");
            }

            var imported = ImportedNegatives.Read(path);
            var isAgain = parsed.GetValue(again);
            new RunSession(host, options.Read(host, parsed)).Execute(
                (pipeline, context) => Import(pipeline, context, imported, isAgain)
            );
            return ExitCode.Ok;
        });
        return command;
    }

    static void Import(Pipeline pipeline, StageContext context, ImportedNegatives imported, bool isAgain)
    {
        var importing = context with { ImportedNegatives = imported, AllowCostlyRebuild = isAgain };
        pipeline.RunStage(importing, StageId.SampleNegatives, isAgain);
        if (imported.HasSelections)
        {
            pipeline.RunStage(importing, StageId.SelectNegatives, isAgain);
        }
    }
}
