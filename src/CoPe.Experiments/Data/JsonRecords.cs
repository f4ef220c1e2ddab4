using System.Text.Json;
using CoPe.Experiments.Tasks;

namespace CoPe.Experiments.Data;

/// <summary>Records of a data file, put together from its tokens.</summary>
static class JsonRecords
{
    /// <summary>
    /// Reads the object that begins at the current token, to its end: texts, numbers, truth values and nulls by name.
    /// Objects and arrays are offered to <paramref name="takeNested"/> by the name of their field, and skipped where it
    /// returns false.
    /// </summary>
    /// <exception cref="DataFileException">A field stands twice.</exception>
    public static Dictionary<string, string?> ReadScalars(
        this JsonTokenStream json,
        Func<string, bool>? takeNested = null
    )
    {
        var scalars = new Dictionary<string, string?>();
        var taken = new HashSet<string>();
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            var name = json.Text;
            json.Read();
            if (json.TokenType is JsonTokenType.StartObject or JsonTokenType.StartArray)
            {
                if (takeNested?.Invoke(name) != true)
                {
                    json.Skip();
                }
                else if (!taken.Add(name))
                {
                    throw json.DuplicateFieldError(name);
                }
            }
            else if (!scalars.TryAdd(name, json.TokenType == JsonTokenType.Null ? null : json.Text))
            {
                throw json.DuplicateFieldError(name);
            }
        }

        return scalars;
    }
}
