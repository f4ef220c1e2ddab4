using System.Globalization;

namespace CoPe.Experiments.Data.Building;

/// <summary>
/// The structures of a format in Thrift: a line each, its name and then the id and type of every field. A type is
/// <c>truth</c>, <c>byte</c>, <c>number</c> (of 16 to 64 bits), <c>double</c>, <c>text</c> (or bytes), the name of a
/// structure, or one of these in brackets for a list. A structure that no line describes may hold anything.
/// </summary>
sealed class ThriftSchema
{
    readonly Dictionary<(string Structure, int Field), string> _types = [];

    /// <summary>Reads the lines.</summary>
    public ThriftSchema(string lines)
    {
        foreach (var line in lines.Split('\n'))
        {
            var words = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            foreach (var field in words.Skip(1).Chunk(2))
            {
                _types.Add((words[0], int.Parse(field[0], CultureInfo.InvariantCulture)), field[1]);
            }
        }
    }

    /// <summary>The type of a field; null where none is known.</summary>
    public string? FindType(string? structure, int field) =>
        structure is null ? null : _types.GetValueOrDefault((structure, field));
}
