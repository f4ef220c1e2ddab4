using System.CommandLine;
using System.Text;
using CoPe.Cli;
using CoPe.Cli.Hosting;
using CoPe.Cli.Hub;
using CoPe.Cli.Sessions;
using CoPe.Cli.Terminal;
using CoPe.Cli.Verbs;
using CoPe.Fuzz.Mutations;

namespace CoPe.Fuzz.Readers;

/// <summary>What people type.</summary>
static class CommandReaders
{
    /// <summary>Letters of a text that is laid out: Spectre.Console takes long ones apart slowly.</summary>
    const int MaxMarkup = 500;

    public static IEnumerable<FuzzedReader> All =>
        [
            new()
            {
                Name = "command-line",
                Format = InputFormat.Text,
                Covers = [],
                Seeds = _ =>
                    Bytes.OfAll(
                        "run recipe.yaml --run x --set sft.epochs=3",
                        "data import texts.csv --author name --output text",
                        "user forget runs/x 1 --data",
                        "model info org/name@main",
                        "sweep recipe.yaml --over decode.contrast=0.1,0.2"
                    ),
                Open = scratch =>
                {
                    var root = CommandLine.CreateRootCommand(CreateHost(scratch.Folder));
                    return input => Parse(root, Encoding.UTF8.GetString(input));
                },
                Words =
                [
                    "--help",
                    "-h",
                    "--",
                    "--set=",
                    "help",
                    "--run",
                    "''",
                    "--no-such",
                    "negatives",
                    "@file",
                    "--verbose",
                ],
                Share = 1,
            },
            new()
            {
                Name = "chat-line",
                Format = InputFormat.Text,
                Covers = ["ChatCommands.Parse"],
                Seeds = _ => Bytes.OfAll("/contrast 0.3", "/seed 7", "/base on", "/why", "/user ann"),
                Open = _ => ReadChatLine,
                Words = [.. ChatCommands.All.Select(command => $"/{command.Name} ")],
            },
            FuzzedReader.OfText(
                "metric-name",
                "CompareVerb.FindMetric",
                text => CompareVerb.FindMetric(text),
                "rouge-1",
                "meteor"
            ),
            FuzzedReader.OfText(
                "hub-name",
                "HubName.Parse",
                text => HubName.Parse(text),
                "org/name",
                "org/name@v1.0",
                "models/cope-tiny"
            ),
            new()
            {
                Name = "terminal-text",
                Format = InputFormat.Text,
                Covers = [],
                Seeds = _ => Bytes.OfAll("a \u001b[2Jb\u009b1m [bold]c[/] \u202E", "plain"),
                Open = _ => ReadTerminalText,
            },
        ];

    /// <summary>A command without a terminal, network, or any place but a folder.</summary>
    public static CommandHost CreateHost(string folder) =>
        new()
        {
            Out = TextWriter.Null,
            Error = TextWriter.Null,
            SearchFolders = [folder, AppContext.BaseDirectory],
        };

    static void Parse(Command root, string line)
    {
        var parsed = CommandLine.Parse(root, line.Split(' '));
        if (parsed.NamesUnknownVerb() || parsed.Errors.Count > 0)
        {
            throw new Cli.Failures.UsageException(
                Failure.Describe(new Cli.Failures.UsageException(parsed.DescribeError()))
            );
        }
    }

    static void ReadChatLine(byte[] input)
    {
        var line = Encoding.UTF8.GetString(input);
        if (!line.StartsWith('/'))
        {
            return; // A line for the model.
        }

        var (command, value) = ChatCommands.Parse(line);
        ChatCommands.Change(new(), command, value, tokensLimit: 100);
    }

    static void ReadTerminalText(byte[] input)
    {
        var text = TerminalText.RemoveControls(Encoding.UTF8.GetString(input));
        if (text.Any(letter => char.IsControl(letter) && letter is not ('\n' or '\t' or '\r')))
        {
            throw new InvalidOperationException("control characters are left");
        }

        if (text.Length < MaxMarkup)
        {
            _ = new Spectre.Console.Markup(TerminalText.ToMarkup(text));
        }
    }
}
