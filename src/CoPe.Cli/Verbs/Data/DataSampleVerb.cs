using System.CommandLine;
using CoPe.Data.Samples;

namespace CoPe.Cli.Verbs.Data;

/// <summary><c>cope data sample</c>.</summary>
static class DataSampleVerb
{
    public static Command Create(CommandHost host)
    {
        var defaults = new SampleOptions();
        var command = new Command("sample", "Write sample data of the five text tasks, with invented users, and text to pre-train on.");
        var folder = new Argument<string>("folder") { Description = "Folder to write to.", DefaultValueFactory = _ => "data" };
        var seed = Add(command, "--seed", "The same seed gives the same files.", (long)defaults.Seed, 0);
        var users = Add(command, "--users", "Test users of each task.", defaults.Users, 1);
        var others = Add(command, "--other-users", "Other users of each task.", defaults.OtherUsers, 1);
        var queries = Add(command, "--queries", "Queries of every user.", defaults.QueriesPerUser, 1);
        var documents = Add(command, "--documents", "Documents of the neutral corpus.", defaults.Documents, 0);
        var instructions = Add(command, "--instructions", "Pairs of request and answer for pre-training.", defaults.Instructions, 0);
        command.Arguments.Add(folder);
        command.SetAction(parsed =>
        {
            var target = Path.Combine(host.Roots[0], parsed.GetValue(folder)!);
            SampleData.Write(target, new()
            {
                Seed = (ulong)parsed.GetValue(seed),
                Users = (int)parsed.GetValue(users),
                OtherUsers = (int)parsed.GetValue(others),
                QueriesPerUser = (int)parsed.GetValue(queries),
                Documents = (int)parsed.GetValue(documents),
                Instructions = (int)parsed.GetValue(instructions),
            }, cancel: host.Cancellation);
            host.Out.WriteLine(target);
            return ExitCode.Ok;
        });
        return command;
    }

    static Option<long> Add(Command command, string name, string description, long value, long least)
    {
        var option = new Option<long>(name) { Description = description, HelpName = "n", DefaultValueFactory = _ => value };
        option.Validators.Add(result =>
        {
            if (result.Errors.Any() || result.Tokens.Count == 0) return;
            if (long.TryParse(result.Tokens[0].Value, out var number) && (number < least || number > int.MaxValue)) result.AddError($"{name} is {number}, expected {least} to {int.MaxValue}");
        });
        command.Options.Add(option);
        return option;
    }
}
