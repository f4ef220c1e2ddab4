using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using CoPe.Cli.Hosting;
using CoPe.Experiments.Runs.Blocks;

namespace CoPe.Cli.Display;

/// <summary>The blocks of a run as lines or as JSON.</summary>
static class BlocksView
{
    static readonly JsonSerializerOptions JsonLayout = new()
    {
        WriteIndented = true,
        NewLine = "\n",
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <summary>Each block.</summary>
    public static void Write(CommandHost host, IReadOnlyList<BlockStatus> blocks, bool isJson)
    {
        if (isJson)
        {
            var lines = blocks.Select(block => new
            {
                block.Block,
                State = Describe(block.State),
                block.Sign?.Host,
                block.Sign?.Process,
                block.Sign?.Job,
                block.Sign?.Stage,
                block.Sign?.Started,
                SecondsSinceSign = block.Sign is null ? (double?)null : Math.Round(block.Age.TotalSeconds),
            });
            host.Out.WriteLine(JsonSerializer.Serialize(lines, JsonLayout));
            return;
        }

        foreach (var block in blocks)
        {
            host.Out.WriteLine($"block {block.Block,-12} {Describe(block.State)}{DescribeSign(block)}");
        }
    }

    /// <summary>How many blocks stand where, and who is at work.</summary>
    public static void WriteSummary(CommandHost host, IReadOnlyList<BlockStatus> blocks)
    {
        foreach (var state in blocks.GroupBy(block => block.State).OrderByDescending(state => state.Key))
        {
            var numbers = ArrayExpression.Format(state.Select(block => block.Block));
            host.Out.WriteLine($"{"blocks",-18} {state.Count()} of {blocks.Count} {Describe(state.Key)}: {numbers}");
        }

        Write(host, [.. blocks.Where(block => block.Sign is not null)], isJson: false);
    }

    static string Describe(BlockState state) => state.ToString().ToLowerInvariant();

    static string DescribeSign(BlockStatus block)
    {
        if (block.Sign is not { } sign)
        {
            return "";
        }

        var job = sign.Job is null ? "" : $", job {sign.Job}";
        var stage = sign.Stage is null ? "" : $", {sign.Stage}";
        var since = sign.Started.ToString("yyyy-MM-dd HH:mm:ss'Z'", CultureInfo.InvariantCulture);
        var age = Math.Max(0, block.Age.TotalSeconds).ToString("F0", CultureInfo.InvariantCulture);
        return $": {sign.Host} process {sign.Process}{job}{stage}, since {since}, last sign of life {age} s ago";
    }
}
