using CoPe.Adapters;
using CoPe.Modeling;
using CoPe.Scoring;
using CoPe.Testing;
using CoPe.Training;
using static CoPe.Tests.Training.AnswerTraining;

namespace CoPe.Tests.Training;

/// <summary>Trainings of adapters that act on the answer alone, whose prompts are computed once.</summary>
[Collection("torch")]
public sealed class SharedPromptTests
{
    [Theory]
    [InlineData(false, false)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    public void Supervised_training_over_kept_prompts_is_that_over_whole_rows(bool recompute, bool isTaskAnswerOnly)
    {
        using var model = TinyTraining.Model();
        using var task = TaskAdapter(isTaskAnswerOnly ? Answer : Everywhere);
        var options = Options with { RecomputeLayers = recompute };
        using var prompts = new PrefixCache(1024);
        var whole = TrainSft(model, task, options, null);
        var shared = TrainSft(model, task, options, prompts);
        AssertClose(whole, shared);
        Assert.True(prompts.ComputedCount > 0);
    }

    [Theory]
    [InlineData(DpoReference.Tam)]
    [InlineData(DpoReference.Sft)]
    public void Preference_training_over_kept_prompts_is_that_over_whole_rows(DpoReference reference)
    {
        using var model = TinyTraining.Model();
        using var task = TaskAdapter(Everywhere);
        var (wholeFigures, sharedFigures) = (new List<double>(), new List<double>());
        using var prompts = new PrefixCache(1024);
        var whole = TrainDpo(model, task, reference, null, wholeFigures);
        var shared = TrainDpo(model, task, reference, prompts, sharedFigures);
        AssertClose(whole, shared);
        Assert.Equal(wholeFigures, sharedFigures, (a, b) => Math.Abs(a - b) <= 1e-3 * Math.Max(1, Math.Abs(a)));
        Assert.True(prompts.ComputedCount > 0);
    }

    [Fact]
    public void Epochs_selection_and_preferences_compute_each_prompt_once()
    {
        using var model = TinyTraining.Model();
        using var task = TaskAdapter(Everywhere);
        using var prompts = new PrefixCache(1024);
        TrainSft(model, task, Options, prompts);
        var distinct = Histories
            .Where((_, user) => Kinds[user] == Answer)
            .SelectMany(history => history)
            .Select(example => string.Join(' ', TakePrefix(example.Prompt)))
            .Where(prefix => prefix.Length > 0)
            .Distinct()
            .Count();
        Assert.Equal(distinct, prompts.ComputedCount);

        using var users = CreateAdapters(0);
        var scorer = new SequenceScorer(model, task, users) { Prompts = prompts };
        scorer.Score(
            Histories[0]
                .Select(example => new ScoringItem(
                    example.Id,
                    example.Prompt,
                    [example.Response, [1, 2, 3]],
                    [AdapterSelection.TaskAndUser(0), AdapterSelection.Task]
                ))
        );
        TrainDpo(model, task, DpoReference.Tam, prompts);
        Assert.Equal(distinct, prompts.ComputedCount);
    }

    [Theory]
    [InlineData(1024, null)]
    [InlineData(0, null)]
    [InlineData(0, 3)]
    public void Cancelled_at_any_step_a_training_resumes_to_the_same_bits_whatever_was_kept(int megabytes, int? workers)
    {
        using var folder = new TemporaryFolder();
        using var model = TinyTraining.Model();
        using var task = TaskAdapter(Everywhere);
        var options = Options with { Workers = workers, TokensPerPass = 16 };
        var undisturbed = Run(null, -1, 1024);
        foreach (var step in (int[])[1, 3])
        {
            var store = new FolderCheckpointStore(folder.At($"{step}"));
            Run(store, step, 1024);
            Assert.Equal(undisturbed, Run(store, -1, megabytes));
        }

        float[][] Run(ICheckpointStore? store, int stopAt, int bound)
        {
            using var cancel = new CancellationTokenSource();
            using var prompts = new PrefixCache(bound);
            try
            {
                return TrainSft(
                    model,
                    task,
                    options,
                    prompts,
                    store,
                    row => CancelAt(row, stopAt, cancel),
                    cancel.Token
                );
            }
            catch (OperationCanceledException)
            {
                return [];
            }
        }
    }

    [Fact]
    public void Preference_training_resumes_to_the_same_bits()
    {
        using var folder = new TemporaryFolder();
        using var model = TinyTraining.Model();
        using var task = TaskAdapter(Everywhere);
        var undisturbed = Run(null, -1);
        foreach (var step in (int[])[1, 2])
        {
            var store = new FolderCheckpointStore(folder.At($"{step}"));
            Run(store, step);
            Assert.Equal(undisturbed, Run(store, -1));
        }

        float[][] Run(ICheckpointStore? store, int stopAt)
        {
            using var cancel = new CancellationTokenSource();
            using var prompts = new PrefixCache(1024);
            try
            {
                return TrainDpo(
                    model,
                    task,
                    DpoReference.Sft,
                    prompts,
                    store: store,
                    metrics: row => CancelAt(row, stopAt, cancel),
                    cancellation: cancel.Token
                );
            }
            catch (OperationCanceledException)
            {
                return [];
            }
        }
    }

    [Fact]
    public void Adapters_that_act_everywhere_train_to_the_same_bits_and_keep_no_prompt()
    {
        using var model = TinyTraining.Model();
        using var task = TaskAdapter(Everywhere);
        using var prompts = new PrefixCache(1024);
        float[] Train(PrefixCache? cache)
        {
            using var adapters = TinyTraining.Adapters(0.1, 4);
            var context = CreateContext(model, TinyTraining.Options, cache);
            SftTrainer.Train(context, adapters, [new("ann", Histories[0])], task);
            return TinyTraining.Values(adapters);
        }

        Assert.Equal(Train(null), Train(prompts));
        Assert.Equal(0, prompts.ComputedCount);
    }

    [Fact]
    public void No_tensor_is_left_behind()
    {
        using var model = TinyTraining.Model();
        using var task = TaskAdapter(Everywhere);
        TrainSft(model, task, Options, null);
        var before = TensorCount.AfterGarbageCollection();
        using (var prompts = new PrefixCache(1024))
        {
            TrainSft(model, task, Options, prompts);
            TrainDpo(model, task, DpoReference.Tam, prompts);
            Assert.True(prompts.Bytes > 0);
        }

        Assert.Equal(before, TensorCount.AfterGarbageCollection());
        TrainWithoutCache(model, task);
        Assert.Equal(before, TensorCount.AfterGarbageCollection());
    }

    static void TrainWithoutCache(CausalLm model, AdapterBank task)
    {
        using var adapters = CreateAdapters(0);
        SftTrainer.Train(
            new TrainingContext { Model = model, Options = TinyTraining.Options },
            adapters,
            CreateSets(Histories),
            task
        );
    }

    static void CancelAt(StepMetrics row, int step, CancellationTokenSource cancel)
    {
        if (row.Step == step)
        {
            cancel.Cancel();
        }
    }

    static void AssertClose(float[][] expected, float[][] actual)
    {
        foreach (var (one, other) in expected.Zip(actual))
        {
            Assert.InRange(TinyTraining.LargestDifference(one, other), 0, 1e-5);
        }
    }
}
