using CoPe.Experiments.Evaluation;

namespace CoPe.Experiments.Report;

/// <summary>What the page for a person shows, and the command at its end.</summary>
sealed record PersonModel
{
    /// <summary>Their name.</summary>
    public required string Person { get; init; }

    /// <summary>Texts that the model learned from.</summary>
    public required int LearnedTexts { get; init; }

    /// <summary>Texts that it has never seen, against which it is compared.</summary>
    public required int HeldOutTexts { get; init; }

    /// <summary>The base model's name.</summary>
    public required string Model { get; init; }

    /// <summary>How rate and epochs were chosen, in a line; null where they were given.</summary>
    public string? Training { get; init; }

    /// <summary>What was taken up; null where there is no answer to compare.</summary>
    public WritingComparison? Comparison { get; init; }

    /// <summary>Answers beside the person's own texts.</summary>
    public IReadOnlyList<PersonExample> Examples { get; init; } = [];

    /// <summary>The command that writes more.</summary>
    public required string Command { get; init; }

    /// <summary>What was learned and what is held out, in a sentence.</summary>
    public string DescribeTexts() =>
        $"learned from {Count(LearnedTexts)}; {Count(HeldOutTexts)} held out, which the model has never seen";

    static string Count(int texts) => texts == 1 ? "1 text" : $"{texts} texts";
}

/// <summary>Answers to the request of a text that was held out.</summary>
/// <param name="Request">The request.</param>
/// <param name="Own">What the person wrote.</param>
/// <param name="Answer">What the person's model writes.</param>
/// <param name="Base">What the base model writes; null where it was not asked.</param>
sealed record PersonExample(string Request, string Own, string Answer, string? Base);
