using CoPe.Cli.Display;
using CoPe.Evaluation;
using CoPe.Runs;
using CoPe.Runs.Recipes;
using CoPe.Runs.Results;

namespace CoPe.Cli;

/// <summary>Tries values of a recipe's keys on the development split, one key after another, each with the values chosen before. Runs share the stages that a value does not touch.</summary>
/// <param name="host">What the command works with.</param>
/// <param name="request">Recipe and folder.</param>
/// <param name="plan">What is tried and what decides.</param>
sealed class Sweep(CommandHost host, RunRequest request, SweepPlan plan)
{
    readonly List<string> chosen = [];

    /// <summary>Does the runs, writes curves, table and the recipe with the chosen values.</summary>
    public (IReadOnlyList<SweepCurve> Curves, RunDirectory Run) Work()
    {
        var (file, run) = request.Locate(host);
        var recipe = Recipe.Read(file, request.Overrides);
        var method = plan.Method ?? recipe.Methods().Last().Name;
        if (!recipe.Predict.Contains(PredictionMethod.Of(method).Name)) throw new UsageException($"the recipe does not predict '{method}': add it with --set predict={string.Join(',', recipe.Predict)},{method}");
        foreach (var axis in plan.Axes)
            foreach (var value in axis.Values) Recipe.Read(file, [.. request.Overrides, axis.Override(value)]); // all of them are usable before the first is run
        var curves = plan.Axes.Select(axis => Curve(file, run, recipe, axis, method)).ToList();
        Write(file, run, curves);
        return (curves, run);
    }

    SweepCurve Curve(string file, RunDirectory run, Recipe recipe, SweepAxis axis, string method)
    {
        var task = TaskOf(recipe);
        var points = axis.Values.Select((value, index) =>
        {
            if (!request.IsQuiet) host.Error.WriteLine($"cope: {axis.Key} {value}, {index + 1} of {axis.Values.Count}");
            return new SweepPoint(value, Point(file, run, recipe, axis, value));
        }).ToList();
        var curve = new SweepCurve { Key = axis.Key, Points = points, Method = method, Metric = plan.Metric ?? Metric.Headline(task.Outcome) };
        chosen.Add(axis.Override(points[curve.Chosen].Value));
        return curve;
    }

    RunFigures Point(string file, RunDirectory run, Recipe recipe, SweepAxis axis, string value)
    {
        var point = run.OfValue(axis.Key, value);
        var others = Directory.Exists(run.Root) ? Directory.EnumerateDirectories(run.Root).Order(StringComparer.Ordinal).Select(folder => new RunDirectory(folder)).ToList() : [];
        string[] development = recipe.DevelopmentItems > 0 ? [] : [$"development_items={plan.DevelopmentItems}"];
        string[] likelihood = plan.Metric == Metric.GoldNll || plan.Metric == Metric.RewardRank ? ["evaluate.likelihood=true"] : ["evaluate.likelihood=false"];
        var one = request with { Restarts = true, Recipe = file, Run = point.Name, Overrides = [.. request.Overrides, .. development, .. likelihood, .. chosen, axis.Override(value)] };
        new RunSession(host, one).Work((pipeline, context) =>
        {
            pipeline.TakeOver(context, others);
            pipeline.Run(context, last: "evaluate");
        });
        return RunFigures.Read(point, host.Roots, host.Cancellation);
    }

    void Write(string file, RunDirectory run, List<SweepCurve> curves)
    {
        var recipe = Recipe.Read(file, [.. request.Overrides, .. chosen]).ToYaml();
        var why = string.Concat(curves.Select(curve => FormattableString.Invariant(
            $"# {curve.Key}: {curve.Points[curve.Chosen].Value} of {string.Join(", ", curve.Points.Select(point => point.Value))}, by {curve.Metric.Name} of {curve.Method}, {Words.Mean(curve.Of(curve.Points[curve.Chosen]))}\n")));
        AtomicFile.WriteText(run.ChosenRecipe, $"# Chosen by 'cope sweep' on {curves[0].Points[0].Figures.Golds.Count} development queries of the histories.\n{why}{recipe}");
        SweepFiles.WriteReport(curves, recipe, run.SweepReport);
        SweepFiles.WriteCsv(curves, run.SweepTable);
    }

    Data.LampTask TaskOf(Recipe recipe) => Data.Tasks.TaskFile.Read(InputPaths.FindTask(recipe.Task, host.Roots)).Task;
}
