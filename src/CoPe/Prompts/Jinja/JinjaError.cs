namespace CoPe.Prompts.Jinja;

/// <summary>An error while a template runs; whoever runs it adds the line.</summary>
internal sealed class JinjaError(string reason) : Exception(reason);
