using System.CommandLine;
using System.Globalization;
using CoPe.Cli.Hosting;
using CoPe.Cli.Sessions;
using CoPe.Modeling;

namespace CoPe.Cli.Verbs;

/// <summary><c>cope model quantize MODEL --to q4|int8 --output FOLDER</c>.</summary>
static class ModelQuantizeVerb
{
    public static Command Create(CommandHost host)
    {
        var command = new Command(
            "quantize",
            "Write a model with its linear layers rounded to 4 or 8 bits, which is lossy, as a folder that loads "
                + "like any other; --decode-dtype does the same at every start."
        );
        var model = new Argument<string>("model") { Description = ModelSource.Description };
        var to = new Option<string>("--to")
        {
            Description = "q4 (5 bits a weight with its scales) or int8; the head is int8 in both.",
            HelpName = "type",
            Required = true,
        };
        to.AcceptOnlyFromAmong("q4", "int8");
        var output = new Option<string>("--output")
        {
            Description = "Folder to write.",
            HelpName = "folder",
            Required = true,
        };
        command.Arguments.Add(model);
        command.AddOptions(to, output);
        command.SetAction(parsed =>
        {
            var folder = ModelSource.Find(host, parsed.GetValue(model)!);
            var target = host.PathOf(parsed.GetValue(output)!);
            var dtype = parsed.GetValue(to) == "q4" ? QuantizedDtype.Q4 : QuantizedDtype.Int8;
            ModelFolder.WriteQuantized(folder, target, dtype);
            var (before, after) = (ModelInfo.Read(folder).WeightFileBytes, ModelInfo.Read(target).WeightFileBytes);
            var sizes = string.Create(CultureInfo.InvariantCulture, $"{before / 1e6:0.0} MB -> {after / 1e6:0.0} MB");
            host.WriteMessage(
                $"weights {sizes}; lossy: answers and scores differ from those of bf16 "
                    + "(docs/performance.md has measured it)"
            );
            host.Out.WriteLine(target);
            return ExitCode.Ok;
        });
        return command;
    }
}
