namespace CoPe.Evaluation.Report;

/// <summary>An open element; disposing it writes the end tag.</summary>
internal readonly struct MarkupElement(Markup markup) : IDisposable
{
    /// <inheritdoc/>
    public void Dispose() => markup.Close();
}
