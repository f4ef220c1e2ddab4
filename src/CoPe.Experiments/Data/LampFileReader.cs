using System.Text.Json;
using CoPe.Experiments.Tasks;

namespace CoPe.Experiments.Data;

/// <summary>
/// Reads the users of one LaMP file, one at a time. With <paramref name="problem"/> set, an entry that is not as the
/// task needs it is reported there and left out, and reading goes on behind it;
/// identifiers that stand twice are then not looked for.
/// </summary>
sealed class LampFileReader(JsonTokenStream tokens, LampTask task, Action<DataFileException>? problem = null)
{
    DataFileLocation _place = new() { File = tokens.File };

    /// <summary>The users in file order; a user is whole when he is handed out.</summary>
    public IEnumerable<LampUser> ReadUsers()
    {
        tokens.GetLocation = () => _place;
        tokens.Read();
        Expect(JsonTokenType.StartArray, "an array of users");
        for (var number = 1; tokens.Read() && tokens.TokenType != JsonTokenType.EndArray; number++)
        {
            _place = new() { File = tokens.File, User = $"number {number}" };
            if (ReadOrReport(_ => ReadUser(), number) is { } user)
            {
                yield return user;
            }
        }
        _place = new() { File = tokens.File };
        tokens.RequireEnd("the array of users");
    }

    /// <summary>The golds of a label file by query identifier.</summary>
    public Dictionary<string, string> ReadGolds()
    {
        var golds = new Dictionary<string, string>();
        tokens.GetLocation = () => _place;
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
                    Report(Duplicate(id, "labels"));
                }
            }
        }
        _place = _place with { Item = null, Field = "golds" };
        if (!found)
        {
            throw Error("no such field", "an array of labels, each with id and output", "Add it.");
        }

        tokens.RequireEnd("the object with the golds");
        return golds;
    }

    LampUser ReadUser()
    {
        Expect(JsonTokenType.StartObject, "an object with user_id, profile and query");
        string? id = null,
            name = null;
        List<HistoryItem>? profile = null;
        List<LampQuery>? queries = null;
        while (NextProperty())
        {
            if (
                tokens.Text switch
                {
                    "user_id" => id is not null,
                    "profile" => profile is not null,
                    "query" => queries is not null,
                    _ => false,
                }
            )
            {
                throw tokens.DuplicateFieldError(tokens.Text);
            }

            switch (tokens.Text)
            {
                case "user_id":
                    id = ReadScalar("user_id");
                    RequireId(id ?? throw Missing("user_id", "null"), "user_id");
                    _place = _place with { User = id };
                    break;
                case "user_name":
                    name = ReadScalar("user_name");
                    break;
                case "profile":
                    profile = ReadArray("profile", ReadItem);
                    break;
                case "query":
                    queries = ReadArray("query", ReadQuery);
                    break;
                default:
                    tokens.Skip();
                    break;
            }
        }
        _place = _place with { Item = null, Field = null };
        if (id is null)
        {
            throw Missing("user_id", "no such field");
        }

        if (profile is null)
        {
            throw Missing("profile", "no such field", "an array");
        }

        if (problem is null)
        {
            RefuseDuplicates(profile.Select(item => item.Id), "history items");
        }

        return new()
        {
            Id = id,
            Name = name,
            History = profile,
            Queries = queries ?? throw Missing("query", "no such field", "an array"),
        };
    }

    HistoryItem ReadItem(int number)
    {
        var fields = ReadFields("history item", number, out var id);
        _place = _place with { Item = id ?? $"number {number}" };
        foreach (var name in task.InputFields.Append(task.OutputField))
        {
            Required(fields, name);
        }

        if (string.IsNullOrWhiteSpace(fields[task.OutputField]))
        {
            throw Missing(task.OutputField, "an empty text");
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
        _place = _place with { Item = id ?? $"query number {number}" };
        return new()
        {
            Id = id ?? throw Missing("id", "no such field"),
            Input = Required(fields, "input"),
            Gold = fields.GetValueOrDefault("gold") ?? "",
        };
    }

    Label ReadLabel(int number)
    {
        var fields = ReadFields("label", number, out var id);
        _place = _place with { Item = id ?? $"number {number}" };
        return new(id ?? throw Missing("id", "no such field"), Required(fields, "output"));
    }

    Dictionary<string, string?> ReadFields(string what, int number, out string? id)
    {
        _place = _place with { Item = $"number {number}" };
        Expect(JsonTokenType.StartObject, $"an object for a {what}");
        var fields = new Dictionary<string, string?>();
        while (NextProperty())
        {
            var name = tokens.Text;
            tokens.Read();
            var isNested = tokens.TokenType is JsonTokenType.StartObject or JsonTokenType.StartArray;
            if (isNested && IsNeeded(name))
            {
                throw Missing(name, tokens.DescribeToken());
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
            RequireId(id, "id");
        }

        return fields;
    }

    bool IsNeeded(string field) => field == task.OutputField || task.InputFields.Contains(field);

    string Required(Dictionary<string, string?> fields, string name) =>
        fields.TryGetValue(name, out var text)
            ? text ?? throw Missing(name, "null")
            : throw Missing(
                name,
                fields.Count == 0 ? "no field at all" : $"only the fields {string.Join(", ", fields.Keys)}"
            );

    List<T> ReadArray<T>(string field, Func<int, T> element)
    {
        tokens.Read();
        _place = _place with { Item = null, Field = field };
        Expect(JsonTokenType.StartArray, "an array");
        _place = _place with { Field = null };
        var list = new List<T>();
        for (var number = 1; tokens.Read() && tokens.TokenType != JsonTokenType.EndArray; number++)
        {
            if (ReadOrReport(element, number) is { } read)
            {
                list.Add(read);
            }
        }

        return list;
    }

    /// <summary>The element, or nothing where it was reported as faulty and passed over.</summary>
    T? ReadOrReport<T>(Func<int, T> element, int number)
    {
        var (depth, outside) = (tokens.Depth, _place);
        try
        {
            return element(number);
        }
        catch (DataFileException error) when (problem is not null && !tokens.IsBroken)
        {
            tokens.SkipToEndOfDepth(depth);
            _place = outside;
            problem(error);
            return default;
        }
    }

    void Report(DataFileException error) => (problem ?? throw error)(error);

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

        _place = _place with { Field = field };
        throw Error(tokens.DescribeToken(), "a text or a number", "Correct the value.");
    }

    void RequireId(string id, string field)
    {
        if (IdValidation.FindFault(id) is not { } fault)
        {
            return;
        }

        _place = _place with { Field = field };
        throw Error(fault, IdValidation.Expected, "Correct it.");
    }

    bool NextProperty() => tokens.Read() && tokens.TokenType == JsonTokenType.PropertyName;

    void RefuseDuplicates(IEnumerable<string> ids, string what)
    {
        var seen = new HashSet<string>();
        foreach (var id in ids)
        {
            if (!seen.Add(id))
            {
                throw Duplicate(id, what);
            }
        }
    }

    void Expect(JsonTokenType type, string expected)
    {
        if (tokens.TokenType != type)
        {
            throw Error(tokens.DescribeToken(), expected, "See docs/data.md for the format.");
        }
    }

    DataFileException Missing(string field, string found, string expected = "a text")
    {
        _place = _place with { Field = field };
        return Error(found, expected, $"Task {task.Name} needs it: add the field, or take the entry out.");
    }

    DataFileException Duplicate(string id, string what) =>
        Error($"two {what} with the id \"{id}\"", "each id once", "Rename or take out one of them.");

    DataFileException Error(string found, string expected, string advice) => new(_place, found, expected, advice);

    sealed record Label(string Id, string Output);
}
