using System.Text.Json;
using CoPe.Experiments.Tasks;

namespace CoPe.Experiments.Data;

/// <summary>
/// A JSON file whose entries stand in an array: the file itself, or a field of its object. Read entry by entry, so that
/// one is in memory at a time; what stays is copied byte for byte.
/// </summary>
/// <param name="path">The file.</param>
/// <param name="field">The field that holds the array; null where the array is the file.</param>
sealed class JsonArrayFile(string path, string? field)
{
    /// <summary>The entries in UTF-8; each is valid until the next.</summary>
    /// <exception cref="DataFileException">The file is no JSON.</exception>
    public IEnumerable<ReadOnlyMemory<byte>> ReadEntries()
    {
        using var tokens = new JsonTokenStream(path);
        using var entry = new MemoryStream();
        for (var isFirst = true; FindArray(tokens, isFirst); isFirst = false)
        {
            while (ReadEntry(tokens, entry))
            {
                yield return Split(entry).Value;
            }
        }
    }

    /// <summary>Removes entries from the file, which appears whole or not at all.</summary>
    /// <param name="isRemoved">Decides over an entry, given in UTF-8.</param>
    /// <exception cref="DataFileException">The file is no JSON.</exception>
    public void RemoveEntries(Func<ReadOnlyMemory<byte>, bool> isRemoved) =>
        AtomicFile.Write(path, target => CopyTo(target, isRemoved));

    void CopyTo(Stream target, Func<ReadOnlyMemory<byte>, bool> isRemoved)
    {
        using var tokens = new JsonTokenStream(path) { CopyTarget = target };
        for (var isFirst = true; FindArray(tokens, isFirst); isFirst = false)
        {
            CopyEntries(tokens, target, isRemoved);
            tokens.CopyTarget = target;
        }

        tokens.SkipToEndOfDepth(0);
        target.Write("\n"u8);
    }

    static void CopyEntries(JsonTokenStream tokens, Stream target, Func<ReadOnlyMemory<byte>, bool> isRemoved)
    {
        using var entry = new MemoryStream();
        var hasAny = false;
        while (ReadEntry(tokens, entry))
        {
            var (space, value) = Split(entry);
            if (!isRemoved(value))
            {
                target.Write(hasAny ? ","u8 : []);
                target.Write(space.Span);
                target.Write(value.Span);
                hasAny = true;
            }
        }

        target.Write(entry.GetBuffer().AsSpan(0, (int)entry.Length)); // The end of the array.
    }

    /// <summary>Reads an entry with what stands before it; false for the end of the array.</summary>
    static bool ReadEntry(JsonTokenStream tokens, MemoryStream entry)
    {
        entry.SetLength(0);
        tokens.CopyTarget = entry;
        if (!tokens.Read() || tokens.TokenType == JsonTokenType.EndArray)
        {
            return false;
        }

        tokens.Skip();
        return true;
    }

    /// <summary>Blanks before an entry, without the comma, and the entry.</summary>
    static (ReadOnlyMemory<byte> Space, ReadOnlyMemory<byte> Value) Split(MemoryStream entry)
    {
        var written = entry.GetBuffer().AsMemory(0, (int)entry.Length);
        var start = written.Span.IndexOfAnyExcept(" \t\r\n,"u8);
        var comma = written.Span[..start].IndexOf((byte)',');
        return (written[(comma + 1)..start], written[start..]);
    }

    /// <summary>
    /// Goes to the start of the array, or of the next where the field stands twice; false where there is none.
    /// </summary>
    bool FindArray(JsonTokenStream tokens, bool isFirst)
    {
        var expected = field is null ? JsonTokenType.StartArray : JsonTokenType.StartObject;
        if (isFirst && !(tokens.Read() && tokens.TokenType == expected))
        {
            return false;
        }

        if (field is null)
        {
            return isFirst;
        }

        while (tokens.Read() && tokens.TokenType == JsonTokenType.PropertyName)
        {
            var isField = tokens.Text == field;
            tokens.Read();
            if (isField && tokens.TokenType == JsonTokenType.StartArray)
            {
                return true;
            }

            tokens.Skip();
        }

        return false;
    }
}
