using CoPe.Experiments.Runs.Stages;
using CoPe.Testing;
using CoPe.Training;

namespace CoPe.Experiments.Tests.Runs.Stages;

public class HistoryWarningsTests
{
    [Fact]
    public void A_stage_says_once_how_many_histories_are_small_and_which_is_the_smallest()
    {
        var log = new RecordingLogger();
        HistoryWarnings.Warn(
            log,
            "train sft",
            [User("ann", 9), User("bob", 3), User("eve", 1), User("joe", 4)],
            batchSize: 4
        );
        Assert.Equal(
            "train sft: histories are small: the examples of 2 of 4 users do not fill one batch of 4; "
                + "user eve has the fewest, 1",
            Assert.Single(log.Texts)
        );
    }

    [Fact]
    public void Users_with_nothing_to_learn_from_are_named_the_first_five()
    {
        var log = new RecordingLogger();
        HistoryWarnings.Warn(
            log,
            "train dpo",
            [.. Enumerable.Range(1, 7).Select(user => User($"u{user}", 0)), User("ann", 4)],
            batchSize: 4
        );
        Assert.Equal(
            "train dpo: no example to learn from, so the adapter stays as it is: "
                + "7 of 8 users (u1, u2, u3, u4, u5, ...)",
            Assert.Single(log.Texts)
        );
    }

    [Fact]
    public void Full_batches_need_no_word()
    {
        var log = new RecordingLogger();
        HistoryWarnings.Warn(log, "train sft", [User("ann", 4)], batchSize: 4);
        Assert.Empty(log.Texts);
    }

    static UserTrainingSet<int> User(string id, int examples) => new(id, new int[examples]);
}
