using CoPe.Adapters;
using CoPe.Modeling;
using CoPe.Testing;
using static TorchSharp.torch;

namespace CoPe.Tests.Modeling;

/// <summary>A pass that computes some columns of its last layer only, against one that computes all.</summary>
[Collection("torch")]
public class OutputColumnsTests
{
    public static TheoryData<string, bool> Cases =>
        new MatrixTheoryData<string, bool>([nameof(TinyModels.Plain), nameof(TinyModels.Everything)], [false, true]);

    [Theory]
    [MemberData(nameof(Cases))]
    public void Selected_hidden_states_and_gradients_are_those_of_a_whole_pass(string name, bool even)
    {
        using var scope = NewDisposeScope();
        using var model = TinyModels.Random(TinyModels.FromName(name));
        using var bank = TinyModels.Adapters(
            model.Config,
            2,
            new LoraConfig
            {
                Rank = 2,
                Alpha = 4,
                TargetModules = ["q_proj", "k_proj", "v_proj", "o_proj", "up_proj"],
                Dropout = 0,
            }
        );
        using var adapters = AdapterRows.ForRows(bank, [1, 0, 1]);
        var ids = TinyModels.Ids(3, 9);
        IReadOnlyList<IReadOnlyList<int>> columns = even
            ?
            [
                [1, 8],
                [0, 4],
                [3, 3],
            ]
            :
            [
                [8],
                [2, 3, 4, 3],
                [],
            ];
        var (whole, wholeGradients) = Pass(
            new TokenBatch(ids.clone()),
            hidden => stack([.. columns.SelectMany((row, r) => row.Select(column => hidden[r, column]))])
        );
        var (some, someGradients) = Pass(new TokenBatch(ids.clone(), outputColumns: columns), hidden => hidden);
        TinyModels.AssertClose(whole, some);
        foreach (var (expected, actual) in wholeGradients.Zip(someGradients))
        {
            TinyModels.AssertClose(expected, actual, 1e-4);
        }

        (Tensor Hidden, List<Tensor> Gradients) Pass(TokenBatch batch, Func<Tensor, Tensor> select)
        {
            using (batch)
            {
                foreach (var parameter in bank.Parameters())
                {
                    parameter.requires_grad = true;
                }

                var hidden = select(model.Forward(batch, adapters)); // [columns, hidden]
                hidden.pow(2).sum().backward();
                var gradients = bank.Parameters().Select(parameter => parameter.grad!.clone()).ToList();
                foreach (var parameter in bank.Parameters())
                {
                    parameter.grad!.zero_();
                }

                return (hidden.detach(), gradients);
            }
        }
    }

    [Fact]
    public void Output_columns_respect_the_visibility_mask()
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using var model = TinyModels.Random(TinyModels.Everything);
        var ids = TinyModels.Ids(2, 7);
        var visible = ones([1, 7, 7], dtype: ScalarType.Bool).tril();
        visible[0, 5.., 3..5] = false;
        var positions = tensor(new long[] { 0, 1, 2, 3, 4, 3, 4 }).unsqueeze(0).repeat(2, 1);
        using var whole = new TokenBatch(ids.clone(), positions.clone(), visible.clone());
        using var some = new TokenBatch(
            ids.clone(),
            positions.clone(),
            visible.clone(),
            [
                [6, 2],
                [5, 4],
            ]
        );
        var all = model.Forward(whole);
        TinyModels.AssertClose(stack([all[0, 6], all[0, 2], all[1, 5], all[1, 4]]), model.Forward(some));
    }

    [Fact]
    public void Columns_that_do_not_exist_are_refused()
    {
        using var scope = NewDisposeScope();
        var ids = TinyModels.Ids(2, 5);
        int[][][] refused =
        [
            [
                [0],
                [5],
            ],
            [
                [0],
                [-1],
            ],
            [
                [0],
            ],
            [
                [],
                [],
            ],
        ];
        Assert.All(
            refused,
            columns => Assert.Throws<ArgumentException>(() => new TokenBatch(ids, outputColumns: columns))
        );
    }

    [Fact]
    public void A_pass_with_a_cache_returns_all_columns_or_refuses()
    {
        using var model = TinyModels.Random(TinyModels.Plain);
        using var cache = new KvCache(model, 2, 8);
        using var batch = new TokenBatch(
            TinyModels.Ids(2, 5),
            outputColumns:
            [
                [0],
                [1],
            ]
        );
        Assert.Throws<ArgumentException>(() => model.Forward(batch, null, cache.Slice(0, 2, 5)));
    }
}
