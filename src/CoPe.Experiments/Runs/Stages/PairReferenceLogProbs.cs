using System.Runtime.InteropServices;
using CoPe.Experiments.Negatives;
using CoPe.Training;

namespace CoPe.Experiments.Runs.Stages;

/// <summary>
/// What DPO's reference policies say of a pair's answers, kept by the selection, which has computed it on its way: the
/// preference training need not.
/// </summary>
sealed record PairReferenceLogProbs
{
    /// <summary>Hash of the ids of prompt, chosen and rejected answer; to other ids the numbers mean nothing.</summary>
    public required string Tokens { get; init; }

    /// <summary>Number type that the model computed in.</summary>
    public required string Dtype { get; init; }

    /// <summary>log pi_TAM of both answers, summed over their tokens.</summary>
    public required ReferenceLogProbs Tam { get; init; }

    /// <summary>The same under the user's SFT adapter.</summary>
    public required ReferenceLogProbs Sft { get; init; }

    /// <summary>The numbers of a scored pair.</summary>
    public static PairReferenceLogProbs Create(
        CandidatesToScore item,
        int rejected,
        ScoredCandidates scores,
        string dtype
    )
    {
        var (gold, candidate) = (scores.Gold, scores.Candidates[rejected]);
        return new()
        {
            Tokens = ComputeHash(item.Prompt, item.Gold, item.Candidates[rejected]),
            Dtype = dtype,
            Tam = new((float)gold.TaskLogProb, (float)candidate.TaskLogProb),
            Sft = new((float)gold.UserLogProb, (float)candidate.UserLogProb),
        };
    }

    /// <summary>
    /// The numbers for an example under a reference policy and a number type; null where they are of other tokens (cut
    /// otherwise) or of another type.
    /// </summary>
    public ReferenceLogProbs? Find(PreferenceExample example, DpoReference reference, string dtype) =>
        dtype != Dtype || ComputeHash(example.Prompt, example.Chosen, example.Rejected) != Tokens ? null
        : reference == DpoReference.Sft ? Sft
        : Tam;

    static string ComputeHash(IReadOnlyList<int> prompt, IReadOnlyList<int> chosen, IReadOnlyList<int> rejected) =>
        TrainingFingerprint.Hash(
            MemoryMarshal.AsBytes<int>((int[])[prompt.Count, .. prompt, chosen.Count, .. chosen, .. rejected])
        );
}
