using CoPe.Adapters;
using CoPe.Experiments.Data;
using CoPe.Experiments.Runs.Recipes;
using CoPe.Experiments.Runs.Results;
using CoPe.Experiments.Runs.Stages;
using CoPe.Training;
using Microsoft.Extensions.Logging;

namespace CoPe.Experiments.Runs.Personal;

/// <summary>
/// Chooses rate and epochs for one person: the latest of their texts are held out, a training of the others stops where
/// the held-out loss no longer falls, and rates are tried upward, else downward, as long as the loss gets lower. The
/// same texts give the same choice; what is done is kept in the run, so that an interrupted search resumes.
/// </summary>
/// <param name="context">The run, with its data and, where the recipe has one, its task-adaptive model.</param>
/// <param name="choosesRate">The rate is to be chosen; otherwise it is the recipe's.</param>
/// <param name="choosesEpochs">The number of epochs is to be chosen; otherwise it is the recipe's.</param>
sealed class TrainingSearch(StageContext context, bool choosesRate, bool choosesEpochs)
{
    /// <summary>Name in progress reports and of the folder of checkpoints.</summary>
    public const string Name = "choose rate";

    /// <summary>Held out at most, and at most a fifth of the texts.</summary>
    const int MaxHeldOut = 8;

    /// <summary>More texts, the latest, would only make the search longer.</summary>
    const int MaxTexts = 72;

    /// <summary>Tokens of each text, its beginning, that are enough to choose by.</summary>
    const int MaxTokens = 320;

    /// <summary>Steps that a training should have at least, where the number of epochs is to be chosen.</summary>
    const int LeastSteps = 48;

    /// <summary>Epochs without a lower held-out loss after which a trial of a rate stops.</summary>
    const int Patience = 2;

    const int MinEpochs = 4;
    const int MaxEpochs = 16;

    /// <summary>Hidden width from which a model needs a lower rate.</summary>
    const int LargeModelWidth = 768;

    /// <summary>Rates that are tried, two for each power of ten.</summary>
    static readonly double[] Rates = [1e-5, 3e-5, 1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2];

    readonly RunWorkspace _workspace = context.Workspace;
    readonly SftSection _settings = context.Recipe.Sft;
    readonly string _folder = GetFolder(context.Run);

    /// <summary>Where an unfinished search keeps its state.</summary>
    public static string GetFolder(RunDirectory run)
    {
        ArgumentNullException.ThrowIfNull(run);
        return Path.Combine(run.CheckpointsFolder, Name.Replace(' ', '-'));
    }

    /// <summary>
    /// Chooses, and writes the choice into the run. The trials stay until the caller removes their folder: the same
    /// search again gives the same choice at once.
    /// </summary>
    /// <exception cref="OperationCanceledException">Cancelled; what is done is kept.</exception>
    public TrainingChoice Run()
    {
        context.Events.Report(new(Name, Directory.Exists(_folder) ? StageEventKind.Resumed : StageEventKind.Started));
        try
        {
            var choice = Choose();
            choice.Write(context.Run);
            context.Events.Report(new(Name, StageEventKind.Finished));
            return choice;
        }
        catch
        {
            context.Events.Report(new(Name, StageEventKind.Stopped));
            throw;
        }
    }

    TrainingChoice Choose()
    {
        var user = _workspace.Dataset.Users[0];
        var texts = user.History.Count;
        var usual = new TrainingChoice
        {
            // A rate above the first, as few texts make few steps.
            LearningRate = choosesRate ? Rates[FirstRate + 1] : _settings.Training.LearningRate,
            Epochs = choosesEpochs ? CountEpochs(texts) : _settings.Training.Epochs,
            Texts = texts,
            HeldOut = 0,
        };
        if (texts < TrainingChoice.MinTexts)
        {
            return usual;
        }

        var set = CreateTrainingSet(user);
        var trials = new TrialFile(Path.Combine(_folder, "trials.json"), ComputeFingerprint(set));
        var tried = ListTrials(set, trials);
        var choice = usual with { Texts = set.Examples.Count, HeldOut = set.Development.Count, Trials = tried };
        return choice.Best() is { } best
            ? choice with
            {
                LearningRate = best.LearningRate,
                Epochs = best.Epochs,
            }
            : choice;
    }

    /// <summary>
    /// The rates; then, at the best of them, whole trainings of as many epochs as it took, and of twice as many: their
    /// rate falls to zero, as it will.
    /// </summary>
    List<TrainingTrial> ListTrials(UserTrainingSet<SupervisedExample> set, TrialFile trials)
    {
        var rates = choosesRate
            ? ClimbRates(set, trials)
            : [GetTrial(set, new(_settings.Training.LearningRate, !choosesEpochs, GivenEpochs), trials)];
        var best = rates.Where(trial => trial.Loss is not null).MinBy(trial => trial.Loss);
        if (!choosesEpochs || best is null)
        {
            return rates;
        }

        int[] epochs = [best.Epochs, 2 * best.Epochs];
        return [.. rates, .. epochs.Select(count => GetTrial(set, new(best.LearningRate, true, count), trials))];
    }

    int GivenEpochs => _settings.Training.Epochs;

    /// <summary>Index of the rate that is tried first.</summary>
    int FirstRate => Array.IndexOf(Rates, _workspace.TrainingModel.Config.HiddenSize < LargeModelWidth ? 1e-3 : 3e-4);

    /// <summary>Epochs that give enough steps for so many texts.</summary>
    int CountEpochs(int texts)
    {
        var stepsPerEpoch = _settings.Training.StepsPerEpoch(texts);
        return (int)Math.Clamp((LeastSteps + stepsPerEpoch - 1) / stepsPerEpoch, MinEpochs, MaxEpochs);
    }

    UserTrainingSet<SupervisedExample> CreateTrainingSet(LampUser user)
    {
        var source = new ExampleEncoder(_workspace, _settings);
        var items = user.History.TakeLast(MaxTexts);
        List<SupervisedExample> examples = [.. items.Select(item => source.Encode(user, item))];
        return HeldOutExamples.Split(user.Id, examples, Math.Clamp(examples.Count / 5, 1, MaxHeldOut));
    }

    /// <summary>From the first rate upward while that gets better; where it does not at once, downward.</summary>
    List<TrainingTrial> ClimbRates(UserTrainingSet<SupervisedExample> set, TrialFile trials)
    {
        var first = FirstRate;
        List<TrainingTrial> tried = [GetTrial(set, CreateProbe(Rates[first]), trials)];
        for (var i = first + 1; i < Rates.Length && TryRate(Rates[i]); i++) { }
        if (tried.Count == 2)
        {
            for (var i = first - 1; i >= 0 && TryRate(Rates[i]); i--) { }
        }

        return tried;

        bool TryRate(double rate)
        {
            var lowest = tried.Min(trial => trial.Loss);
            var trial = GetTrial(set, CreateProbe(rate), trials);
            tried.Add(trial);
            return trial.Loss is { } loss && (lowest is null || loss < lowest);
        }

        TrialPlan CreateProbe(double rate) =>
            new(rate, !choosesEpochs, choosesEpochs ? CountEpochs(set.Examples.Count) : GivenEpochs);
    }

    /// <summary>A trial, as it was where it is done already.</summary>
    TrainingTrial GetTrial(UserTrainingSet<SupervisedExample> set, TrialPlan plan, TrialFile trials)
    {
        if (trials.Find(plan) is { } done)
        {
            return done;
        }

        var trial = Train(set, plan);
        trials.Add(trial);
        context.Log.LogInformation("{Trial}", trial.Describe());
        return trial;
    }

    TrainingTrial Train(UserTrainingSet<SupervisedExample> set, TrialPlan plan)
    {
        var name = $"rate-{TrainingChoice.FormatRate(plan.LearningRate)}{(plan.IsWhole ? $"-{plan.Epochs}" : "")}";
        var folder = Path.Combine(_folder, name);
        var figures = Path.Combine(folder, "losses.jsonl");
        var model = _workspace.TrainingModel;
        var options = CreateOptions(set, plan);
        using var bank = AdapterBank
            .Create(
                model,
                _workspace.ResolveLora(_settings.Lora),
                [SeedDerivation.Derive(context.Recipe.Seed, Name, set.Name)],
                below: _workspace.Tam
            )
            .MoveTo(_workspace.Device);
        SftTrainer.Train(
            new()
            {
                Model = model,
                Options = options,
                Stage = Name,
                MemoryOptionNames = MemoryOptionNames.OfSection("sft"),
                Metrics = row => SaveLoss(row, figures),
                Checkpoints = new FolderCheckpointStore(Path.Combine(folder, "state")),
                Time = context.Time,
                Logger = context.Log,
                Prompts = _workspace.Prompts,
            },
            bank,
            [set],
            _workspace.Tam,
            context.Progress,
            context.Cancellation
        );
        var trial = CreateTrial(plan, JsonLines.Read<StepMetrics>(figures), options, set.Examples.Count);
        AtomicFile.Remove(folder);
        return trial;
    }

    TrainingOptions CreateOptions(UserTrainingSet<SupervisedExample> set, TrialPlan plan)
    {
        var model = _workspace.TrainingModel;
        return _settings.Training with
        {
            LearningRate = plan.LearningRate,
            Epochs = plan.Epochs,
            CutOff = Math.Min(Math.Min(_settings.Training.CutOff, MaxTokens), model.Config.MaxPositions),
            Seed = SeedDerivation.Derive(context.Recipe.Seed, Name),
            TokensPerPass = TrainingMemory.ChooseTokensPerPass(model, _settings),
            EarlyStopping = new()
            {
                Items = set.Development.Count,
                Patience = plan.IsWhole ? plan.Epochs + 1 : Patience,
            },
        };
    }

    static void SaveLoss(StepMetrics row, string file)
    {
        if (row.Figures.ContainsKey(TrainingCurves.DevelopmentLoss))
        {
            JsonLines.Append(file, [row]);
        }
    }

    static TrainingTrial CreateTrial(
        TrialPlan plan,
        IReadOnlyList<StepMetrics> rows,
        TrainingOptions options,
        int texts
    )
    {
        // Where an interrupted training took a step again, its last line counts.
        var losses = rows.Where(row => row.Figures.ContainsKey(TrainingCurves.DevelopmentLoss))
            .GroupBy(row => row.Step)
            .ToDictionary(step => step.Key, step => step.Last().Figures[TrainingCurves.DevelopmentLoss]);
        var stepsPerEpoch = options.StepsPerEpoch(texts);
        var candidates = plan.IsWhole
            ? losses.Where(loss => loss.Key == options.Steps(texts))
            : losses.Where(loss => loss.Key > 0);
        var finite = candidates.Where(loss => double.IsFinite(loss.Value)).ToList();
        double? before = losses.TryGetValue(0, out var first) && double.IsFinite(first) ? first : null;
        if (finite.Count == 0)
        {
            return new(plan.LearningRate, plan.Epochs, plan.IsWhole, null, before);
        }

        var best = finite.MinBy(loss => loss.Value);
        var epochs = (int)Math.Max(1, best.Key / stepsPerEpoch);
        return new(plan.LearningRate, epochs, plan.IsWhole, best.Value, before);
    }

    /// <summary>What a trial depends on: the texts as the model reads them, and the keys of its training.</summary>
    string ComputeFingerprint(UserTrainingSet<SupervisedExample> set)
    {
        var texts = set.Examples.Concat(set.Development).SelectMany(example => example.Prompt.Concat(example.Response));
        var values = context
            .Recipe.Values("sft", "seed", "model", "tam")
            .Where(pair => !(choosesRate && pair.Key == "sft.learning_rate"))
            .Where(pair => !(choosesEpochs && pair.Key == "sft.epochs"))
            .Select(pair => $"{pair.Key}={pair.Value}");
        return StableHash.Sha256Hex($"{choosesEpochs} {string.Join(';', values)} {string.Join(' ', texts)}");
    }
}
