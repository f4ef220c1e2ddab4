using CoPe.Experiments.Runs.Stages;
using CoPe.Testing;

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
            new Dictionary<string, int>
            {
                ["ann"] = 9,
                ["bob"] = 3,
                ["eve"] = 1,
                ["joe"] = 4,
            },
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
            Enumerable.Range(1, 8).ToDictionary(user => $"u{user}", user => user == 8 ? 4 : 0),
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
        HistoryWarnings.Warn(log, "train sft", new Dictionary<string, int> { ["ann"] = 4 }, batchSize: 4);
        Assert.Empty(log.Texts);
    }
}
