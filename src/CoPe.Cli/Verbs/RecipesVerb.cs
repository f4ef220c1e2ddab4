using System.CommandLine;
using CoPe.Cli.Failures;
using CoPe.Cli.Hosting;

namespace CoPe.Cli.Verbs;

/// <summary><c>cope recipes ls|cp</c>.</summary>
static class RecipesVerb
{
    public static Command Create(CommandHost host) =>
        new("recipes", "List and copy the recipes that come with the program.") { CreateList(host), CreateCopy(host) };

    static Command CreateList(CommandHost host)
    {
        var command = new Command("ls", "List the shipped recipes.");
        command.SetAction(_ =>
        {
            var all = ShippedRecipes.List(host);
            var width = all.Select(recipe => recipe.Name.Length).DefaultIfEmpty().Max();
            foreach (var recipe in all)
            {
                host.Out.WriteLine($"{recipe.Name.PadRight(width)}  {recipe.Summary}");
            }
        });
        return command;
    }

    static Command CreateCopy(CommandHost host)
    {
        var command = new Command("cp", "Copy a shipped recipe, to change it.");
        var name = new Argument<string>("recipe") { Description = "Name of a shipped recipe." };
        var to = new Argument<string?>("to")
        {
            Description = "File to write; by default the recipe's name in the current folder.",
            Arity = ArgumentArity.ZeroOrOne,
        };
        var force = new Option<bool>("--force") { Description = "Also over a file that is there." };
        command.Arguments.Add(name);
        command.Arguments.Add(to);
        command.Options.Add(force);
        command.SetAction(parsed =>
        {
            var source = ShippedRecipes.Find(host, parsed.GetValue(name)!);
            var target = host.PathOf(parsed.GetValue(to) ?? Path.GetFileName(source));
            if (Directory.Exists(target))
            {
                target = Path.Combine(target, Path.GetFileName(source));
            }

            if (File.Exists(target) && !parsed.GetValue(force))
            {
                throw new UsageException($"{target} is there already: name another file, or overwrite it with --force");
            }

            AtomicFile.WriteText(target, File.ReadAllText(source));
            host.Out.WriteLine(target);
            return ExitCode.Ok;
        });
        return command;
    }
}
