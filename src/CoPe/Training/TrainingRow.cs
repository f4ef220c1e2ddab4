using Microsoft.Extensions.Logging;

namespace CoPe.Training;

/// <summary>
/// One row of a pass: a prompt with one answer, or with two that share it. An answer's last token is a label only, so
/// it stands in no column.
/// With two answers the columns are <c>[prompt | chosen | rejected]</c>, and the rejected answer neither sees the
/// chosen one nor is placed after it.
/// </summary>
/// <param name="Ids">Token of each column.</param>
/// <param name="LabelColumns">Column whose hidden state predicts each label.</param>
/// <param name="Labels">The labels, those of the first answer first.</param>
/// <param name="FirstLabels">Labels of the first answer.</param>
/// <param name="BranchFrom">Column where the answers part, which is also the length of the prompt.</param>
/// <param name="BranchAt">Column where the second answer begins; the number of columns if there is none.</param>
sealed record TrainingRow(int[] Ids, int[] LabelColumns, int[] Labels, int FirstLabels, int BranchFrom, int BranchAt)
{
    /// <summary>Log-probabilities of both answers under the reference policy, where they are known.</summary>
    public ReferenceLogProbs? Reference { get; init; }

    /// <summary>Whether two answers share the prompt.</summary>
    public bool IsPair => FirstLabels < Labels.Length;

    /// <summary>
    /// The row of a supervised example cut to <paramref name="cutOff"/> tokens on the right; null if no answer is left.
    /// </summary>
    public static TrainingRow? FromExample(SupervisedExample example, int cutOff)
    {
        RequirePrompt(example.Prompt.Count, example.Id);
        var labels = Cut(example.Response, example.Prompt.Count, cutOff);
        if (labels.Length == 0)
        {
            return null;
        }

        int[] ids = [.. example.Prompt, .. labels[..^1]];
        var columns = Enumerable.Range(example.Prompt.Count - 1, labels.Length).ToArray();
        return new(ids, columns, labels, labels.Length, example.Prompt.Count, ids.Length);
    }

    /// <summary>
    /// The row of a preference pair, each answer cut so that it and the prompt have <paramref name="cutOff"/> tokens;
    /// null if one of the answers is gone.
    /// </summary>
    public static TrainingRow? FromExample(PreferenceExample example, int cutOff)
    {
        RequirePrompt(example.Prompt.Count, example.Id);
        var prompt = example.Prompt.Count;
        var chosen = Cut(example.Chosen, prompt, cutOff);
        var rejected = Cut(example.Rejected, prompt, cutOff);
        if (chosen.Length == 0 || rejected.Length == 0)
        {
            return null;
        }

        var branchAt = prompt + chosen.Length - 1;
        int[] columns =
        [
            .. Enumerable.Range(prompt - 1, chosen.Length),
            prompt - 1,
            .. Enumerable.Range(branchAt, rejected.Length - 1),
        ];
        // What is known of an answer is not known of its beginning.
        var whole = chosen.Length == example.Chosen.Count && rejected.Length == example.Rejected.Count;
        return new(
            [.. example.Prompt, .. chosen[..^1], .. rejected[..^1]],
            columns,
            [.. chosen, .. rejected],
            chosen.Length,
            prompt,
            branchAt
        )
        {
            Reference = whole ? example.Reference : null,
        };
    }

    static int[] Cut(IReadOnlyList<int> answer, int prompt, int cutOff) =>
        [.. answer.Take(Math.Max(0, cutOff - prompt))];

    static void RequirePrompt(int tokens, string id)
    {
        if (tokens == 0)
        {
            throw new ArgumentException(
                $"Example {id} has an empty prompt; expected at least one token (BOS, say), because the first token of the answer is predicted from it."
            );
        }
    }
}

/// <summary>A row with the part it plays in a step.</summary>
/// <param name="User">Whose row it is.</param>
/// <param name="Example">Which of his rows.</param>
/// <param name="Row">The tokens.</param>
/// <param name="Weight">What its loss is multiplied by: one over the mass of the user's whole batch.</param>
/// <param name="TokenWeight">One over the labels of the first answers in the user's whole batch.</param>
sealed record PlannedRow(int User, int Example, TrainingRow Row, double Weight, double TokenWeight)
{
    /// <summary>The rows of a user's whole batch.</summary>
    /// <param name="objective">Says what a row counts.</param>
    /// <param name="user">The user.</param>
    /// <param name="rows">All his rows.</param>
    /// <param name="batch">Those of the batch.</param>
    public static IEnumerable<PlannedRow> CreateBatch(
        ITrainingObjective objective,
        int user,
        TrainingRow[] rows,
        IReadOnlyList<int> batch
    )
    {
        var mass = batch.Sum(example => objective.LossWeight(rows[example]));
        var tokens = batch.Sum(example => (double)rows[example].FirstLabels);
        return batch.Select(example => new PlannedRow(user, example, rows[example], 1 / mass, 1 / tokens));
    }
}

/// <summary>Makes rows of examples, leaving out those whose answer lies beyond the cut-off, with a warning.</summary>
static class TrainingRowBuilder
{
    public static IReadOnlyList<TrainingRow[]> CreateRows<TExample>(
        TrainingContext run,
        IReadOnlyList<string> names,
        IReadOnlyList<IReadOnlyList<TExample>> examples,
        Func<TExample, TrainingRow?> row,
        Func<TExample, string> id
    )
    {
        return [.. examples.Select((ofUser, user) => Rows(ofUser, user))];

        TrainingRow[] Rows(IReadOnlyList<TExample> ofUser, int user)
        {
            var rows = ofUser.Select(example => RowOrWarning(example, user)).OfType<TrainingRow>().ToArray();
            if (rows.Length == 0 && ofUser.Count > 0)
            {
                run.Logger.LogWarning(
                    "{Stage}: no example of user {User} is left, so the adapter stays as it is.",
                    run.Stage,
                    names[user]
                );
            }

            return rows;
        }

        TrainingRow? RowOrWarning(TExample example, int user)
        {
            var made = row(example);
            if (made is null)
            {
                run.Logger.LogWarning(
                    "{Stage}: example {Example} of user {User} has no answer within the first {CutOff} tokens and is left out; raise the cut-off or shorten the prompt.",
                    run.Stage,
                    id(example),
                    names[user],
                    run.Options.CutOff
                );
            }

            return made;
        }
    }
}
