using System.Text.Json;
using CoPe.Experiments.Tasks;

namespace CoPe.Experiments.Data.Building;

/// <summary>A published file, read an example at a time.</summary>
interface IExampleFile : IDisposable
{
    /// <summary>The file.</summary>
    string File { get; }

    /// <summary>How much of the file was read, in bytes, and how long it is.</summary>
    (long Read, long Length) Position { get; }

    /// <summary>The examples in file order; one that cannot be read is reported and left out.</summary>
    IEnumerable<RawExample> ReadExamples(Action<DataFileException> onProblem);
}

/// <summary>An example as a published file holds it.</summary>
/// <param name="Number">Its place in the file, counted from 1.</param>
/// <param name="Scalars">Its texts and numbers by name; null where the file says null.</param>
/// <param name="Profile">Its history; null where there is no profile.</param>
sealed record RawExample(int Number, IReadOnlyDictionary<string, string?> Scalars, PublishedProfile? Profile);

/// <summary>Examples in JSON: an array of them (questions files), or one per line.</summary>
sealed class JsonExampleFile : IExampleFile
{
    readonly JsonTokenStream _tokens;
    DataFileLocation _location;

    public JsonExampleFile(string path)
    {
        _location = new() { File = path };
        _tokens = new(path, allowsMany: true) { GetLocation = () => _location };
    }

    public string File => _tokens.File;

    public (long Read, long Length) Position => (_tokens.BytesRead, _tokens.Length);

    public IEnumerable<RawExample> ReadExamples(Action<DataFileException> onProblem)
    {
        if (!_tokens.Read())
        {
            throw new DataFileException(_location, "an empty file", "examples", "Fetch the file again.");
        }

        var isArray = _tokens.TokenType == JsonTokenType.StartArray;
        if (isArray)
        {
            _tokens.Read();
        }

        for (var number = 1; !_tokens.IsAtEnd && _tokens.TokenType != JsonTokenType.EndArray; number++, _tokens.Read())
        {
            _location = new() { File = File, Item = $"number {number}" };
            if (ReadExample(number, onProblem) is { } example)
            {
                yield return example;
            }
        }

        if (isArray)
        {
            _tokens.RequireEnd("the array of examples");
        }
    }

    public void Dispose() => _tokens.Dispose();

    RawExample? ReadExample(int number, Action<DataFileException> onProblem)
    {
        var depth = _tokens.Depth;
        try
        {
            if (_tokens.TokenType != JsonTokenType.StartObject)
            {
                throw new DataFileException(
                    _location,
                    _tokens.DescribeToken(),
                    "an object for an example",
                    "The entry is left out: put an object in its place."
                );
            }

            PublishedProfile? profile = null;
            var scalars = _tokens.ReadScalars(name =>
            {
                if (name != "profile")
                {
                    return false;
                }

                profile =
                    _tokens.TokenType == JsonTokenType.StartArray
                        ? new(ReadItems())
                        : PublishedProfile.FromColumns(ReadColumns());
                return true;
            });
            if (scalars.Remove("profile", out var text) && text is not null)
            {
                profile = PublishedProfile.FromText(text);
            }

            return new(number, scalars, profile);
        }
        catch (DataFileException error) when (!_tokens.IsBroken)
        {
            _tokens.SkipToEndOfDepth(depth);
            onProblem(error);
            return null;
        }
    }

    List<Dictionary<string, string?>?> ReadItems()
    {
        var items = new List<Dictionary<string, string?>?>();
        while (_tokens.Read() && _tokens.TokenType != JsonTokenType.EndArray)
        {
            if (_tokens.TokenType == JsonTokenType.StartObject)
            {
                items.Add(_tokens.ReadScalars());
            }
            else
            {
                items.Add(_tokens.TokenType == JsonTokenType.String ? PublishedProfile.ReadItem(_tokens.Text) : null);
                _tokens.Skip();
            }
        }

        return items;
    }

    Dictionary<string, IReadOnlyList<string?>?> ReadColumns()
    {
        var columns = new Dictionary<string, IReadOnlyList<string?>?>();
        var single = _tokens.ReadScalars(name =>
        {
            if (_tokens.TokenType == JsonTokenType.StartArray)
            {
                columns[name] = ReadColumn();
                return true;
            }

            columns[name] = null;
            return false;
        });
        foreach (var name in single.Keys)
        {
            columns[name] = null;
        }

        return columns;
    }

    List<string?> ReadColumn()
    {
        var values = new List<string?>();
        while (_tokens.Read() && _tokens.TokenType != JsonTokenType.EndArray)
        {
            var isScalar =
                _tokens.TokenType is not (JsonTokenType.Null or JsonTokenType.StartObject or JsonTokenType.StartArray);
            values.Add(isScalar ? _tokens.Text : null);
            _tokens.Skip();
        }

        return values;
    }
}
