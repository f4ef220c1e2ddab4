using System.Text.Json;

namespace CoPe.Data.Building;

/// <summary>Examples in JSON: an array of them (questions files), or one a line.</summary>
sealed class JsonExampleFile : IExampleFile
{
    readonly JsonTokenStream tokens;
    DataFilePlace place;

    public JsonExampleFile(string path)
    {
        place = new() { File = path };
        tokens = new(path, isMany: true) { Where = () => place };
    }

    public string File => tokens.File;

    public (long Read, long Length) Progress => (tokens.BytesRead, tokens.Length);

    public IEnumerable<RawExample> Examples(Action<DataFileException> problem)
    {
        if (!tokens.Read()) throw new DataFileException(place, "an empty file", "examples", "Fetch the file again.");
        var isArray = tokens.Type == JsonTokenType.StartArray;
        if (isArray) tokens.Read();
        for (var number = 1; !tokens.IsAtEnd && tokens.Type != JsonTokenType.EndArray; number++, tokens.Read())
        {
            place = new() { File = File, Item = $"number {number}" };
            if (Example(number, problem) is { } example) yield return example;
        }

        if (isArray) tokens.RequireEnd("the array of examples");
    }

    public void Dispose() => tokens.Dispose();

    RawExample? Example(int number, Action<DataFileException> problem)
    {
        var depth = tokens.Depth;
        try
        {
            if (tokens.Type != JsonTokenType.StartObject) throw new DataFileException(place, tokens.Described(), "an object for an example", "The entry is left out: put an object in its place.");
            List<Dictionary<string, string?>?>? items = null;
            var scalars = tokens.ReadScalars(name =>
            {
                if (name != "profile" || tokens.Type != JsonTokenType.StartArray) return false;
                items = Items();
                return true;
            });
            return new(number, scalars, items);
        }
        catch (DataFileException error) when (!tokens.IsBroken)
        {
            tokens.SkipToEndOf(depth);
            problem(error);
            return null;
        }
    }

    List<Dictionary<string, string?>?> Items()
    {
        var items = new List<Dictionary<string, string?>?>();
        while (tokens.Read() && tokens.Type != JsonTokenType.EndArray)
        {
            if (tokens.Type == JsonTokenType.StartObject) items.Add(tokens.ReadScalars());
            else
            {
                items.Add(null);
                tokens.Skip();
            }
        }

        return items;
    }
}
