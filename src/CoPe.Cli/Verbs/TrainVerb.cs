using System.CommandLine;

namespace CoPe.Cli.Verbs;

/// <summary><c>cope train tam|tam-all|sft|dpo</c>.</summary>
static class TrainVerb
{
    public static Command Create(CommandHost host) => new("train", "Train adapters: one stage at a time.")
    {
        StageVerb.Create(host, "tam", "train tam", "Train the task-adaptive model on the other users' queries (stage 1)."),
        StageVerb.Create(host, "tam-all", "train tam-all", "Train one adapter on everyone, the users' histories included (a baseline)."),
        StageVerb.Create(host, "sft", "train sft", "Train one adapter per user on his history (stage 2).", trainsUsers: true),
        StageVerb.Create(host, "dpo", "train dpo", "Train each user's adapter to prefer his own texts to the rejected answers (stage 4).", trainsUsers: true),
    };
}
