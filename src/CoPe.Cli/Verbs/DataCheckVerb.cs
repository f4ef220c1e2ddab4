using System.CommandLine;
using CoPe.Chat;
using CoPe.Cli.Display;
using CoPe.Cli.Failures;
using CoPe.Cli.Hosting;
using CoPe.Cli.Sessions;
using CoPe.Decoding;
using CoPe.Experiments.Data.Checking;
using CoPe.Experiments.Runs;
using CoPe.Experiments.Tasks;
using CoPe.Modeling;

namespace CoPe.Cli.Verbs;

/// <summary><c>cope data check</c>.</summary>
static class DataCheckVerb
{
    static readonly Argument<string[]> Paths = new("path")
    {
        Description = "A task's folder, a folder of such folders, or single files.",
        Arity = ArgumentArity.OneOrMore,
    };
    static readonly Option<string?> Task = new("--task")
    {
        Description = "Shipped task or task file; by default the folder's name.",
        HelpName = "name",
    };
    static readonly Option<string?> Model = new("--model")
    {
        Description = "A model, to count tokens as well: a folder, or org/name[@revision] on the hub.",
        HelpName = "model",
    };
    static readonly Option<string?> Fix = new("--fix")
    {
        Description = "Write a clean copy without what is wrong, and list what was left out.",
        HelpName = "folder",
    };
    static readonly Option<int> MaxWords = new("--max-words")
    {
        Description = "Words after which a field is truncated in training.",
        HelpName = "n",
        DefaultValueFactory = _ => 768,
    };
    static readonly Option<int> CutOff = new("--cut-off")
    {
        Description = "Tokens after which an example is truncated in training.",
        HelpName = "n",
        DefaultValueFactory = _ => 2048,
    };
    static readonly Option<bool> All = new("--all") { Description = "Every place of a finding, not the first three." };
    static readonly Option<bool> Json = new("--json") { Description = "Everything as JSON." };

    public static Command Create(CommandHost host)
    {
        var command = new Command(
            "check",
            "Check data for a run: format, duplicates, leaks, lengths, languages, what will be truncated. "
                + "Ends with 1 where a run would refuse the data or give misleading results."
        )
        {
            Paths,
            Task,
            Model,
            Fix,
            MaxWords,
            CutOff,
            All,
            Json,
        };
        command.SetAction(parsed =>
        {
            var model = OpenModel(host, parsed.GetValue(Model));
            var targets = CheckTarget.Find([.. parsed.GetValue(Paths)!.Select(path => host.PathOf(path))]);
            host.WriteWarnings(targets.Select(target => CheckedDatasetWriter.FindLeft(target.Folder)).OfType<string>());
            var reports = targets
                .Select(target =>
                    DataWorkDisplay.ShowWhile(host, ["check"], progress => Check(host, parsed, target, model, progress))
                )
                .ToList();
            if (parsed.GetValue(Json))
            {
                host.Out.WriteLine(CheckReportJson.Serialize(reports));
            }
            else
            {
                foreach (var (target, report) in targets.Zip(reports))
                {
                    DataCheckView.Write(host, target, report, parsed.GetValue(All) ? int.MaxValue : 3);
                }
            }

            return reports.All(report => report.Findings.Errors == 0 || report.IsFixed)
                ? ExitCode.Ok
                : ExitCode.Failure;
        });
        return command;
    }

    static CheckReport Check(
        CommandHost host,
        ParseResult parsed,
        CheckTarget target,
        CheckedModel? model,
        IProgress<StageProgress> progress
    )
    {
        var cleanCopy = parsed.GetValue(Fix) is { } folder ? host.PathOf(folder) : null;
        var definition = parsed.GetValue(Task) is { } task
            ? TaskFile.Read(InputPaths.FindTask(task, host.SearchFolders))
            : target.ReadDefinition();
        if (cleanCopy is not null)
        {
            var written = Path.GetFullPath(Path.Combine(cleanCopy, definition.Task.Name));
            if (written == Path.GetFullPath(target.Folder))
            {
                throw new UsageException(
                    $"--fix {cleanCopy} would write over the files that are checked: name another folder"
                );
            }
        }

        return DataCheck.Run(
            new()
            {
                Definition = definition,
                UsersFile = target.UsersFile,
                OthersFile = target.OthersFile,
                LabelsFile = target.LabelsFile,
                MissingFiles = target.MissingFiles,
                CleanCopyFolder = cleanCopy,
                Encoder = model?.Encoder,
                MaxWords = parsed.GetValue(MaxWords),
                CutOff = parsed.GetValue(CutOff),
                FindingsPerRule = parsed.GetValue(All) ? int.MaxValue : 1000,
                Progress = progress,
                CancellationToken = host.Cancellation,
            },
            model?.ContextLength
        );
    }

    /// <summary>The model that tokens are counted with; says where its files disagree.</summary>
    static CheckedModel? OpenModel(CommandHost host, string? name)
    {
        if (name is null)
        {
            return null;
        }

        var folder = ModelSource.Find(host, name);
        var config = DecoderConfig.Read(folder);
        var encoder = ConversationEncoder.Load(folder);
        TokenizerFit.Check(folder, encoder, config);
        ModelSource.WarnAboutConflicts(host, name, folder, encoder);
        return new(encoder, config.MaxPositions);
    }

    sealed record CheckedModel(ConversationEncoder Encoder, int ContextLength);
}
