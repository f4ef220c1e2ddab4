using System.CommandLine;
using CoPe.Cli.Endpoint;
using CoPe.Cli.Hosting;
using CoPe.Cli.Sessions;
using CoPe.Experiments.Runs;

namespace CoPe.Cli.Verbs;

/// <summary>A verb that runs one stage alone.</summary>
/// <param name="Stage">The stage.</param>
/// <param name="Verb">The last word of the command.</param>
/// <param name="Description">What it does, for help.</param>
sealed record StageVerb(StageId Stage, string Verb, string Description)
{
    /// <summary>Shows the result of the completed stage.</summary>
    public Action<StageContext, RunRequest> OnCompleted { get; init; } = (_, _) => { };

    /// <summary>The context that the stage is run with, where it does not do all that the recipe says.</summary>
    public Func<Pipeline, StageContext, StageContext> SelectWork { get; init; } = (_, context) => context;

    /// <summary>Offers <c>--json</c>.</summary>
    public bool ShowsFigures { get; init; }

    /// <summary>Offers to do the stage at an endpoint.</summary>
    public EndpointCommandOptions? Endpoint { get; init; }

    /// <summary>Offers the options for training users.</summary>
    public bool TrainsUsers { get; init; }

    /// <summary>Key of the number type that <c>--decode-dtype</c> sets; null where there is no such option.</summary>
    public string? DtypeKey { get; init; }

    /// <summary>The command.</summary>
    public Command Create(CommandHost host)
    {
        var command = new Command(Verb, Description);
        var options = RunOptions.AddTo(command, trainsUsers: TrainsUsers, dtypeKey: DtypeKey);
        if (ShowsFigures)
        {
            options.AddJson(command);
        }

        var again = new Option<bool>("--again") { Description = "Also where the stage is complete already." };
        command.AddOptions(again);
        Endpoint?.AddTo(command);
        command.SetAction(parsed =>
        {
            var request = options.Read(host, parsed);
            var isAgain = parsed.GetValue(again);
            var context = new RunSession(host, request).Execute(
                (pipeline, context) =>
                {
                    var stageContext = context with { AllowCostlyRebuild = isAgain };
                    if (Endpoint is not null)
                    {
                        stageContext = Endpoint.Apply(parsed, stageContext);
                    }

                    pipeline.RunStage(SelectWork(pipeline, stageContext), Stage, isAgain);
                }
            );
            OnCompleted(context, request);
            return ExitCode.Ok;
        });
        return command;
    }
}
