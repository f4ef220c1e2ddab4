namespace CoPe.Tokens.Pipeline;

/// <summary>A step that cuts a piece into smaller ones, which the merges never cross.</summary>
/// <param name="piece">The piece to cut.</param>
/// <param name="output">Receives the parts in order.</param>
internal delegate void PreTokenizerStep(TextPiece piece, List<TextPiece> output);

/// <summary>The pre-tokenizer of a tokenizer.json: its steps, and whether words are spelled in bytes at the end.</summary>
internal sealed class PreTokenizer
{
    readonly PreTokenizerStep[] _steps;

    PreTokenizer(PreTokenizerStep[] steps, bool byteLevel) => (_steps, ByteLevel) = (steps, byteLevel);

    /// <summary>True where the merges work on bytes in the byte-level alphabet.</summary>
    public bool ByteLevel { get; }



    public static PreTokenizer Read(JsonPart part)
    {
        var steps = new List<PreTokenizerStep>();
        var byteLevel = false;
        if (!part.IsAbsent) PreTokenizerReader.Collect(part, steps, ref byteLevel);
        return new PreTokenizer([.. steps], byteLevel);
    }

    /// <summary>The words of a segment; <paramref name="words"/> is cleared first.</summary>
    public void Run(TextPiece segment, List<TextPiece> words, List<TextPiece> spare)
    {
        words.Clear();
        words.Add(segment);
        foreach (var step in _steps)
        {
            spare.Clear();
            spare.AddRange(words);
            words.Clear();
            foreach (var piece in spare) step(piece, words);
        }
    }
}
