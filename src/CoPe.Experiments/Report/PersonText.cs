using System.Globalization;
using CoPe.Experiments.Evaluation;

namespace CoPe.Experiments.Report;

/// <summary>What a model took up of a person's writing, in plain sentences.</summary>
static class PersonText
{
    const int MaxTraits = 6;

    /// <summary>The sentences, the weightiest first; one that says so where nothing was taken up.</summary>
    public static IReadOnlyList<string> Describe(WritingComparison comparison)
    {
        var sentences = new List<string>();
        if (comparison.BaseDistance is { } before)
        {
            sentences.Add(
                $"style: {DescribeMove(before, comparison.Distance)} "
                    + $"(distance {Number(before)} before, {Number(comparison.Distance)} now; 0 is alike)"
            );
        }

        sentences.AddRange(
            comparison
                .Traits.Where(trait => trait.IsTakenUp)
                .Take(MaxTraits)
                .Select(trait => $"{trait.Name}: {DescribeTrait(trait)}")
        );
        if (comparison.Phrases.Count > 0)
        {
            sentences.Add($"phrases of yours: {string.Join(", ", comparison.Phrases.Select(Quote))}");
        }

        if (sentences.Count <= 1 && !comparison.Traits.Any(trait => trait.IsTakenUp))
        {
            sentences.Add(
                "none of your habits of length, punctuation or phrases could be measured in the answers: "
                    + "more texts, or a larger model, may help"
            );
        }

        return sentences;
    }

    /// <summary>A trait's three numbers.</summary>
    public static string DescribeTrait(WritingTrait trait) =>
        trait.Before is { } before
            ? $"{Number(trait.After)} now, {Number(before)} before, {Number(trait.Own)} in your texts"
            : $"{Number(trait.After)} now, {Number(trait.Own)} in your texts";

    /// <summary>A number as a reader wants it: whole from 10 on, else one or two decimals.</summary>
    public static string Number(double value) =>
        value.ToString(
            value switch
            {
                >= 10 => "0",
                >= 1 => "0.0",
                _ => "0.00",
            },
            CultureInfo.InvariantCulture
        );

    static string DescribeMove(double before, double now) =>
        (before - now) switch
        {
            > 0.02 => "nearer to yours",
            < -0.02 => "farther from yours",
            _ => "as far from yours as before",
        };

    static string Quote(TakenPhrase phrase) => $"\"{phrase.Text}\"";
}
