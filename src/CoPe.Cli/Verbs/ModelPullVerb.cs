using System.CommandLine;
using CoPe.Cli.Hub;

namespace CoPe.Cli.Verbs;

/// <summary><c>cope model pull org/name</c>.</summary>
static class ModelPullVerb
{
    public static Command Create(CommandHost host)
    {
        var command = new Command("pull", "Download a model from the hub into the cache that Hugging Face's tools share, and print its folder.");
        var model = new Argument<string>("model") { Description = "org/name, or org/name@revision with a branch, a tag or a commit." };
        var quiet = new Option<bool>("--quiet") { Description = "No progress, only warnings and the folder." };
        command.Arguments.Add(model);
        command.Options.Add(quiet);
        command.SetAction(parsed =>
        {
            var text = parsed.GetValue(model)!;
            var name = HubName.Parse(text) ?? throw new UsageException($"'{text}' is no name of a model on the hub; expected org/name or org/name@revision, for example Qwen/Qwen2.5-1.5B-Instruct");
            host.Out.WriteLine(ModelSource.Pull(host, name, parsed.GetValue(quiet)));
            return ExitCode.Ok;
        });
        return command;
    }
}
