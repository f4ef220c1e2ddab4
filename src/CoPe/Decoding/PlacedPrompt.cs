namespace CoPe.Decoding;

/// <summary>How a new row comes by its prompt.</summary>
/// <param name="Newcomer">Which newcomer it is.</param>
/// <param name="From">Row that it copies the beginning of its prompt from; -1 for none.</param>
/// <param name="Shared">Columns that it copies.</param>
/// <param name="Own">Columns that it computes after those.</param>
/// <param name="Wave">0 where nothing is copied, else one more than the row copied from, which must be ready.</param>
readonly record struct PlacedPrompt(int Newcomer, int From, int Shared, int Own, int Wave)
{
    /// <summary>Columns of its prompt.</summary>
    public int Columns => Shared + Own;
}
