namespace CoPe.Training;

/// <summary>What a step read back from the device.</summary>
/// <param name="Step">Step, counted from 0.</param>
/// <param name="Users">Users who took it.</param>
/// <param name="Values">Figures and gradient norm of every user, <c>[users * (figures + 1)]</c>.</param>
/// <param name="Tokens">Tokens without padding.</param>
/// <param name="Elapsed">Time it took.</param>
internal sealed record StepReading(long Step, int[] Users, float[] Values, long Tokens, TimeSpan Elapsed);
