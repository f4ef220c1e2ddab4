namespace CoPe.Runs.Stages;

/// <summary>Shows the items done of a stage, with the figures that the engine below reports.</summary>
/// <param name="inner">Who shows it.</param>
/// <param name="stage">The stage.</param>
/// <param name="done">Items done before.</param>
/// <param name="total">Items in all.</param>
sealed class ItemProgress(IProgress<StageProgress> inner, string stage, long done, long total) : IProgress<StageProgress>
{
    IReadOnlyDictionary<string, double> figures = new Dictionary<string, double>();
    string? latest;

    /// <inheritdoc/>
    public void Report(StageProgress value)
    {
        figures = value.Figures;
        Show();
    }

    /// <summary>One item more is done.</summary>
    public void Finished(string user)
    {
        latest = user;
        done++;
        Show();
    }

    void Show() => inner.Report(new StageProgress { Stage = stage, User = latest, Done = done, Total = total, Unit = "items", Figures = figures });
}
