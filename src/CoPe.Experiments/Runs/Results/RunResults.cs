using CoPe.Experiments.Evaluation;
using CoPe.Experiments.Runs.Recipes;
using CoPe.Experiments.Tasks;

namespace CoPe.Experiments.Runs.Results;

/// <summary>
/// The results of an evaluated run, or of several seeds of one recipe: the scores of every query, not the means alone,
/// so that runs can be tested against each other.
/// </summary>
public sealed record RunResults
{
    /// <summary>The run as the person named it.</summary>
    public required string Name { get; init; }

    /// <summary>The task.</summary>
    public required LampTask Task { get; init; }

    /// <summary>The scores.</summary>
    public required EvaluationReport Report { get; init; }

    /// <summary>Query to the user's own answer.</summary>
    public required IReadOnlyDictionary<string, string> Golds { get; init; }

    /// <summary>How far the seed moves the figures; null with one seed.</summary>
    public SeedAverage? Seeds { get; init; }

    /// <summary>Methods and metrics as a table, by the names that files carry.</summary>
    internal ResultsTable Table => ResultsTable.Create(Report, Seeds);

    /// <summary>
    /// Reads what <c>evaluate</c> wrote, where it is not out of date; a folder that holds runs <c>seed-N</c> is their
    /// average.
    /// </summary>
    /// <param name="run">The run's folder.</param>
    /// <param name="roots">Folders in which its recipe's task, data and model are looked up.</param>
    /// <param name="pipeline">The stages, which tell whether the results are out of date.</param>
    /// <param name="options">What is done where they are; null refuses them.</param>
    /// <exception cref="RunException">It is no run, was not evaluated, or its results are out of date.</exception>
    public static RunResults Read(
        RunDirectory run,
        IReadOnlyList<string> roots,
        Pipeline pipeline,
        RunResultsOptions? options = null
    )
    {
        ArgumentNullException.ThrowIfNull(run);
        ArgumentNullException.ThrowIfNull(roots);
        RunResults ReadCurrent(RunDirectory one) => ReadOne(one, roots, pipeline, options ?? new());
        if (File.Exists(run.Results))
        {
            return ReadCurrent(run);
        }

        var seeds = ListSeeds(run).Select(run.GetSeedRun).Where(seed => File.Exists(seed.Results)).ToList();
        if (seeds.Count == 0)
        {
            throw new RunException(
                $"{run.Name} holds no results: name the folder of a run, or finish it with 'cope run --run {run.Name}'"
            );
        }

        RequireOneRecipe(seeds);
        return AverageSeeds(run.Name, [.. seeds.Select(ReadCurrent)]);
    }

    /// <summary>Several runs of one recipe, which differ in their seed, as one.</summary>
    /// <param name="name">Name of the whole.</param>
    /// <param name="seeds">The runs.</param>
    /// <exception cref="ArgumentException">There is none, or they are not of one recipe.</exception>
    public static RunResults AverageSeeds(string name, IReadOnlyList<RunResults> seeds)
    {
        ArgumentNullException.ThrowIfNull(seeds);
        var average = SeedAverage.Compute([.. seeds.Select(seed => seed.Report)]);
        return seeds[0] with { Name = name, Report = average.Report, Seeds = average };
    }

    /// <summary>Why this run's queries cannot be paired with another's; null where they can.</summary>
    /// <param name="other">The other run.</param>
    public string? ExplainDifference(RunResults other)
    {
        ArgumentNullException.ThrowIfNull(other);
        var shared = Golds.Keys.Count(other.Golds.ContainsKey);
        if (shared < Golds.Count || shared < other.Golds.Count)
        {
            var same = shared == 0 ? "none" : $"{shared}";
            return $"{other.Name} has {other.Golds.Count} queries, {Name} has {Golds.Count}, and {same} are the same";
        }

        var changed = Golds.Count(gold => other.Golds[gold.Key] != gold.Value);
        return changed == 0 ? null : $"{changed} of the {Golds.Count} queries have other answers of the users";
    }

    /// <summary>Reads one evaluated run whose task is known.</summary>
    /// <exception cref="RunException">It was not evaluated, or not with every method of its recipe.</exception>
    internal static RunResults ReadEvaluated(RunDirectory run, Recipe recipe, LampTask task)
    {
        var table = ResultsFile.ReadJson(run.Results);
        var missing = recipe.Methods().FirstOrDefault(method => !table.Methods.Contains(method.Name));
        if (missing is not null)
        {
            throw new RunException(
                $"{run.Name} has no results of {missing.Name}: finish it with 'cope run --run {run.Name}'"
            );
        }

        var golds = new Dictionary<string, string>();
        var report = ScoresFile.ToReport(task.Name, table, ReadLines());
        return new()
        {
            Name = run.Name,
            Task = task,
            Report = report,
            Golds = golds,
        };

        IEnumerable<UserScoresLine> ReadLines()
        {
            var isEmpty = true;
            foreach (var line in ScoresFile.Enumerate(run))
            {
                isEmpty = false;
                foreach (var query in line.Queries)
                {
                    golds.Add(query.Query, query.Gold);
                }

                yield return line;
            }

            if (isEmpty)
            {
                throw new RunException(
                    $"{run.Scores} is missing or empty: write it with 'cope evaluate --again --run {run.Name}'"
                );
            }
        }
    }

    static RunResults ReadOne(
        RunDirectory run,
        IReadOnlyList<string> roots,
        Pipeline pipeline,
        RunResultsOptions options
    )
    {
        var recipe = RunRecipe.Read(run);
        var inputs = InputPaths.FindAvailable(recipe, roots, options.FindModel);
        using var workspace = new RunWorkspace(recipe, run, inputs);
        var check = new OutputCheck(pipeline, new() { Workspace = workspace });
        // Results that were copied without the rest of their run cannot be judged, and are what they are.
        if (check.FindProblem(StageId.Evaluate) is { IsStale: true } problem)
        {
            options.OnStale(problem.Accept(options.AllowStale));
        }

        var task = TaskFile.Read(InputPaths.FindTask(recipe.Task, roots)).Task;
        return ReadEvaluated(run, recipe, task);
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
                    $"{seed.Name} is of another recipe than {seeds[0].Name} ({string.Join("; ", differing)}): "
                        + "run the seeds again with one recipe, or delete the folder"
                );
            }
        }
    }

    static Dictionary<string, string> ReadRecipeValues(RunDirectory run) =>
        RunRecipe.Read(run).Values().Where(value => value.Key is not "seed").ToDictionary();

    static IEnumerable<long> ListSeeds(RunDirectory run)
    {
        if (!Directory.Exists(run.Root))
        {
            return [];
        }

        const string Prefix = "seed-";
        return Directory
            .EnumerateDirectories(run.Root, Prefix + "*")
            .Select(folder => long.TryParse(Path.GetFileName(folder)[Prefix.Length..], out var seed) ? seed : -1)
            .Where(seed => seed >= 0)
            .Order();
    }
}

/// <summary>How results are read that may be out of date.</summary>
public sealed record RunResultsOptions
{
    /// <summary>Results that are out of date are read all the same.</summary>
    public bool AllowStale { get; init; }

    /// <summary>Told of results that are out of date and read all the same.</summary>
    public Action<string> OnStale { get; init; } = _ => { };

    /// <summary>
    /// Finds the folder of a recipe's model; null takes it for a path. A model that is not found counts as unchanged.
    /// </summary>
    public Func<string, string>? FindModel { get; init; }
}
