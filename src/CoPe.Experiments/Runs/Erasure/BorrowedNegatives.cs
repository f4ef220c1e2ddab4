using CoPe.Experiments.Negatives;

namespace CoPe.Experiments.Runs.Erasure;

/// <summary>Rejected answers that are texts of other users.</summary>
static class BorrowedNegatives
{
    const string KindKey = "negatives.kind";

    /// <summary>
    /// Whether a run has such texts and does not say whose they are, as earlier versions left it: cut, or short, they
    /// cannot be told by their content.
    /// </summary>
    public static bool AreUnattributed(RunDirectory run)
    {
        var marker =
            StageMarker.Read(run.Marker(StageId.SampleNegatives))
            ?? StageMarker.Read(run.StartedMarker(StageId.SampleNegatives));
        var isBorrowed = marker?.Inputs.Any(IsOtherUsersKind) == true;
        return isBorrowed && ReadLines(run.Candidates).Concat(ReadLines(run.Pairs)).Any(LacksOwner);
    }

    static bool IsOtherUsersKind(StageInput input) =>
        input.Kind == InputKinds.Recipe
        && input.Name == KindKey
        && Enum.TryParse<NegativeKind>(input.Value.Trim('"'), ignoreCase: true, out var kind)
        && kind != NegativeKind.Pseudo;

    /// <summary>An item for which no text was found has none to attribute.</summary>
    static bool LacksOwner(string line) =>
        RecordedLine.Parse(line) is { } entry
        && !entry.GetTexts("borrowed_from").Any()
        && entry.AllTexts.Except(entry.GetTexts("user")).Except(entry.GetTexts("item")).Any();

    static IEnumerable<string> ReadLines(string file) => FileKinds.IsReadable(file) ? File.ReadLines(file) : [];
}
