using System.CommandLine;

namespace CoPe.Cli.Verbs;

/// <summary><c>cope train tam|tam-all|sft|dpo</c>.</summary>
static class TrainVerb
{
    public static Command Create(CommandHost host) =>
        new("train", "Train adapters: one stage at a time.")
        {
            new StageVerb("train tam", "Train the task-adaptive model on the other users' queries (stage 1).").Create(
                host
            ),
            new StageVerb(
                "train tam-all",
                "Train one adapter on everyone, the users' histories included (a baseline)."
            ).Create(host),
            new StageVerb("train sft", "Train one adapter per user on their history (stage 2).")
            {
                TrainsUsers = true,
            }.Create(host),
            new StageVerb(
                "train dpo",
                "Train each user's adapter to prefer their own texts to the rejected answers (stage 4)."
            )
            {
                TrainsUsers = true,
            }.Create(host),
        };
}
