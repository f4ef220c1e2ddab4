namespace CoPe.Training;

/// <summary>What one pass gives. Owns its tensors.</summary>
/// <param name="Gradients"><c>[users, weights]</c> float32.</param>
/// <param name="Figures">Sums of the objective's figures <c>[users, figures]</c> float32.</param>
/// <param name="Tokens">Tokens without padding.</param>
internal sealed record PassResult(Tensor Gradients, Tensor Figures, long Tokens) : IDisposable
{
    public void Dispose()
    {
        Gradients.Dispose();
        Figures.Dispose();
    }
}
