using CoPe.Training;

namespace CoPe.Tests.Training;

[Collection("torch")]
public class CheckpointPolicyTests
{
    static readonly TimeSpan Never = TimeSpan.FromDays(1);

    [Fact]
    public void A_training_saves_every_so_many_steps() =>
        Assert.Equal([2L, 4L, 6L], TrainAndListSavedSteps(new() { EverySteps = 2, Every = Never }, TimeSpan.Zero));

    [Fact]
    public void A_training_saves_whenever_so_much_time_has_passed_since_the_last_checkpoint()
    {
        var policy = new CheckpointPolicy { Every = TimeSpan.FromSeconds(60) };
        Assert.Equal([3L, 6L], TrainAndListSavedSteps(policy, timePerStep: TimeSpan.FromSeconds(25)));
    }

    [Fact]
    public void A_checkpoint_by_steps_starts_the_clock_again()
    {
        var policy = new CheckpointPolicy { EverySteps = 4, Every = TimeSpan.FromSeconds(60) };
        // By the clock after 60 s at step 3; by steps at step 4; 40 s later, at step 6, the clock is not due.
        Assert.Equal([3L, 4L], TrainAndListSavedSteps(policy, timePerStep: TimeSpan.FromSeconds(20)));
    }

    [Fact]
    public void A_training_that_is_faster_than_its_policy_saves_nothing() =>
        Assert.Empty(TrainAndListSavedSteps(new() { Every = Never }, TimeSpan.FromSeconds(1)));

    /// <summary>Six steps of one user, each taking so much time on the training's clock.</summary>
    static List<long> TrainAndListSavedSteps(CheckpointPolicy policy, TimeSpan timePerStep)
    {
        using var model = TinyTraining.Model();
        using var adapters = TinyTraining.Adapters(0, 0);
        var clock = new ManualClock();
        var store = new MemoryStore();
        var context = new TrainingContext
        {
            Model = model,
            Options = TinyTraining.Options with { Epochs = 3 },
            Checkpoints = store,
            CheckpointPolicy = policy,
            Time = clock,
            Metrics = _ => clock.Advance(timePerStep),
        };
        SftTrainer.Train(context, adapters, [new("ann", TinyTraining.History(1, 4))]);
        return store.SavedSteps;
    }

    sealed class ManualClock : TimeProvider
    {
        TimeSpan _now;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => _now.Ticks;

        public void Advance(TimeSpan time) => _now += time;
    }

    sealed class MemoryStore : ICheckpointStore
    {
        public List<long> SavedSteps { get; } = [];

        public TrainingCheckpoint? Load() => null;

        public void Save(TrainingCheckpoint checkpoint) => SavedSteps.Add(checkpoint.Step);

        public void Clear() { }
    }
}
