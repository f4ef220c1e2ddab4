using CoPe.Experiments.Evaluation;
using CoPe.Experiments.Runs.Recipes;
using CoPe.Experiments.Runs.Stages;
using CoPe.Experiments.Tasks;

namespace CoPe.Experiments.Runs.Results;

/// <summary>
/// What a finished run, or several seeds of one recipe, came to: every query's values, not the means alone, so that
/// runs can be tested against each other.
/// </summary>
public sealed record RunResults
{
    /// <summary>The run as the person named it.</summary>
    public required string Name { get; init; }

    /// <summary>The task.</summary>
    public required LampTask Task { get; init; }

    /// <summary>The figures.</summary>
    public required EvaluationReport Report { get; init; }

    /// <summary>Query to the user's own answer.</summary>
    public required IReadOnlyDictionary<string, string> Golds { get; init; }

    /// <summary>How far the seed moves the figures; null with one seed.</summary>
    public SeedAverage? Seeds { get; init; }

    /// <summary>Reads a run from its predictions; a folder that holds runs <c>seed-N</c> is their average.</summary>
    /// <param name="run">The run's folder.</param>
    /// <param name="roots">Folders in which its recipe's relative paths are looked up.</param>
    /// <param name="cancellation">Stops between two queries.</param>
    /// <exception cref="RunException">It is no run, or was not evaluated.</exception>
    public static RunResults Read(
        RunDirectory run,
        IReadOnlyList<string> roots,
        CancellationToken cancellation = default
    )
    {
        ArgumentNullException.ThrowIfNull(run);
        if (File.Exists(run.Results))
        {
            return ReadOne(run, roots, cancellation);
        }

        var seeds = ListSeeds(run).Select(run.GetSeedRun).Where(seed => File.Exists(seed.Results)).ToList();
        if (seeds.Count == 0)
        {
            throw new RunException(
                $"{run.Name} holds no results: name the folder of a run, or finish it with 'cope run --run {run.Name}'"
            );
        }

        RequireOneRecipe(seeds);
        return AverageSeeds(run.Name, [.. seeds.Select(seed => ReadOne(seed, roots, cancellation))]);
    }

    /// <summary>Seeds that were left from another recipe are not averaged with the others.</summary>
    static void RequireOneRecipe(List<RunDirectory> seeds)
    {
        var first = ReadRecipeValues(seeds[0]);
        foreach (var seed in seeds.Skip(1))
        {
            var differing = ReadRecipeValues(seed)
                .Where(value => first.GetValueOrDefault(value.Key) != value.Value)
                .Select(value => $"{value.Key} is {value.Value}, not {first.GetValueOrDefault(value.Key)}")
                .ToList();
            if (differing.Count > 0)
            {
                throw new RunException(
                    $"{seed.Name} is of another recipe than {seeds[0].Name} ({string.Join("; ", differing)}): run the seeds again with one recipe, or delete the folder"
                );
            }
        }
    }

    static Dictionary<string, string> ReadRecipeValues(RunDirectory run) =>
        Recipe.Read(run.Recipe).Values().Where(value => value.Key is not "seed").ToDictionary();

    /// <summary>Several runs of one recipe, which differ in their seed, as one.</summary>
    /// <exception cref="ArgumentException">There is none, or they are not of one recipe.</exception>
    public static RunResults AverageSeeds(string name, IReadOnlyList<RunResults> seeds)
    {
        ArgumentNullException.ThrowIfNull(seeds);
        var average = SeedAverage.Compute([.. seeds.Select(seed => seed.Report)]);
        return seeds[0] with { Name = name, Report = average.Report, Seeds = average };
    }

    /// <summary>Why this run's queries cannot be paired with another's; null where they can.</summary>
    public string? ExplainDifference(RunResults other)
    {
        ArgumentNullException.ThrowIfNull(other);
        var shared = Golds.Keys.Count(other.Golds.ContainsKey);
        if (shared < Golds.Count || shared < other.Golds.Count)
        {
            return $"{other.Name} has {other.Golds.Count} queries, {Name} has {Golds.Count}, and {(shared == 0 ? "none" : $"{shared}")} are the same";
        }

        var changed = Golds.Count(gold => other.Golds[gold.Key] != gold.Value);
        return changed == 0 ? null : $"{changed} of the {Golds.Count} queries have other answers of the users";
    }

    static RunResults ReadOne(RunDirectory run, IReadOnlyList<string> roots, CancellationToken cancellation)
    {
        var recipe = Recipe.Read(run.Recipe);
        using var shared = new SharedResources();
        var context = new StageContext
        {
            Recipe = recipe,
            Run = run,
            Inputs = InputPaths.Find(recipe, roots, model => model),
            Shared = shared,
            Cancellation = cancellation,
        }; // figures need no model
        var missing = recipe.Methods().FirstOrDefault(method => !File.Exists(run.Predictions(method.Name)));
        if (missing is not null)
        {
            throw new RunException(
                $"{run.Name} has no predictions of {missing.Name}: finish it with 'cope run --run {run.Name}'"
            );
        }

        var workspace = new RunWorkspace(context);
        return new()
        {
            Name = run.Name,
            Task = workspace.Task,
            Report = RunScores.AddLikelihood(
                RunScores.Read(context, workspace),
                JsonLines.Read<QueryLikelihood>(run.Likelihood)
            ),
            Golds = GoldAnswer.FromDataset(workspace.Dataset).ToDictionary(gold => gold.Id, gold => gold.Text),
        };
    }

    static IEnumerable<long> ListSeeds(RunDirectory run) =>
        !Directory.Exists(run.Root)
            ? []
            : Directory
                .EnumerateDirectories(run.Root, "seed-*")
                .Select(folder => long.TryParse(Path.GetFileName(folder)[5..], out var seed) ? seed : -1)
                .Where(seed => seed >= 0)
                .Order();
}
