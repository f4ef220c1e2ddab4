using CoPe.Prompts;

namespace CoPe.Data.Tasks;

/// <summary>A task file's content: what the task is, and how it asks.</summary>
/// <param name="Task">Fields, answer, length.</param>
/// <param name="Template">Wording of history items and queries.</param>
public sealed record TaskDefinition(LampTask Task, PromptTemplate Template);
