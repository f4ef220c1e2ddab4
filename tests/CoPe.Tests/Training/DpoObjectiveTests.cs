using CoPe.Training;

namespace CoPe.Tests.Training;

/// <summary>Losses of first steps, in which the policy still is its reference: every log-ratio is 0.</summary>
[Collection("torch")]
public class DpoObjectiveTests
{
    static readonly PreferenceExample[] Pairs = TinyTraining.Pairs(1, 4);
    static readonly TrainingOptions OneStep = TinyTraining.Options with { BatchSize = 4, MaxSteps = 1 };

    static IReadOnlyDictionary<string, double> FirstStep(DpoOptions dpo, PreferenceExample[]? pairs = null)
    {
        using var model = TinyTraining.Model();
        using var adapters = TinyTraining.Adapters(0, 0);
        IReadOnlyDictionary<string, double> figures = new Dictionary<string, double>();
        DpoTrainer.Train(
            new TrainingContext
            {
                Model = model,
                Options = OneStep,
                Metrics = row => figures = row.Figures,
            },
            adapters,
            [new("ann", pairs ?? Pairs)],
            dpo with
            {
                Reference = DpoReference.Sft,
            }
        );
        return figures;
    }

    static double SupervisedLoss()
    {
        using var model = TinyTraining.Model();
        using var adapters = TinyTraining.Adapters(0, 0);
        var loss = double.NaN;
        SftTrainer.Train(
            new TrainingContext
            {
                Model = model,
                Options = OneStep,
                Metrics = row => loss = row.Figures["loss"],
            },
            adapters,
            [new("ann", [.. Pairs.Select(pair => new SupervisedExample(pair.Id, pair.Prompt, pair.Chosen))])]
        );
        return loss;
    }

    [Fact]
    public void Rpo_adds_the_supervised_loss_of_the_chosen_answers() =>
        Assert.Equal(Math.Log(2) + (0.5 * SupervisedLoss()), FirstStep(new() { RpoAlpha = 0.5 })["loss"], 1e-5);

    [Fact]
    public void A_smoothed_sigmoid_starts_at_the_logarithm_of_two() =>
        Assert.Equal(Math.Log(2), FirstStep(new() { LabelSmoothing = 0.2 })["loss"], 1e-5); // (1 - e) log 2 + e log 2

    [Fact]
    public void Ipo_starts_at_the_square_of_its_target() =>
        // (0 - 1 / (2 * 0.1))^2.
        Assert.Equal(25, FirstStep(new() { Loss = DpoLossKind.Ipo, Beta = 0.1 })["loss"], 1e-3);

    [Fact]
    public void Known_reference_log_probabilities_are_taken_instead_of_computed()
    {
        // The margin of rewards is beta * ((policy - reference of the chosen) - (policy - reference of the rejected)).
        PreferenceExample[] known = [.. Pairs.Select(pair => pair with { Reference = new(-5, -3) })];
        var figures = FirstStep(new() { Beta = 0.1 }, known);
        Assert.Equal(
            0.1 * (figures["logps/chosen"] + 5 - (figures["logps/rejected"] + 3)),
            figures["rewards/margins"],
            1e-5
        );
        // The others are computed, and are what the policy still says.
        var mixed = FirstStep(new() { Beta = 0.1 }, [known[0], .. Pairs[1..]]);
        Assert.NotEqual(0, mixed["rewards/margins"]);
        Assert.True(Math.Abs(mixed["rewards/margins"]) < Math.Abs(figures["rewards/margins"]) * 4);
    }

    [Fact]
    public void What_is_known_of_an_answer_is_not_taken_for_its_beginning()
    {
        PreferenceExample[] known =
        [
            .. Pairs.Select(pair =>
                pair with
                {
                    Reference = new(-5, -3),
                    Prompt = [1, 2, 3],
                    Chosen = [4, 5, 6],
                    Rejected = [7, 8],
                }
            ),
        ];
        Assert.Equal(new ReferenceLogProbs(-5, -3), TrainingRow.FromExample(known[0], 6)!.Reference);
        Assert.Null(TrainingRow.FromExample(known[0], 5)!.Reference);
    }

    [Fact]
    public void Hinge_starts_at_one() => Assert.Equal(1, FirstStep(new() { Loss = DpoLossKind.Hinge })["loss"], 1e-5);
}
