using System.Text.Json;
using CoPe.Experiments.Tasks;

namespace CoPe.Experiments.Data;

/// <summary>Reads the users of one LaMP file, one at a time.</summary>
/// <param name="tokens">The file.</param>
/// <param name="task">Says which fields are needed.</param>
/// <param name="onProblem">
/// Called with every entry that is not as the task needs it; the entry is left out, and reading continues behind it.
/// Duplicate identifiers are then not searched for. Null throws instead.
/// </param>
sealed class LampFileReader(JsonTokenStream tokens, LampTask task, Action<DataFileException>? onProblem = null)
{
    DataFileLocation _location = new() { File = tokens.File };

    /// <summary>The users in file order; each is complete when it is returned.</summary>
    public IEnumerable<LampUser> ReadUsers()
    {
        tokens.GetLocation = () => _location;
        tokens.Read();
        Expect(JsonTokenType.StartArray, "an array of users");
        for (var number = 1; tokens.Read() && tokens.TokenType != JsonTokenType.EndArray; number++)
        {
            _location = new() { File = tokens.File, User = $"number {number}" };
            if (ReadOrReport(_ => ReadUser(), number) is { } user)
            {
                yield return user;
            }
        }
        _location = new() { File = tokens.File };
        tokens.RequireEnd("the array of users");
    }

    /// <summary>The golds of a label file by query identifier.</summary>
    public Dictionary<string, string> ReadGolds()
    {
        var golds = new Dictionary<string, string>();
        tokens.GetLocation = () => _location;
        tokens.Read();
        Expect(JsonTokenType.StartObject, "an object with task and golds");
        var found = false;
        while (NextProperty())
        {
            if (tokens.Text != "golds")
            {
                tokens.Skip();
                continue;
            }
            if (found)
            {
                throw tokens.DuplicateFieldError("golds");
            }

            found = true;
            foreach (var (id, output) in ReadArray("golds", ReadLabel))
            {
                if (!golds.TryAdd(id, output))
                {
                    Report(CreateDuplicateError(id, "labels"));
                }
            }
        }
        _location = _location with { Item = null, Field = "golds" };
        if (!found)
        {
            throw CreateError("no such field", "an array of labels, each with id and output", "Add it.");
        }

        tokens.RequireEnd("the object with the golds");
        return golds;
    }

    LampUser ReadUser()
    {
        Expect(JsonTokenType.StartObject, "an object with user_id, profile and query");
        string? id = null;
        string? name = null;
        List<HistoryItem>? history = null;
        List<LampQuery>? queries = null;
        while (NextProperty())
        {
            var isDuplicate = tokens.Text switch
            {
                "user_id" => id is not null,
                "profile" => history is not null,
                "query" => queries is not null,
                _ => false,
            };
            if (isDuplicate)
            {
                throw tokens.DuplicateFieldError(tokens.Text);
            }

            switch (tokens.Text)
            {
                case "user_id":
                    id = ReadScalar("user_id") ?? throw CreateMissingError("user_id", "null");
                    RequireVisibleId(id, "user_id");
                    _location = _location with { User = id };
                    break;
                case "user_name":
                    name = ReadScalar("user_name");
                    break;
                case "profile":
                    history = ReadArray("profile", ReadItem);
                    break;
                case "query":
                    queries = ReadArray("query", ReadQuery);
                    break;
                default:
                    tokens.Skip();
                    break;
            }
        }
        _location = _location with { Item = null, Field = null };
        if (id is null)
        {
            throw CreateMissingError("user_id", "no such field");
        }

        if (history is null)
        {
            throw CreateMissingError("profile", "no such field", "an array");
        }

        if (onProblem is null)
        {
            RefuseDuplicates(history.Select(item => item.Id), "history items");
        }

        if (queries is null)
        {
            throw CreateMissingError("query", "no such field", "an array");
        }

        return new()
        {
            Id = id,
            Name = name,
            History = history,
            Queries = queries,
        };
    }

    HistoryItem ReadItem(int number)
    {
        var fields = ReadFields("history item", number, out var id);
        _location = _location with { Item = id ?? $"number {number}" };
        foreach (var name in task.InputFields.Append(task.OutputField))
        {
            RequireField(fields, name);
        }

        if (string.IsNullOrWhiteSpace(fields[task.OutputField]))
        {
            throw CreateMissingError(task.OutputField, "an empty text");
        }
        // Some published files number no items; the place in the history is then the identifier.
        return new()
        {
            Id = id ?? $"#{number}",
            Fields = fields.Where(pair => pair.Value is not null).ToDictionary(pair => pair.Key, pair => pair.Value!),
        };
    }

    LampQuery ReadQuery(int number)
    {
        var fields = ReadFields("query", number, out var id);
        _location = _location with { Item = id ?? $"query number {number}" };
        return new()
        {
            Id = id ?? throw CreateMissingError("id", "no such field"),
            Input = RequireField(fields, "input"),
            Gold = fields.GetValueOrDefault("gold") ?? "",
        };
    }

    Label ReadLabel(int number)
    {
        var fields = ReadFields("label", number, out var id);
        _location = _location with { Item = id ?? $"number {number}" };
        return new(id ?? throw CreateMissingError("id", "no such field"), RequireField(fields, "output"));
    }

    Dictionary<string, string?> ReadFields(string kind, int number, out string? id)
    {
        _location = _location with { Item = $"number {number}" };
        Expect(JsonTokenType.StartObject, $"an object for a {kind}");
        var fields = new Dictionary<string, string?>();
        while (NextProperty())
        {
            var name = tokens.Text;
            tokens.Read();
            var isNested = tokens.TokenType is JsonTokenType.StartObject or JsonTokenType.StartArray;
            if (isNested && IsNeeded(name))
            {
                throw CreateMissingError(name, tokens.DescribeToken());
            }

            if (isNested)
            {
                tokens.Skip();
            }
            else if (!fields.TryAdd(name, tokens.TokenType == JsonTokenType.Null ? null : tokens.Text))
            {
                throw tokens.DuplicateFieldError(name);
            }
        }
        if (fields.Remove("id", out id) && id is not null)
        {
            RequireVisibleId(id, "id");
        }

        return fields;
    }

    bool IsNeeded(string field) => field == task.OutputField || task.InputFields.Contains(field);

    string RequireField(Dictionary<string, string?> fields, string name)
    {
        if (fields.TryGetValue(name, out var text))
        {
            return text ?? throw CreateMissingError(name, "null");
        }

        var found = fields.Count == 0 ? "no field at all" : $"only the fields {string.Join(", ", fields.Keys)}";
        throw CreateMissingError(name, found);
    }

    List<T> ReadArray<T>(string field, Func<int, T> readElement)
    {
        tokens.Read();
        _location = _location with { Item = null, Field = field };
        Expect(JsonTokenType.StartArray, "an array");
        _location = _location with { Field = null };
        var list = new List<T>();
        for (var number = 1; tokens.Read() && tokens.TokenType != JsonTokenType.EndArray; number++)
        {
            if (ReadOrReport(readElement, number) is { } read)
            {
                list.Add(read);
            }
        }

        return list;
    }

    /// <summary>The element, or the default where it was reported as faulty and skipped.</summary>
    T? ReadOrReport<T>(Func<int, T> readElement, int number)
    {
        var depth = tokens.Depth;
        var outerLocation = _location;
        try
        {
            return readElement(number);
        }
        catch (DataFileException error) when (onProblem is not null && !tokens.IsBroken)
        {
            tokens.SkipToEndOfDepth(depth);
            _location = outerLocation;
            onProblem(error);
            return default;
        }
    }

    void Report(DataFileException error)
    {
        if (onProblem is null)
        {
            throw error;
        }

        onProblem(error);
    }

    string? ReadScalar(string field)
    {
        tokens.Read();
        if (tokens.TokenType == JsonTokenType.Null)
        {
            return null;
        }

        if (tokens.TokenType is JsonTokenType.String or JsonTokenType.Number)
        {
            return tokens.Text;
        }

        _location = _location with { Field = field };
        throw CreateError(tokens.DescribeToken(), "a text or a number", "Correct the value.");
    }

    void RequireVisibleId(string id, string field)
    {
        var fault = IdValidation.FindFault(id);
        if (fault is not null)
        {
            _location = _location with { Field = field };
            throw CreateError(fault, IdValidation.Expected, "Correct it.");
        }
    }

    bool NextProperty() => tokens.Read() && tokens.TokenType == JsonTokenType.PropertyName;

    void RefuseDuplicates(IEnumerable<string> ids, string kind)
    {
        var seen = new HashSet<string>();
        foreach (var id in ids)
        {
            if (!seen.Add(id))
            {
                throw CreateDuplicateError(id, kind);
            }
        }
    }

    void Expect(JsonTokenType type, string expected)
    {
        if (tokens.TokenType != type)
        {
            throw CreateError(tokens.DescribeToken(), expected, "See docs/data.md for the format.");
        }
    }

    DataFileException CreateMissingError(string field, string found, string expected = "a text")
    {
        _location = _location with { Field = field };
        return CreateError(found, expected, $"Task {task.Name} needs it: add the field, or take the entry out.");
    }

    DataFileException CreateDuplicateError(string id, string kind) =>
        CreateError($"two {kind} with the id \"{id}\"", "each id once", "Rename or take out one of them.");

    DataFileException CreateError(string found, string expected, string advice) =>
        new(_location, found, expected, advice);

    sealed record Label(string Id, string Output);
}
