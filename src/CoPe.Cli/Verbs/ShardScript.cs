using System.Globalization;
using System.Reflection;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace CoPe.Cli.Verbs;

/// <summary>
/// What a scheduler is given to make a run in blocks: the scripts of <c>deploy/</c> with the run's own values. cope
/// itself schedules nothing.
/// </summary>
sealed record ShardScript
{
    static readonly JsonSerializerOptions Plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>The folder in which paths are looked up.</summary>
    public required string Folder { get; init; }

    /// <summary>The program.</summary>
    public required string Program { get; init; }

    /// <summary>The run's folder.</summary>
    public required string Run { get; init; }

    /// <summary>What <c>cope shards prepare</c> is given: the recipe and its settings.</summary>
    public required IReadOnlyList<string> Prepare { get; init; }

    /// <summary>How many shards.</summary>
    public required int Shards { get; init; }

    /// <summary>The script for an engine: <c>slurm</c> or <c>kubernetes</c>.</summary>
    public string Create(string engine) => engine == "slurm" ? CreateSlurm() : CreateKubernetes();

    string CreateSlurm() =>
        Fill(
            Read("slurm"),
            ("folder=", Quote(Folder)),
            ("cope=", Quote(Program)),
            ("run=", Quote(Run)),
            ("prepare=", $"({string.Join(' ', Prepare.Select(Quote))})"),
            ("shards=", Format(Shards))
        );

    string CreateKubernetes() =>
        Fill(
            Read("kubernetes"),
            ("          args: [shards, ", $"prepare, {List([.. Prepare, "--run", Run, "--quiet"])}]"),
            ("          args: [run, ", $"{List(["--run", Run, "--shard", "--quiet"])}]"),
            ("          args: [finish, ", $"{List([Run, "--quiet"])}]"),
            ("  completions: ", Format(Shards)),
            ("  parallelism: ", Format(Shards)),
            ("  maxFailedIndexes: ", Format(Shards)),
            ("          env: [{ name: JOB_COMPLETIONS, value: ", $"\"{Format(Shards)}\" }}]")
        );

    /// <summary>A text whose lines that begin so have other values; a comment behind the value stays.</summary>
    static string Fill(string text, params (string Begin, string Value)[] values)
    {
        foreach (var (begin, value) in values)
        {
            var line = new Regex($"^({Regex.Escape(begin)}).*?( +#.*)?$", RegexOptions.Multiline);
            text = line.Replace(text, match => begin + value + match.Groups[2].Value, count: 1);
        }

        return text;
    }

    static string List(IEnumerable<string> items) =>
        string.Join(", ", items.Select(item => JsonSerializer.Serialize(item, Plain)));

    /// <summary>One word of bash, whatever is in it.</summary>
    static string Quote(string text) =>
        text.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '-' or '_' or '.' or '/' or '=' or ',')
            ? text
            : $"'{text.Replace("'", @"'\''", StringComparison.Ordinal)}'";

    static string Format(int number) => number.ToString(CultureInfo.InvariantCulture);

    static string Read(string engine)
    {
        using var stream = Assembly.GetExecutingAssembly().GetManifestResourceStream(engine)!;
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }
}
