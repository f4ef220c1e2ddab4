namespace CoPe.Evaluation.Report;

/// <summary>What a method changed for one user; a gain above 0 always means better.</summary>
internal sealed record UserGain(string User, double Method, double Baseline, double Gain, int? HistoryLength)
{
    /// <summary>The gain in words, for a hover title.</summary>
    public string Describe(MethodComparison comparison) =>
        $"user {User}: {Figures.Signed(Gain)} ({comparison.Method} {Figures.Value(Method)}, {comparison.Baseline} {Figures.Value(Baseline)}" +
        (HistoryLength is { } length ? $", {Figures.Count(length, "history item")})" : ")");
}
