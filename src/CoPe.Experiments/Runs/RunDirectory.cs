using CoPe.Experiments.Runs.Recipes;

namespace CoPe.Experiments.Runs;

/// <summary>Every path of a run, in one place. Only names paths; nothing is made or read here.</summary>
/// <param name="root">The run's folder.</param>
/// <param name="name">The folder as the person named it, for messages; by default <paramref name="root"/>.</param>
public sealed class RunDirectory(string root, string? name = null)
{
    /// <summary>The run's folder, absolute.</summary>
    public string Root { get; } = Path.GetFullPath(root);

    /// <summary>The run as the person named it, for messages.</summary>
    public string Name { get; } = name ?? root;

    /// <summary>The recipe as run, defaults written out.</summary>
    public string Recipe => At("recipe.yaml");

    /// <summary>What of its first machine the run keeps, so that every part of it is rounded alike.</summary>
    internal string Plan => At("plan.json");

    /// <summary>Blocks of users that are made apart, a folder each; gone once the run is put together.</summary>
    internal string Blocks => At("blocks");

    /// <summary>In a block's folder: who is at work in it.</summary>
    internal string SignOfLife => At("at-work.json");

    /// <summary>Versions, machine, hashes and times.</summary>
    public string Manifest => At("manifest.json");

    /// <summary>Held by the process at work.</summary>
    public string Lock => At(".lock");

    /// <summary>Names the process at work where the file system cannot hold <see cref="Lock"/>.</summary>
    internal string LockOwner => At(".lock-owner");

    /// <summary>Made by a person to have the command at work save everything and stop; removed by it.</summary>
    public string CheckpointNow => At("checkpoint-now");

    /// <summary>SHA-256 of input files by path, size and time of change, so that large ones are read once.</summary>
    public string FileHashes => At("stages/file-hashes.json");

    /// <summary>Adapter of the task-adaptive model, in PEFT's layout.</summary>
    public string TamAdapter => At("tam/adapter");

    /// <summary>Adapter of the task-adaptive model trained on everyone, in PEFT's layout.</summary>
    public string TamAllAdapter => At("tam-all/adapter");

    /// <summary>Descriptions of the users, a line each.</summary>
    public string Profiles => At("profiles.jsonl");

    /// <summary>The users' SFT adapters, a folder each.</summary>
    public string SftAdapters => At("sft");

    /// <summary>The users' DPO adapters, a folder each.</summary>
    public string DpoAdapters => At("dpo");

    /// <summary>Sampled candidates, a line per history item.</summary>
    public string Candidates => At("negatives/candidates.jsonl");

    /// <summary>Preference pairs, a line per history item.</summary>
    public string Pairs => At("negatives/pairs.jsonl");

    /// <summary>Results: method to metric to mean, se, n.</summary>
    public string Results => At("results.json");

    /// <summary>The same as CSV.</summary>
    public string ResultsTable => At("results.csv");

    /// <summary>Every method tested against every other.</summary>
    public string Significance => At("significance.json");

    /// <summary>The same as a table.</summary>
    public string SignificanceTable => At("significance.csv");

    /// <summary>Each user's figures.</summary>
    public string UserResultsTable => At("users.csv");

    /// <summary>Every answer: user, query, method, sample, output, gold, and a column per metric.</summary>
    public string QueryTable => At("queries.csv");

    /// <summary>The same as parquet.</summary>
    public string QueryTableParquet => At("queries.parquet");

    /// <summary>A run of the same recipe with another seed.</summary>
    public RunDirectory GetSeedRun(long seed) => new(At($"seed-{seed}"), Path.Combine(Name, $"seed-{seed}"));

    /// <summary>Results over several seeds: method to metric to mean, se, n, seed_sd.</summary>
    public string SeedResults => At("seeds.json");

    /// <summary>The same as CSV.</summary>
    public string SeedResultsTable => At("seeds.csv");

    /// <summary>The page of several seeds.</summary>
    public string SeedReport => At("seeds.html");

    /// <summary>A run of a sweep: the same recipe with another value of one key.</summary>
    public RunDirectory GetSweepRun(string key, string value)
    {
        var folder = SafeName($"{key}-{value}");
        return new(At(folder), Path.Combine(Name, folder));
    }

    /// <summary>Runs within this one: of several seeds, or of a sweep.</summary>
    public IEnumerable<RunDirectory> ChildRuns() =>
        !Directory.Exists(Root)
            ? []
            : Directory
                .EnumerateDirectories(Root)
                .Where(folder => !IsHidden(folder))
                .Order(StringComparer.Ordinal)
                .Select(folder => new RunDirectory(folder, Path.Combine(Name, Path.GetFileName(folder))))
                .Where(run => File.Exists(run.Recipe) || RunReplacement.IsPending(run));

    /// <summary>
    /// The folder of several seeds or of a sweep that this run lies in; null where it stands by itself.
    /// </summary>
    public RunDirectory? ParentRun()
    {
        var outer = new RunDirectory(
            Path.GetDirectoryName(Root) ?? Root,
            Path.GetDirectoryName(Name) is { Length: > 0 } named ? named : null
        );
        return outer.Root != Root && File.Exists(outer.Recipe) && outer.ChildRuns().Any(run => run.Root == Root)
            ? outer
            : null;
    }

    /// <summary>The recipe with the values that a sweep chose.</summary>
    public string ChosenRecipe => At("chosen.yaml");

    /// <summary>Curves of a sweep.</summary>
    public string SweepReport => At("sweep.html");

    /// <summary>Figures of a sweep: key, value, method, metric, mean, standard error, n.</summary>
    public string SweepTable => At("sweep.csv");

    /// <summary>What the parts of the method add to SFT at the values of a sweep.</summary>
    public string SweepGains => At("sweep-gains.csv");

    /// <summary>The report.</summary>
    public string Report => At("report.html");

    /// <summary>The page for the person whose texts a run was made from.</summary>
    public string PersonPage => At("mine.html");

    /// <summary>Rate and epochs that were chosen on the person's own texts, and what was tried.</summary>
    public string TrainingChoice => At("choice.json");

    /// <summary>Hashes of users whom the run must not take up again.</summary>
    public string ForgottenUsers => At("forgotten.json");

    /// <summary>
    /// Kept while a user is erased: the stages that will be whole at its end, a line each. Where it is left, the
    /// erasure was interrupted.
    /// </summary>
    public string PendingErasure => At("erasure.txt");

    /// <summary>Files of the run as a whole, which belong to no stage.</summary>
    internal IEnumerable<string> RecordFiles =>
        [Recipe, Plan, Manifest, FileHashes, ForgottenUsers, PendingErasure, .. AggregateFiles];

    /// <summary>
    /// Files over several runs (seeds, or values of a sweep), and what was chosen on a person's texts: of users, and of
    /// no stage.
    /// </summary>
    internal IEnumerable<string> AggregateFiles =>
        [SeedResults, SeedResultsTable, SeedReport, SweepReport, SweepTable, SweepGains, ChosenRecipe, TrainingChoice];

    /// <summary>
    /// What a rebuild has set aside, at the same places as here; there only while a rebuild is at work, or after one
    /// that was killed.
    /// </summary>
    internal RunDirectory Replaced => GetInner(".replaced");

    /// <summary>What a rebuild had made when it failed or was stopped, at the same places as here.</summary>
    internal RunDirectory Unfinished => GetInner(".unfinished");

    /// <summary>Data that are about to take the place of <see cref="Data"/>.</summary>
    internal string IncomingData => At(".incoming/data");

    /// <summary>The folder around <see cref="IncomingData"/>.</summary>
    internal string Incoming => At(".incoming");

    /// <summary>Every method's predictions.</summary>
    public string PredictionsFolder => At("predictions");

    /// <summary>Every stage's checkpoints.</summary>
    public string CheckpointsFolder => At("checkpoints");

    /// <summary>Data that a verb wrote into the run: the demo's, or a person's own.</summary>
    public string Data => At("data");

    /// <summary>Users who were added to the run, a file each.</summary>
    public string AddedUsers => At("users");

    /// <summary>A user who was added to the run, with history and queries.</summary>
    public string AddedUser(string user) => Path.Combine(AddedUsers, SafeName(user) + ".json");

    /// <summary>A user's SFT adapter, in PEFT's layout.</summary>
    public string SftAdapter(string user) => Path.Combine(SftAdapters, SafeName(user));

    /// <summary>A user's DPO adapter, in PEFT's layout.</summary>
    public string DpoAdapter(string user) => Path.Combine(DpoAdapters, SafeName(user));

    /// <summary>A user's adapter of a kind, in PEFT's layout.</summary>
    internal string GetUserAdapter(UserAdapterKind kind, string user) =>
        kind switch
        {
            UserAdapterKind.Sft => SftAdapter(user),
            UserAdapterKind.Dpo => DpoAdapter(user),
            _ => throw new ArgumentException("no adapters to select from", nameof(kind)),
        };

    /// <summary>A method's predictions in the benchmark's format.</summary>
    public string Predictions(string method) => At($"predictions/{method}.json");

    /// <summary>
    /// A method's predictions of one of several sampled runs, counted from 0; the first is that of
    /// <see cref="Predictions"/>.
    /// </summary>
    public string PredictionsOfSample(string method, int sample) =>
        sample == 0 ? Predictions(method) : At($"predictions/{method}-run-{sample + 1}.json");

    /// <summary>Scores of every answer, a line per user.</summary>
    public string Scores => At("evaluation/scores.jsonl");

    /// <summary>Likelihood of the users' own answers under each model, a line per query.</summary>
    public string Likelihood => At("evaluation/likelihood.jsonl");

    /// <summary>Figures of a stage, a line per step.</summary>
    public string Metrics(StageId stage) => At($"metrics/{stage.FileName}.jsonl");

    /// <summary>A stage's checkpoints; empty once the stage is complete.</summary>
    public string Checkpoints(StageId stage) => At($"checkpoints/{stage.FileName}");

    /// <summary>Says that a stage is complete, from which inputs and with which outputs.</summary>
    public string Marker(StageId stage) => At($"stages/{stage.FileName}.json");

    /// <summary>Says that a stage was begun, from which inputs.</summary>
    public string StartedMarker(StageId stage) => At($"stages/{stage.FileName}.begun.json");

    /// <summary>
    /// A user's id as a file name, one to one: itself where it is one on every system, else percent-encoded.
    /// </summary>
    public static string SafeName(string user) => IdFileName.Encode(user);

    /// <summary>The path of a file within the run, with forward slashes.</summary>
    internal string GetRelativePath(string path) => Path.GetRelativePath(Root, path).Replace('\\', '/');

    static bool IsHidden(string folder) => Path.GetFileName(folder).StartsWith('.');

    RunDirectory GetInner(string folder) => new(At(folder), Path.Combine(Name, folder));

    string At(string relative) => Path.Combine(Root, relative);
}

/// <summary>
/// Work that cannot continue, for a reason a person can act on: the message says what, where, and what to do.
/// </summary>
public sealed class RunException : Exception
{
    /// <summary>With its message.</summary>
    public RunException(string message)
        : base(MessageText.ToOneLine(message)) { }

    /// <summary>With its message and cause.</summary>
    public RunException(string message, Exception inner)
        : base(MessageText.ToOneLine(message), inner) { }

    /// <summary>Without particulars.</summary>
    public RunException() { }
}
