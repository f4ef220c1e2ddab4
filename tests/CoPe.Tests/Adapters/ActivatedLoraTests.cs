using CoPe.Adapters;
using CoPe.Modeling;
using CoPe.Scoring;
using CoPe.Testing;
using static TorchSharp.torch;

namespace CoPe.Tests.Adapters;

/// <summary>Adapters that act on the answer alone, beside and on top of those that act everywhere.</summary>
[Collection("torch")]
public class ActivatedLoraTests
{
    static readonly int[] Invocation = [7, 3];

    static readonly LoraConfig Everywhere = new()
    {
        Rank = 3,
        Alpha = 4,
        TargetModules = ["all-linear"],
        Dropout = 0,
    };

    static readonly LoraConfig Answer = Everywhere with
    {
        Active = ActivePositions.Answer,
        InvocationTokens = Invocation,
    };

    /// <summary>Rows with the tokens in the middle, twice, at the end, nowhere, and at the start.</summary>
    static readonly long[] Rows =
    [
        .. (long[])[1, 5, 9, 7, 3, 11, 12, 13],
        .. (long[])[2, 7, 3, 4, 5, 7, 3, 6],
        .. (long[])[8, 9, 10, 11, 12, 13, 7, 3],
        .. (long[])[1, 2, 3, 7, 5, 6, 3, 7],
        .. (long[])[7, 3, 1, 2, 4, 5, 6, 8],
    ];

    static readonly int[] Starts = [3, 5, 6, 8, 0];

    [Theory]
    [InlineData(nameof(TinyModels.Plain))]
    [InlineData(nameof(TinyModels.Everything))]
    public void Columns_before_the_answer_are_the_base_and_those_after_it_are_not(string name)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using var model = TinyModels.Random(TinyModels.FromName(name));
        using var bank = TinyModels.Adapters(model.Config, 1, Answer);
        using var rows = AdapterRows.All(bank);
        var ids = tensor(Rows, [5, 8]);
        var (adapted, bare) = (TinyModels.Logits(model, ids, rows), TinyModels.Logits(model, ids));
        for (var row = 0; row < 5; row++)
        {
            var start = Starts[row];
            if (start > 0)
            {
                TinyModels.AssertClose(bare[row].narrow(0, 0, start), adapted[row].narrow(0, 0, start), 1e-6);
            }

            for (var column = start; column < 8; column++)
            {
                Assert.True(GoldenTensors.Difference(bare[row][column], adapted[row][column]) > 1e-2);
            }
        }
    }

    [Fact]
    public void From_the_start_of_a_row_on_it_is_an_adapter_that_acts_everywhere()
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using var model = TinyModels.Random(TinyModels.Plain);
        using var answer = TinyModels.Adapters(model.Config, 1, Answer);
        using var everywhere = TinyModels.Adapters(model.Config, 1, Everywhere);
        using AdapterRows answerRows = AdapterRows.All(answer),
            everywhereRows = AdapterRows.All(everywhere);
        var ids = tensor(Rows, [5, 8]).narrow(0, 4, 1);
        Assert.True(
            TinyModels
                .Logits(model, ids, everywhereRows)
                .equal(TinyModels.Logits(model, ids, answerRows))
                .all()
                .item<bool>()
        );
    }

    [Theory]
    [InlineData(0, 1, 2, 3, -1)]
    [InlineData(3, 3, 0, 0, 1)]
    [InlineData(-1, 2, 2, -1, 0)]
    public void A_bank_of_both_kinds_equals_each_alone(params int[] indices)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using var model = TinyModels.Random(TinyModels.Plain);
        using var task = TinyModels.Adapters(model.Config, 1, Everywhere with { Rank = 2 });
        using var answer = TinyModels.Adapters(model.Config, 2, Answer);
        using var everywhere = TinyModels.Adapters(model.Config, 2, Everywhere);
        using var both = AdapterBank.Stack([answer, everywhere]);
        var ids = tensor(Rows, [5, 8]);
        using var rows = AdapterRows.All(task).With(AdapterRows.ForRows(both, indices));
        var together = TinyModels.Logits(model, ids, rows);
        for (var row = 0; row < 5; row++)
        {
            using var alone = both.Extract(Math.Max(0, indices[row]));
            using var below = AdapterRows.All(task);
            using var selected = indices[row] < 0 ? below : below.With(AdapterRows.All(alone));
            TinyModels.AssertClose(
                TinyModels.Logits(model, ids.narrow(0, row, 1), selected),
                together.narrow(0, row, 1)
            );
        }
    }

    [Fact]
    public void Output_columns_are_acted_on_where_the_whole_pass_is()
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using var model = TinyModels.Random(TinyModels.Plain);
        using var bank = TinyModels.Adapters(model.Config, 1, Answer);
        using var rows = AdapterRows.All(bank);
        IReadOnlyList<int>[] columns =
        [
            [7, 2],
            [0, 4, 5, 6, 7],
            [1],
            [7, 7],
            [0],
        ];
        var ids = tensor(Rows, [5, 8]);
        using var some = new TokenBatch(ids.clone(), outputColumns: columns);
        var whole = TinyModels.Logits(model, ids, rows);
        var expected = columns.SelectMany((row, index) => row.Select(column => whole[index][column]));
        TinyModels.AssertClose(stack(expected), model.ComputeLogits(model.Forward(some, rows)));
    }

    [Fact]
    public void Dropout_of_the_answer_does_not_depend_on_where_the_answers_of_other_rows_begin()
    {
        using var scope = NewDisposeScope();
        using var model = TinyModels.Random(TinyModels.Plain);
        using var bank = TinyModels.Adapters(model.Config, 1, Answer with { Dropout = 0.5 });
        var ids = tensor(Rows, [5, 8]);
        using var together = AdapterRows.All(bank).WithDropout([1, 2, 3, 4, 5]);
        using var alone = AdapterRows.All(bank).WithDropout([3]);
        TinyModels.AssertClose(
            TinyModels.Logits(model, ids.narrow(0, 2, 1), alone),
            TinyModels.Logits(model, ids, together).narrow(0, 2, 1)
        );
    }

    /// <summary>
    /// The answers hold the tokens themselves: one in full, one with its last label, one from the prompt on.
    /// </summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Responses_are_acted_on_as_if_each_followed_the_prompt_alone(bool sharePrompts)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using var model = TinyModels.Random(TinyModels.Plain);
        using var users = TinyModels.Adapters(model.Config, 1, Answer);
        int[] prompt = [1, 2, 7, 3, 5, 9, 7];
        int[][] responses =
        [
            [4, 5, 6],
            [8, 7, 3, 6, 2],
            [3, 4],
            [5, 7, 3],
            [9, 9, 9],
        ];
        var scorer = new SequenceScorer(model, null, users, new() { SharePrompts = sharePrompts });
        var scores = scorer.Scores([new("x", prompt, responses, [AdapterSelection.UserOnly(0)])]);
        using var rows = AdapterRows.All(users);
        foreach (var (response, score) in responses.Zip(scores))
        {
            long[] ids = [.. prompt.Concat(response).Select(id => (long)id)];
            var logits = TinyModels.Logits(model, tensor(ids).unsqueeze(0), rows)[0];
            var logProbs = logits.log_softmax(-1).narrow(0, prompt.Length - 1, response.Length);
            var expected = response.Select((id, i) => logProbs[i][id].item<float>());
            Assert.Equal(expected, score.LogProbs, (a, b) => Math.Abs(a - b) < 1e-4);
        }
    }

    [Fact]
    public void Bf16_steps_of_the_kernel_take_the_adapter_of_rows_that_are_acted_on_alone()
    {
        using var scope = NewDisposeScope();
        using var mode = inference_mode();
        using var random = TinyModels.Random(TinyModels.Plain);
        using var folder = new TemporaryFolder();
        ModelFolder.Save(folder.At("model"), random.Config, random.Weights, ScalarType.BFloat16);
        using var model = CausalLm.Load(folder.At("model"));
        using var answer = TinyModels.Adapters(model.Config, 1, Answer);
        using var everywhere = TinyModels.Adapters(model.Config, 1, Everywhere);
        using AdapterRows answerRows = AdapterRows.ForRows(answer, [0, 0, 0]),
            everywhereRows = AdapterRows.ForRows(everywhere, [0, -1, 0]);
        var ids = tensor([4L, 5, 6], [3, 1]);
        using var some = new TokenBatch(ids.clone()) { InvocationSearch = _ => [true, false, true] };
        TinyModels.AssertClose(
            TinyModels.Logits(model, ids, everywhereRows),
            model.ComputeLogits(model.Forward(some, answerRows)),
            0.05
        );
    }

    [Fact]
    public void No_tensor_is_left_behind()
    {
        using var model = TinyModels.Random(TinyModels.Plain);
        using var bank = TinyModels.Adapters(model.Config, 1, Answer);
        var before = TensorCount.AfterGarbageCollection();
        using (var noGrad = no_grad())
        using (var ids = tensor(Rows, [5, 8]))
        using (var rows = AdapterRows.All(bank))
        using (
            var batch = new TokenBatch(
                ids.clone(),
                outputColumns:
                [
                    [1],
                    [2, 3],
                    [4],
                    [5],
                    [6],
                ]
            )
        )
        {
            model.Forward(batch, rows).Dispose();
        }

        Assert.Equal(before, TensorCount.AfterGarbageCollection());
    }

    [Fact]
    public void What_begins_an_answer_must_be_known_and_an_answers_adapter_is_not_merged()
    {
        using var scope = NewDisposeScope();
        using var model = TinyModels.Random(TinyModels.Plain);
        Assert.Throws<ArgumentException>(() =>
            AdapterBank.Create(model.Config, Answer with { InvocationTokens = null }, [1])
        );
        Assert.Throws<ArgumentException>(() =>
            AdapterBank.Create(model.Config, Everywhere with { InvocationTokens = Invocation }, [1])
        );
        using var bank = TinyModels.Adapters(model.Config, 1, Answer);
        Assert.Throws<ArgumentException>(() => AdapterMerge.MergeInto(model, bank));
    }

    [Fact]
    public void Adapters_of_both_kinds_are_written_each_with_its_own_tokens()
    {
        using var folder = new TemporaryFolder();
        using var answer = TinyModels.Adapters(TinyModels.Plain, 1, Answer);
        using var everywhere = TinyModels.Adapters(TinyModels.Plain, 1, Everywhere);
        using var both = AdapterBank.Stack([everywhere, answer]);
        LoraConfig Rewrite(int index)
        {
            AdapterFile.Write(folder.Path, both, index, "");
            using var read = AdapterFile.Read(folder.Path, TinyModels.Plain);
            return read.Config;
        }

        Assert.Null(Rewrite(0).InvocationTokens);
        Assert.Equal(Invocation, Rewrite(1).InvocationTokens);
        Assert.Equal(ActivePositions.Answer, Rewrite(1).Active);
    }

    [Fact]
    public void Tokens_that_the_model_does_not_have_are_refused()
    {
        using var folder = new TemporaryFolder();
        using var bank = TinyModels.Adapters(
            TinyModels.Plain,
            1,
            Answer with
            {
                InvocationTokens = [TinyModels.Plain.VocabSize],
            }
        );
        AdapterFile.Write(folder.Path, bank, 0, "");
        Assert.Throws<ModelFileException>(() => AdapterFile.Read(folder.Path, TinyModels.Plain));
    }
}
