using CoPe.Adapters;
using CoPe.Decoding;
using TorchSharp;

namespace CoPe.Tests.Decoding;

public class PrefixPlanTests
{
    const int Long = 2 * PrefixPlan.MinTokensSaved;

    static readonly AdapterBank Task = CreateBank(1);
    static readonly AdapterBank Users = CreateBank(3);

    static AdapterBank CreateBank(int count) =>
        new(
            [.. Enumerable.Repeat(new LoraConfig(), count)],
            [new("layer", new(torch.zeros(count, 1, 1), torch.zeros(count, 1, 1)))]
        );

    static PromptAdapters Adapters(int user, int answerStart) =>
        new(new ActingAdapter(Task, 0, 0, 0), user < 0 ? null : new ActingAdapter(Users, user, 0, answerStart));

    /// <summary>A prompt of the ids 0, 1, 2, ... and then some of its own; its last token is never computed.</summary>
    static PromptRow Row(int common, int own, int id = 0, int user = -1, int answerStart = 0) =>
        new([.. Enumerable.Range(0, common), .. Enumerable.Repeat(1000 + id, own)], Adapters(user, answerStart));

    static string Show(IReadOnlyList<PlannedPrefill> plan) =>
        string.Join(
            "; ",
            plan.Select(row => $"{row.Row} from {row.SourceRow}: {row.Shared} + {row.Computed}, wave {row.Wave}")
        );

    static string Plan(params PromptRow[] newcomers) => Show(PrefixPlan.Create([], newcomers));

    [Fact]
    public void Prompts_that_begin_differently_share_nothing_and_stand_longest_first() =>
        Assert.Equal("1 from -1: 0 + 89, wave 0; 0 from -1: 0 + 49, wave 0", Plan(Row(0, 50, 1), Row(0, 90, 2)));

    [Fact]
    public void A_common_prefix_is_computed_once() =>
        Assert.Equal(
            "0 from -1: 0 + 73, wave 0; 1 from 0: 64 + 8, wave 1; 2 from 0: 64 + 5, wave 1",
            Plan(Row(Long, 10, 1), Row(Long, 9, 2), Row(Long, 6, 3))
        );

    [Fact]
    public void A_short_prefix_is_not_worth_a_pass()
    {
        const int Least = PrefixPlan.MinTokensSaved;
        Assert.Equal(
            "0 from -1: 0 + 41, wave 0; 1 from -1: 0 + 41, wave 0",
            Plan(Row(Least, 10, 1), Row(Least, 10, 2))
        );
        Assert.Equal(
            "0 from -1: 0 + 42, wave 0; 1 from 0: 33 + 9, wave 1",
            Plan(Row(Least + 1, 10, 1), Row(Least + 1, 10, 2))
        );
    }

    [Fact]
    public void Prefixes_within_prefixes_come_wave_by_wave()
    {
        // Rows 1 and 2 share 200 with each other and 64 with row 0.
        PromptRow Inner(int own, int id) =>
            new(
                [.. Enumerable.Range(0, Long), .. Enumerable.Repeat(500, 136), .. Enumerable.Repeat(1000 + id, own)],
                Adapters(-1, 0)
            );
        Assert.Equal(
            "0 from -1: 0 + 363, wave 0; 1 from 0: 64 + 155, wave 1; 2 from 1: 200 + 9, wave 2",
            Plan(Row(Long, 300, 1), Inner(20, 2), Inner(10, 3))
        );
    }

    [Fact]
    public void Rows_of_other_adapters_share_nothing() =>
        Assert.Equal(
            "0 from -1: 0 + 73, wave 0; 1 from -1: 0 + 73, wave 0; 2 from 1: 64 + 8, wave 1; 3 from 0: 64 + 6, wave 1",
            Plan(
                Row(Long, 10, 1, user: 0),
                Row(Long, 10, 1, user: 1),
                Row(Long, 9, 2, user: 1),
                Row(Long, 7, 3, user: 0)
            )
        );

    [Fact]
    public void Rows_whose_adapters_act_on_the_answer_alone_share_their_prompt_up_to_it() =>
        Assert.Equal(
            "0 from -1: 0 + 73, wave 0; 3 from -1: 0 + 73, wave 0; 1 from 0: 70 + 3, wave 1; "
                + "2 from 0: 70 + 3, wave 1; 4 from 2: 73 + 0, wave 2",
            Plan(
                Row(Long, 10, 1, user: 0, answerStart: 70),
                Row(Long, 10, 1),
                Row(Long, 10, 1, user: 1, answerStart: 70),
                Row(Long, 10, 1, user: 2), // acts on the prompt
                Row(Long, 10, 1)
            )
        );

    [Fact]
    public void Identical_prompts_are_computed_once_however_short() =>
        Assert.Equal(
            "0 from -1: 0 + 2, wave 0; 1 from 0: 2 + 0, wave 1; 2 from 0: 2 + 0, wave 1",
            Plan(Row(3, 0), Row(3, 0), Row(3, 0))
        );

    [Fact]
    public void A_prompt_that_another_begins_with_is_copied_whole_and_its_last_token_is_left_to_feed() =>
        Assert.Equal("1 from -1: 0 + 29, wave 0; 0 from 0: 4 + 0, wave 1", Plan(Row(5, 0), Row(5, 25)));

    [Fact]
    public void A_prompt_of_one_token_needs_nothing() =>
        Assert.Equal(
            "1 from -1: 0 + 9, wave 0; 0 from -1: 0 + 0, wave 0; 2 from -1: 0 + 0, wave 0",
            Plan(Row(1, 0), Row(10, 0), Row(1, 0))
        );

    [Fact]
    public void Running_rows_share_their_prefix_with_new_rows()
    {
        var plan = PrefixPlan.Create([Row(0, 5, 7), Row(Long, 10, 1)], [Row(Long, 20, 2), Row(0, 40, 3)]);
        Assert.Equal("1 from -1: 0 + 39, wave 0; 0 from 1: 64 + 19, wave 1", Show(plan));
    }

    [Fact]
    public void What_is_kept_of_earlier_calls_is_as_good_as_a_running_row()
    {
        var plan = PrefixPlan.Create([Row(40, 5, 7)], [Row(Long, 20, 2), Row(40, 9, 3)], Row(Long, 10, 1));
        Assert.Equal([0, null], plan.OrderBy(row => row.Row).Select(row => row.Kept));
        Assert.Equal("0 from -1: 64 + 19, wave 1; 1 from 0: 40 + 8, wave 1", Show(plan));
    }
}
