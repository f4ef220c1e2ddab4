using System.CommandLine;
using CoPe.Cli.Display;
using CoPe.Cli.Hub;
using CoPe.Modeling;

namespace CoPe.Cli.Verbs;

/// <summary><c>cope model info MODEL</c>.</summary>
static class ModelInfoVerb
{
    public static Command Create(CommandHost host)
    {
        var defaults = new ModelNeeds();
        var command = new Command("info", "Show a model's architecture and size, and the memory that each stage needs; no weight is read.");
        var model = new Argument<string>("model") { Description = ModelSource.Description };
        var batch = Number("--batch", "Examples of a training step, or answers written at once.", defaults.Batch);
        var length = Number("--length", "Tokens of prompt and answer together; by default as many as the model allows, at most 2048.", null);
        var answer = Number("--answer", "Tokens of an answer.", defaults.Answer);
        var users = Number("--users", "Users trained in one pass.", defaults.Users);
        var rank = Number("--rank", "Rank of all adapters; by default the recipes': 16 for the task's, 8 for a user's.", null);
        var json = new Option<bool>("--json") { Description = "JSON instead of tables." };
        command.Arguments.Add(model);
        foreach (var option in (Option[])[batch, length, answer, users, rank, json]) command.Options.Add(option);
        command.SetAction(parsed =>
        {
            var folder = ModelSource.Find(host, parsed.GetValue(model)!);
            var info = ModelInfo.Read(folder);
            var most = Math.Min(2048, info.Config.MaxPositions);
            var needs = new ModelNeeds
            {
                Batch = parsed.GetValue(batch) ?? defaults.Batch, Length = parsed.GetValue(length) ?? most, Answer = parsed.GetValue(answer) ?? defaults.Answer,
                Users = parsed.GetValue(users) ?? defaults.Users, Rank = parsed.GetValue(rank),
            };
            if (needs.Length > info.Config.MaxPositions) throw new UsageException($"--length is {needs.Length}, but the model's context is {info.Config.MaxPositions}");
            if (2L * needs.Batch * needs.Users * needs.Length > int.MaxValue) throw new UsageException("--batch, --users and --length together are more than 2^30 tokens: name smaller ones");
            ModelInfoView.Write(host, folder, info, needs, parsed.GetValue(json));
            return ExitCode.Ok;
        });
        return command;
    }

    static Option<int?> Number(string name, string description, int? value)
    {
        var option = new Option<int?>(name) { Description = description, HelpName = "n" };
        if (value is not null) option.DefaultValueFactory = _ => value;
        option.Validators.Add(result =>
        {
            if (result.Tokens.Count > 0 && int.TryParse(result.Tokens[0].Value, out var number) && number is < 1 or > 1 << 20) result.AddError($"{name} is {number}, expected 1 to {1 << 20}");
        });
        return option;
    }
}
