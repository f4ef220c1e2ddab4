using System.CommandLine;
using System.Globalization;
using CoPe.Adapters;
using CoPe.Chat;
using CoPe.Cli.Display;
using CoPe.Cli.Failures;
using CoPe.Cli.Hosting;
using CoPe.Cli.Hub;
using CoPe.Cli.Sessions;
using CoPe.Decoding;
using CoPe.Modeling;
using CoPe.Tokens.Pipeline;
using static TorchSharp.torch;

namespace CoPe.Cli.Verbs;

/// <summary><c>cope model pull|info|merge|quantize|export</c>.</summary>
static class ModelVerb
{
    public static Command Create(CommandHost host) =>
        new(
            "model",
            "Download models, show their sizes, merge adapters into them, round them to fewer bits, write GGUF files."
        )
        {
            ModelPullVerb.Create(host),
            ModelInfoVerb.Create(host),
            ModelMergeVerb.Create(host),
            ModelQuantizeVerb.Create(host),
            ModelExportVerb.Create(host),
        };
}

/// <summary><c>cope model pull org/name</c>.</summary>
static class ModelPullVerb
{
    public static Command Create(CommandHost host)
    {
        var command = new Command(
            "pull",
            "Download a model from the hub into the cache that Hugging Face's tools share, and print its folder."
        );
        var model = new Argument<string>("model")
        {
            Description = "org/name, or org/name@revision with a branch, a tag or a commit.",
        };
        var quiet = new Option<bool>("--quiet") { Description = "No progress, only warnings and the folder." };
        command.Arguments.Add(model);
        command.AddOptions(quiet);
        command.SetAction(parsed =>
        {
            var text = parsed.GetValue(model)!;
            if (HubName.Parse(text) is not { } name)
            {
                throw new UsageException(
                    $"'{text}' is no name of a model on the hub; "
                        + "expected org/name or org/name@revision, for example Qwen/Qwen2.5-1.5B-Instruct"
                );
            }

            host.Out.WriteLine(ModelSource.Pull(host, name, parsed.GetValue(quiet)));
            return ExitCode.Ok;
        });
        return command;
    }
}

/// <summary><c>cope model info MODEL</c>.</summary>
static class ModelInfoVerb
{
    public static Command Create(CommandHost host)
    {
        var defaults = new MemoryEstimate();
        var command = new Command(
            "info",
            "Show a model's architecture and size, and the memory that each stage needs; no weight is read."
        );
        var model = new Argument<string>("model") { Description = ModelSource.Description };
        var batch = CreateNumberOption(
            "--batch",
            "Examples of a training step, or answers written at once.",
            defaults.Batch
        );
        var length = CreateNumberOption(
            "--length",
            "Tokens of prompt and answer together; by default as many as the model allows, at most 2048.",
            null
        );
        var answer = CreateNumberOption("--answer", "Tokens of an answer.", defaults.AnswerLength);
        var users = CreateNumberOption("--users", "Users trained in one pass.", defaults.Users);
        var rank = CreateNumberOption(
            "--rank",
            "Rank of all adapters; by default the recipes': 16 for the task's, 8 for a user's.",
            null
        );
        var json = new Option<bool>("--json") { Description = "JSON instead of tables." };
        command.Arguments.Add(model);
        command.AddOptions(batch, length, answer, users, rank, json);

        command.SetAction(parsed =>
        {
            var folder = ModelSource.Find(host, parsed.GetValue(model)!);
            var info = ModelInfo.Read(folder);
            var estimate = new MemoryEstimate
            {
                Batch = parsed.GetValue(batch) ?? defaults.Batch,
                Length = parsed.GetValue(length) ?? Math.Min(2048, info.Config.MaxPositions),
                AnswerLength = parsed.GetValue(answer) ?? defaults.AnswerLength,
                Users = parsed.GetValue(users) ?? defaults.Users,
                Rank = parsed.GetValue(rank),
            };
            if (estimate.Length > info.Config.MaxPositions)
            {
                throw new UsageException(
                    $"--length is {estimate.Length}, but the model's context is {info.Config.MaxPositions}"
                );
            }

            if (2L * estimate.Batch * estimate.Users * estimate.Length > int.MaxValue)
            {
                throw new UsageException(
                    "--batch, --users and --length together are more than 2^30 tokens: name smaller ones"
                );
            }

            var conflicts = FindConflicts(host, folder);
            ModelInfoView.Write(host, folder, new(info, estimate, conflicts), parsed.GetValue(json));
            return ExitCode.Ok;
        });
        return command;
    }

    /// <summary>Where the model's files disagree; without a tokenizer that can be read, the others alone.</summary>
    static IReadOnlyList<string> FindConflicts(CommandHost host, string folder)
    {
        try
        {
            return ModelFileConflicts.Find(folder, ConversationEncoder.Load(folder));
        }
        catch (Exception error) when (error is TokenizerException or ChatTemplateException)
        {
            host.WriteMessage($"the tokenizer is not compared with the model: {error.Message}");
            return ModelFileConflicts.Find(folder, encoder: null);
        }
    }

    static Option<int?> CreateNumberOption(string name, string description, int? value)
    {
        var option = new Option<int?>(name) { Description = description, HelpName = "n" };
        if (value is not null)
        {
            option.DefaultValueFactory = _ => value;
        }

        option.Validators.Add(result =>
        {
            const int Max = 1 << 20;
            if (result.Tokens is [var token] && int.TryParse(token.Value, out var number) && number is < 1 or > Max)
            {
                result.AddError($"{name} is {number}, expected 1 to {Max}");
            }
        });
        return option;
    }
}

/// <summary><c>cope model merge MODEL ADAPTER... --output FOLDER</c>.</summary>
static class ModelMergeVerb
{
    public static Command Create(CommandHost host)
    {
        var command = new Command(
            "merge",
            "Write a model with adapters merged into its weights, as a folder that Hugging Face tools load."
        );
        var model = new Argument<string>("model") { Description = ModelSource.Description };
        var adapters = AdapterFolders.CreateArgument(ArgumentArity.OneOrMore);
        var output = new Option<string>("--output")
        {
            Description = "Folder to write.",
            HelpName = "folder",
            Required = true,
        };
        var shard = new Option<double>("--max-shard-gb")
        {
            Description = "Largest weights file in GB; what is larger is written as shards with an index.",
            HelpName = "n",
            DefaultValueFactory = _ => AdapterMerge.DefaultShardBytes / 1e9,
        };
        command.Arguments.Add(model);
        command.Arguments.Add(adapters);
        var dtype = CreateDtypeOption();
        var allowStale = AllowStaleOption.Create();
        command.AddOptions(output, shard, dtype, allowStale);
        command.SetAction(parsed =>
        {
            var gigabytes = parsed.GetValue(shard);
            if (!(gigabytes > 0 && gigabytes <= 1e6))
            {
                throw new UsageException($"--max-shard-gb is {gigabytes}; expected a number greater than 0");
            }

            var target = host.PathOf(parsed.GetValue(output)!);
            Merge(
                host,
                ModelSource.Find(host, parsed.GetValue(model)!),
                AdapterFolders.Find(host, parsed.GetValue(adapters)!, parsed.GetValue(allowStale)),
                target,
                (long)(gigabytes * 1e9),
                ParseDtype(parsed.GetValue(dtype))
            );
            host.Out.WriteLine(target);
            return ExitCode.Ok;
        });
        return command;
    }

    static Option<string?> CreateDtypeOption()
    {
        var option = new Option<string?>("--dtype")
        {
            Description = "Number type of the weights: fp32 or bf16; by default the model's own.",
            HelpName = "type",
        };
        option.Validators.Add(result =>
        {
            if (result.Tokens is [var token] && token.Value is not ("fp32" or "bf16"))
            {
                result.AddError($"--dtype is '{token.Value}'; it must be fp32 or bf16");
            }
        });
        return option;
    }

    static ScalarType? ParseDtype(string? name) =>
        name switch
        {
            "fp32" => ScalarType.Float32,
            "bf16" => ScalarType.BFloat16,
            _ => null,
        };

    internal static void RefuseAnswerOnly(AdapterBank bank, string folder)
    {
        if (bank.Config.Active == ActivePositions.Answer)
        {
            throw new ModelFileException(
                folder,
                "acts on the answer alone (alora_invocation_tokens) and cannot be merged, in PEFT neither: merged "
                    + "weights act on the prompt too; load it beside the model."
            );
        }
    }

    internal static void RefuseNonFinite(AdapterBank bank, string folder)
    {
        if (bank.FindNonFinite() is { } layer)
        {
            throw new ModelFileException(folder, layer, "has weights that are NaN or infinite: its training diverged.");
        }
    }

    /// <summary>Says so where most of what the adapters change is too small for the numbers that are written.</summary>
    static void WarnOfRounding(CommandHost host, MergeReport report)
    {
        if (report.LostShare <= 0.5)
        {
            return;
        }

        var share = (100 * report.LostShare).ToString("0.0", CultureInfo.InvariantCulture);
        host.WriteMessage(
            $"warning: rounding leaves {share} % of the weights that the adapters change as they were: "
                + "the merged model has little of them; keep it all with --dtype fp32, or load the adapters beside "
                + "the model"
        );
    }

    static void Merge(
        CommandHost host,
        string model,
        IReadOnlyList<string> adapters,
        string target,
        long maxShardBytes,
        ScalarType? dtype
    )
    {
        AdapterFolders.WarnOfMissingTam(host, adapters);
        var config = DecoderConfig.Read(model);
        var banks = new List<AdapterBank>();
        try
        {
            foreach (var folder in adapters)
            {
                banks.Add(AdapterFile.Read(folder, config));
                AdapterFile.CheckCopiesOfBase(folder, config, model);
                RefuseAnswerOnly(banks[^1], folder);
                RefuseNonFinite(banks[^1], folder);
            }

            WarnOfRounding(host, AdapterMerge.WriteModelFolder(model, banks, target, maxShardBytes, dtype));
        }
        finally
        {
            foreach (var bank in banks)
            {
                bank.Dispose();
            }
        }
    }
}
