using System.CommandLine;
using CoPe.Adapters;
using CoPe.Cli.Failures;
using CoPe.Cli.Hosting;
using CoPe.Cli.Sessions;
using CoPe.Gguf;
using CoPe.Modeling;

namespace CoPe.Cli.Verbs;

/// <summary><c>cope model export MODEL [ADAPTER...] --gguf FILE</c>.</summary>
static class ModelExportVerb
{
    static readonly Dictionary<string, GgufType> Types = GgufExport.Types.ToDictionary(type =>
        type.Name.ToLowerInvariant()
    );

    public static Command Create(CommandHost host)
    {
        var command = new Command(
            "export",
            "Write a model with adapters merged into it, or adapters alone, as a GGUF file for Ollama, LM Studio and "
                + "llama.cpp."
        );
        var model = new Argument<string>("model") { Description = ModelSource.Description };
        var adapters = AdapterFolders.CreateArgument(ArgumentArity.ZeroOrMore);
        var gguf = new Option<string>("--gguf")
        {
            Description = "File to write.",
            HelpName = "file",
            Required = true,
        };
        var type = new Option<string>("--type")
        {
            Description =
                "Type of the matrices: f32, f16, bf16, q8_0 or q4_0 (embedding and head then q8_0); of a model alone.",
            HelpName = "type",
            DefaultValueFactory = _ => "f16",
        };
        type.AcceptOnlyFromAmong([.. Types.Keys]);
        var alone = new Option<bool>("--adapter-only")
        {
            Description = "The adapters alone, as one adapter of llama.cpp's, to be loaded beside the model.",
        };
        command.Arguments.Add(model);
        command.Arguments.Add(adapters);
        var allowStale = AllowStaleOption.Create();
        command.AddOptions(gguf, type, alone, allowStale);
        command.SetAction(parsed =>
        {
            var target = host.PathOf(parsed.GetValue(gguf)!);
            if (File.Exists(target) || Directory.Exists(target))
            {
                throw new UsageException($"--gguf names {target}, which is there already: name another file");
            }

            var folder = ModelSource.Find(host, parsed.GetValue(model)!);
            var found = AdapterFolders.Find(host, parsed.GetValue(adapters)!, parsed.GetValue(allowStale));
            if (parsed.GetValue(alone))
            {
                WriteAdapters(host, folder, found, target);
            }
            else
            {
                WriteModel(host, folder, found, target, Types[parsed.GetValue(type)!]);
            }

            host.Out.WriteLine(target);
            return ExitCode.Ok;
        });
        return command;
    }

    static void WriteModel(CommandHost host, string model, IReadOnlyList<string> adapters, string target, GgufType type)
    {
        if (adapters.Count > 0)
        {
            AdapterFolders.WarnOfMissingTam(host, adapters);
        }

        WithBanks(
            model,
            adapters,
            banks =>
            {
                foreach (var (bank, folder) in banks.Zip(adapters))
                {
                    ModelMergeVerb.RefuseAnswerOnly(bank, folder);
                }

                GgufExport.WriteModel(model, banks, target, type, Path.GetFileNameWithoutExtension(target));
            }
        );
    }

    static void WriteAdapters(CommandHost host, string model, IReadOnlyList<string> adapters, string target)
    {
        if (adapters.Count == 0)
        {
            throw new UsageException("--adapter-only needs the folder of an adapter behind the model");
        }

        WithBanks(
            model,
            adapters,
            banks =>
            {
                GgufExport.WriteAdapter(model, banks, target, Path.GetFileNameWithoutExtension(target));
                if (banks[0].Config.Active == ActivePositions.Answer)
                {
                    host.WriteMessage(
                        "the adapter acts on the answer alone, which the file says as llama.cpp's server reads it "
                            + "(adapter.alora.invocation_tokens); a program that does not know it applies the adapter "
                            + "to the prompt too"
                    );
                }
            }
        );
    }

    static void WithBanks(string model, IReadOnlyList<string> adapters, Action<IReadOnlyList<AdapterBank>> use)
    {
        var config = DecoderConfig.Read(model);
        var banks = new List<AdapterBank>();
        try
        {
            foreach (var folder in adapters)
            {
                banks.Add(AdapterFile.Read(folder, config));
                AdapterFile.CheckCopiesOfBase(folder, config, model);
                ModelMergeVerb.RefuseNonFinite(banks[^1], folder);
            }

            use(banks);
        }
        finally
        {
            banks.ForEach(bank => bank.Dispose());
        }
    }
}
