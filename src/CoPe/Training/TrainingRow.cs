using CoPe.Tokens;

namespace CoPe.Training;

/// <summary>
/// One row of a pass: a prompt with one answer, or with two that share it. An answer's last token is a label only, so it stands in no column.
/// With two answers the columns are <c>[prompt | chosen | rejected]</c>, and the rejected answer neither sees the chosen one nor is placed after it.
/// </summary>
/// <param name="Ids">Token of each column.</param>
/// <param name="LabelColumns">Column whose hidden state predicts each label.</param>
/// <param name="Labels">The labels, those of the first answer first.</param>
/// <param name="FirstLabels">Labels of the first answer.</param>
/// <param name="BranchFrom">Column where the answers part, which is also the length of the prompt.</param>
/// <param name="BranchAt">Column where the second answer begins; the number of columns if there is none.</param>
internal sealed record TrainingRow(int[] Ids, int[] LabelColumns, int[] Labels, int FirstLabels, int BranchFrom, int BranchAt)
{
    /// <summary>Log-probabilities of both answers under the reference policy, where they are known.</summary>
    public ReferenceLogProbs? Reference { get; init; }

    /// <summary>Whether two answers share the prompt.</summary>
    public bool IsPair => FirstLabels < Labels.Length;

    /// <summary>The row of a supervised example cut to <paramref name="cutOff"/> tokens on the right; null if no answer is left.</summary>
    public static TrainingRow? Of(SupervisedExample example, int cutOff)
    {
        RequirePrompt(example.Prompt.Count, example.Id);
        var labels = Cut(example.Response, example.Prompt.Count, cutOff);
        if (labels.Length == 0) return null;
        int[] ids = [.. example.Prompt, .. labels[..^1]];
        var columns = Enumerable.Range(example.Prompt.Count - 1, labels.Length).ToArray();
        return new(ids, columns, labels, labels.Length, example.Prompt.Count, ids.Length);
    }

    /// <summary>The row of a preference pair, each answer cut so that it and the prompt have <paramref name="cutOff"/> tokens; null if one of the answers is gone.</summary>
    public static TrainingRow? Of(PreferenceExample example, int cutOff)
    {
        RequirePrompt(example.Prompt.Count, example.Id);
        var prompt = example.Prompt.Count;
        var chosen = Cut(example.Chosen, prompt, cutOff);
        var rejected = Cut(example.Rejected, prompt, cutOff);
        if (chosen.Length == 0 || rejected.Length == 0) return null;
        var branchAt = prompt + chosen.Length - 1;
        int[] columns = [.. Enumerable.Range(prompt - 1, chosen.Length), prompt - 1, .. Enumerable.Range(branchAt, rejected.Length - 1)];
        var whole = chosen.Length == example.Chosen.Count && rejected.Length == example.Rejected.Count; // what is known of an answer is not known of its beginning
        return new([.. example.Prompt, .. chosen[..^1], .. rejected[..^1]], columns, [.. chosen, .. rejected], chosen.Length, prompt, branchAt) { Reference = whole ? example.Reference : null };
    }

    static int[] Cut(IReadOnlyList<int> answer, int prompt, int cutOff) => [.. answer.Take(Math.Max(0, cutOff - prompt))];

    static void RequirePrompt(int tokens, string id)
    {
        if (tokens == 0) throw new ArgumentException($"Example {id} has an empty prompt; expected at least one token (BOS, say), because the first token of the answer is predicted from it.");
    }
}
