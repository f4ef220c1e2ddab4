using CoPe.Tokens;

namespace CoPe.Training;

/// <summary>Supervised training of one adapter (the task's) or of several at once (one a user).</summary>
public sealed class SftRun : AdapterTrainingRun<SupervisedExample>;
