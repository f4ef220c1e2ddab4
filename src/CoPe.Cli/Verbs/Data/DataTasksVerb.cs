using System.CommandLine;
using CoPe.Data;
using CoPe.Data.Tasks;

namespace CoPe.Cli.Verbs.Data;

/// <summary><c>cope data tasks</c>.</summary>
static class DataTasksVerb
{
    public static Command Create(CommandHost host)
    {
        var command = new Command("tasks", "List the shipped tasks, or print the file of one, to make one's own of it.");
        var name = new Argument<string?>("task") { Description = "Task whose file is printed.", Arity = ArgumentArity.ZeroOrOne };
        command.Arguments.Add(name);
        command.SetAction(parsed =>
        {
            if (parsed.GetValue(name) is { } shown) host.Out.Write(TaskFile.ToYaml(TaskFile.Shipped(LampTasks.ByName(shown).Name)));
            else
                foreach (var task in LampTasks.All) host.Out.WriteLine($"{task.Name,-20} {task.LampId,-10} {Fields(task)} -> {task.OutputField}");
        });
        return command;
    }

    static string Fields(LampTask task) => task.InputFields.Count == 0 ? "(no input)" : string.Join(", ", task.InputFields);
}
