using System.CommandLine;
using CoPe.Cli.Hosting;
using CoPe.Experiments.Runs;

namespace CoPe.Cli.Verbs;

/// <summary><c>cope train tam|tam-all|sft|dpo</c>.</summary>
static class TrainVerb
{
    public static Command Create(CommandHost host) =>
        new("train", "Train adapters: one stage at a time.")
        {
            new StageVerb(
                StageId.TrainTam,
                "tam",
                "Train the task-adaptive model on the other users' queries (stage 1)."
            ).Create(host),
            new StageVerb(
                StageId.TrainTamAll,
                "tam-all",
                "Train one adapter on everyone, the users' histories included (a baseline)."
            ).Create(host),
            new StageVerb(StageId.TrainSft, "sft", "Train one adapter per user on their history (stage 2).")
            {
                TrainsUsers = true,
            }.Create(host),
            new StageVerb(
                StageId.TrainDpo,
                "dpo",
                "Train each user's adapter to prefer their own texts to the rejected answers (stage 4)."
            )
            {
                TrainsUsers = true,
            }.Create(host),
        };
}
