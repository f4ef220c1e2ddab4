namespace CoPe.Data.Checking;

/// <summary>Something that is looked for in data.</summary>
/// <param name="Name">Its name in reports, for example <c>leak_text</c>.</param>
/// <param name="Severity">How much it matters.</param>
/// <param name="Summary">What was found, in words.</param>
/// <param name="Fix">What a clean copy does about it.</param>
public sealed record CheckRule(string Name, CheckSeverity Severity, string Summary, string Fix);
