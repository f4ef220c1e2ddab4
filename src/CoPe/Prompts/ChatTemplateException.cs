namespace CoPe.Prompts;

/// <summary>A chat template that cannot be read, uses what is not supported, or refuses a conversation.</summary>
/// <param name="reason">What is wrong; the template's own words where it refuses.</param>
/// <param name="line">Line of the template, from 1.</param>
/// <param name="inner">The error behind it, if any.</param>
public sealed class ChatTemplateException(string reason, int line, Exception? inner = null)
    : FormatException($"chat template, line {line}: {reason}", inner)
{
    /// <summary>What is wrong; the template's own words where it refuses a conversation.</summary>
    public string Reason { get; } = reason;

    /// <summary>Line of the template, from 1.</summary>
    public int Line { get; } = line;
}
