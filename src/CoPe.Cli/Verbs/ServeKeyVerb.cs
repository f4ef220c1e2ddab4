using System.CommandLine;
using CoPe.Cli.Failures;
using CoPe.Cli.Hosting;
using CoPe.Server;

namespace CoPe.Cli.Verbs;

/// <summary><c>cope serve key add|ls|revoke</c>: who may ask which personal models.</summary>
static class ServeKeyVerb
{
    public static readonly Option<string?> KeysOption = new("--keys")
    {
        Description =
            "File of the keys, which holds their hashes alone; by default cope/keys.json among your settings.",
        HelpName = "file",
        Recursive = true,
    };

    static readonly Option<string[]> ModelsOption = new("--user")
    {
        Description = "A personal model that the key may ask, mostly a user; may be given several times.",
        HelpName = "name",
        DefaultValueFactory = _ => [],
    };

    static readonly Option<bool> AllOption = new("--all") { Description = "The key may ask every model." };

    static readonly Argument<string> IdArgument = new("id") { Description = "Id of the key, as 'ls' shows it." };

    public static Command Create(CommandHost host)
    {
        var add = new Command("add", "Make a key; it is shown once.") { ModelsOption, AllOption };
        add.SetAction(parsed => Add(host, parsed));
        var list = new Command("ls", "List the keys.");
        list.SetAction(parsed => List(host, parsed));
        var revoke = new Command("revoke", "Take a key away; a server that runs refuses it from then on.")
        {
            IdArgument,
        };
        revoke.SetAction(parsed => Revoke(host, parsed));
        return new Command("key", "Keys for clients: each may ask the models that it is bound to.")
        {
            add,
            list,
            revoke,
        };
    }

    /// <summary>The file of the keys.</summary>
    public static string FindFile(CommandHost host, ParseResult parsed) =>
        parsed.GetValue(KeysOption) is { } file
            ? host.PathOf(file)
            : Path.Combine(
                Environment.GetFolderPath(
                    Environment.SpecialFolder.ApplicationData,
                    Environment.SpecialFolderOption.DoNotVerify
                ),
                "cope",
                "keys.json"
            );

    static ApiKeyStore Open(CommandHost host, ParseResult parsed) => new(FindFile(host, parsed), host.Time);

    static int Add(CommandHost host, ParseResult parsed)
    {
        var models = parsed.GetValue(ModelsOption)!;
        if (models.Length > 0 == parsed.GetValue(AllOption))
        {
            throw new UsageException("say what the key may ask: --user NAME, as often as need be, or --all");
        }

        var (key, secret) = Open(host, parsed).Add(models.Length > 0 ? models : null);
        host.Out.WriteLine(secret);
        host.WriteMessage($"key {key.Id}: keep it, it is not shown again");
        return ExitCode.Ok;
    }

    static int List(CommandHost host, ParseResult parsed)
    {
        foreach (var key in Open(host, parsed).Read())
        {
            var models = key.Models is null ? "all" : string.Join(", ", key.Models);
            host.Out.WriteLine($"{key.Id}  {key.Created:yyyy-MM-dd}  {models}");
        }

        return ExitCode.Ok;
    }

    static int Revoke(CommandHost host, ParseResult parsed)
    {
        var id = parsed.GetValue(IdArgument)!;
        return Open(host, parsed).Revoke(id)
            ? ExitCode.Ok
            : throw new UsageException($"there is no key {id}; 'cope serve key ls' lists them");
    }
}
