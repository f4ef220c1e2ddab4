using System.CommandLine;
using CoPe.Adapters;
using CoPe.Cli.Hub;
using CoPe.Modeling;

namespace CoPe.Cli.Verbs;

/// <summary><c>cope model merge MODEL ADAPTER... --output FOLDER</c>.</summary>
static class ModelMergeVerb
{
    public static Command Create(CommandHost host)
    {
        var command = new Command("merge", "Write a model with adapters merged into its weights, as a folder that Hugging Face tools load.");
        var model = new Argument<string>("model") { Description = ModelSource.Description };
        var adapters = new Argument<string[]>("adapters") { Description = "Folders of adapters in PEFT's layout, lowest first: for a user of a run RUN/tam/adapter, then RUN/dpo/USER.", Arity = ArgumentArity.OneOrMore };
        var output = new Option<string>("--output") { Description = "Folder to write.", HelpName = "folder", Required = true };
        var shard = new Option<double>("--max-shard-gb") { Description = "Largest weights file in GB; what is larger is written as shards with an index.", HelpName = "n", DefaultValueFactory = _ => MergedModelFolder.DefaultShardBytes / 1e9 };
        command.Arguments.Add(model);
        command.Arguments.Add(adapters);
        command.Options.Add(output);
        command.Options.Add(shard);
        command.SetAction(parsed =>
        {
            var gigabytes = parsed.GetValue(shard);
            if (!(gigabytes > 0 && gigabytes <= 1e6)) throw new UsageException($"--max-shard-gb is {gigabytes}; expected a number greater than 0");
            var target = Path.Combine(host.Roots[0], parsed.GetValue(output)!);
            Merge(host, ModelSource.Find(host, parsed.GetValue(model)!), parsed.GetValue(adapters)!, target, (long)(gigabytes * 1e9));
            host.Out.WriteLine(target);
            return ExitCode.Ok;
        });
        return command;
    }

    static void Merge(CommandHost host, string model, IEnumerable<string> adapters, string target, long maxShardBytes)
    {
        var config = DecoderConfig.Read(model);
        var banks = new List<AdapterBank>();
        try
        {
            foreach (var folder in adapters) banks.Add(AdapterFile.Read(Path.Combine(host.Roots[0], folder), config));
            MergedModelFolder.Write(model, banks, target, maxShardBytes);
        }
        finally
        {
            foreach (var bank in banks) bank.Dispose();
        }
    }
}
