using CoPe.Scoring;
using Microsoft.Extensions.Logging;

namespace CoPe.Training;

/// <summary>
/// One row that an adapter learns from: a prompt with one response, or with a chosen and a rejected one.
/// </summary>
/// <param name="Prompt">The prompt and its responses, cut to the training's length.</param>
sealed record TrainingRow(BranchedPrompt Prompt)
{
    /// <summary>
    /// Log-probabilities of a pair's responses under the reference policy; null until they are known.
    /// </summary>
    public ReferenceLogProbs? Reference { get; init; }

    /// <summary>
    /// What is computed before the row, and without its gradient, since the user's adapter acts on the answer alone;
    /// null where the row is computed whole.
    /// </summary>
    public PromptPrefix? Prefix { get; init; }

    /// <summary>The length by which passes are divided.</summary>
    public int PassLength => PromptPrefix.ComputePassLength(Prompt, Prefix);

    /// <summary>Labels of the only response, or of the chosen one.</summary>
    public int FirstResponseLength => Prompt.ResponseLengths[0];

    /// <summary>
    /// The row of a supervised example cut to <paramref name="cutOff"/> tokens on the right; null if no token of the
    /// response is left.
    /// </summary>
    /// <exception cref="ArgumentException">The prompt is empty.</exception>
    public static TrainingRow? FromExample(SupervisedExample example, int cutOff)
    {
        RequirePrompt(example.Prompt, example.Id);
        var response = Truncate(example.Response, example.Prompt, cutOff);
        return response.Length == 0 ? null : new(new BranchedPrompt(example.Prompt, response));
    }

    /// <summary>
    /// The row of a preference pair, each response cut so that it and the prompt have <paramref name="cutOff"/> tokens;
    /// null if no token of one of the responses is left.
    /// </summary>
    /// <param name="example">The pair.</param>
    /// <param name="cutOff">Most tokens of the prompt and a response.</param>
    /// <param name="invocations">Invocation tokens of the adapters that act on the answer alone.</param>
    /// <exception cref="ArgumentException">The prompt is empty.</exception>
    public static TrainingRow? FromExample(
        PreferenceExample example,
        int cutOff,
        params IEnumerable<IReadOnlyList<int>> invocations
    )
    {
        RequirePrompt(example.Prompt, example.Id);
        var chosen = Truncate(example.Chosen, example.Prompt, cutOff);
        var rejected = Truncate(example.Rejected, example.Prompt, cutOff);
        if (chosen.Length == 0 || rejected.Length == 0)
        {
            return null;
        }
        // A log-probability of a whole response says nothing of its beginning.
        var isWhole = chosen.Length == example.Chosen.Count && rejected.Length == example.Rejected.Count;
        return new(BranchedPrompt.Create(example.Prompt, [chosen, rejected], invocations))
        {
            Reference = isWhole ? example.Reference : null,
        };
    }

    static int[] Truncate(IReadOnlyList<int> response, IReadOnlyList<int> prompt, int cutOff) =>
        [.. response.Take(Math.Max(0, cutOff - prompt.Count))];

    static void RequirePrompt(IReadOnlyList<int> prompt, string id)
    {
        if (prompt.Count == 0)
        {
            throw new ArgumentException(
                $"Example {id} has an empty prompt; expected at least one token (BOS, say), "
                    + "because the first token of the response is predicted from it."
            );
        }
    }
}

/// <summary>A user as the training loop knows them.</summary>
/// <param name="Name">Name in metrics and messages.</param>
/// <param name="Seed">Seed of data order and dropout.</param>
/// <param name="Rows">What the user's weights learn from.</param>
/// <param name="DevelopmentRows">What they are measured by while training; empty for none.</param>
sealed record TrainingUser(
    string Name,
    long Seed,
    IReadOnlyList<TrainingRow> Rows,
    IReadOnlyList<TrainingRow> DevelopmentRows
)
{
    /// <summary>The users of supervised training.</summary>
    public static IReadOnlyList<TrainingUser> CreateAll(
        TrainingContext context,
        IReadOnlyList<UserTrainingSet<SupervisedExample>> sets
    ) => CreateAll(context, sets, example => (example.Id, TrainingRow.FromExample(example, context.Options.CutOff)));

    /// <summary>
    /// The users of preference training, under adapters some of which may act from their invocation tokens on alone.
    /// </summary>
    public static IReadOnlyList<TrainingUser> CreateAll(
        TrainingContext context,
        IReadOnlyList<UserTrainingSet<PreferenceExample>> sets,
        IReadOnlyList<IReadOnlyList<int>> invocations
    ) =>
        CreateAll(
            context,
            sets,
            example => (example.Id, TrainingRow.FromExample(example, context.Options.CutOff, invocations))
        );

    static IReadOnlyList<TrainingUser> CreateAll<TExample>(
        TrainingContext context,
        IReadOnlyList<UserTrainingSet<TExample>> sets,
        Func<TExample, (string Id, TrainingRow? Row)> createRow
    )
    {
        return [.. sets.Select(Create)];

        TrainingUser Create(UserTrainingSet<TExample> set) =>
            new(
                set.Name,
                set.Seed ?? SeedDerivation.DeriveForUser(context.Options.Seed, set.Name),
                CreateRows(set.Name, set.Examples),
                CreateRows(set.Name, set.Development)
            );

        List<TrainingRow> CreateRows(string user, IReadOnlyList<TExample> examples)
        {
            var rows = examples.Select(example => CreateRowOrWarn(user, example)).OfType<TrainingRow>().ToList();
            if (rows.Count == 0 && examples.Count > 0)
            {
                context.Logger.LogWarning(
                    "{Stage}: no example of user {User} is left, so the adapter stays as it is.",
                    context.Stage,
                    user
                );
            }
            return rows;
        }

        TrainingRow? CreateRowOrWarn(string user, TExample example)
        {
            var (id, row) = createRow(example);
            if (row is null)
            {
                context.Logger.LogWarning(
                    "{Stage}: example {Example} of user {User} has no answer within the first {CutOff} tokens and is "
                        + "left out; raise the cut-off or shorten the prompt.",
                    context.Stage,
                    id,
                    user,
                    context.Options.CutOff
                );
            }
            return row;
        }
    }
}

/// <summary>A row with the part it plays in a step.</summary>
/// <param name="User">Index of its user.</param>
/// <param name="Example">Index among the user's rows.</param>
/// <param name="Row">The tokens.</param>
/// <param name="Weight">What its loss is multiplied by: one over the loss weight of the user's whole batch.</param>
/// <param name="TokenWeight">One over the labels of the first responses in the user's whole batch.</param>
sealed record PlannedRow(int User, int Example, TrainingRow Row, double Weight, double TokenWeight)
{
    /// <summary>The rows of a user's whole batch.</summary>
    /// <param name="objective">Says what a row counts.</param>
    /// <param name="user">Index of the user.</param>
    /// <param name="rows">All the user's rows.</param>
    /// <param name="batch">Indices of those of the batch.</param>
    public static IEnumerable<PlannedRow> CreateBatch(
        ITrainingObjective objective,
        int user,
        IReadOnlyList<TrainingRow> rows,
        IReadOnlyList<int> batch
    )
    {
        var lossWeight = batch.Sum(example => objective.GetLossWeight(rows[example]));
        var tokens = batch.Sum(example => (double)rows[example].FirstResponseLength);
        return batch.Select(example => new PlannedRow(user, example, rows[example], 1 / lossWeight, 1 / tokens));
    }
}
