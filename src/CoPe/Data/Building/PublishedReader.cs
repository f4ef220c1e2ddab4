using System.Text.Json;
using CoPe.Data.Checking;

namespace CoPe.Data.Building;

/// <summary>
/// Reads examples as LaMP and LongLaMP publish them, one at a time: <c>{"id", "input", "profile": [...], "output"?, USER?}</c>, in an array (questions files) or one a line.
/// </summary>
/// <param name="tokens">The file.</param>
/// <param name="task">The task.</param>
/// <param name="userField">Field of the user; null looks for the known ones.</param>
/// <param name="problem">Told of every entry that is left out.</param>
sealed class PublishedReader(JsonTokenStream tokens, LampTask task, string? userField, Action<DataFileException> problem)
{
    /// <summary>Fields in which the published files name the user.</summary>
    static readonly string[] UserFields = ["user_id", "author", "name", "reviewerId", "reviewerID", "user"];

    DataFilePlace place = new() { File = tokens.File };

    /// <summary>The examples in file order.</summary>
    public IEnumerable<PublishedRecord> Records()
    {
        if (!tokens.Read()) throw new DataFileException(place, "an empty file", "examples", "Fetch the file again.");
        var isArray = tokens.Type == JsonTokenType.StartArray;
        if (isArray) tokens.Read();
        for (var number = 1; tokens.Type == JsonTokenType.StartObject; number++, tokens.Read())
        {
            place = new() { File = tokens.File, Item = $"number {number}" };
            if (Record(number) is { } record) yield return record;
        }

        if (tokens.Type != JsonTokenType.EndArray && !tokens.IsAtEnd)
            throw new DataFileException(place with { Item = null }, $"the text \"{tokens.Text}\" between examples", "an object for each example", "The file must be an array of examples, or hold one a line.");
    }

    PublishedRecord? Record(int number)
    {
        List<HistoryItem>? items = null;
        var scalars = tokens.ReadScalars(name =>
        {
            if (name != "profile" || tokens.Type != JsonTokenType.StartArray) return false;
            items = Items();
            return true;
        });
        var id = scalars.GetValueOrDefault("id", $"{number}");
        place = place with { Item = id };
        if (!scalars.TryGetValue("input", out var input)) return Lacking("input", scalars.Keys);
        if (items is null) return Lacking("profile", scalars.Keys);
        var user = userField is null ? UserFields.Select(scalars.GetValueOrDefault).FirstOrDefault(value => value is not null) : scalars.GetValueOrDefault(userField);
        return userField is not null && user is null ? Lacking(userField, scalars.Keys)
            : new(user, new() { Id = id, Input = input, Gold = scalars.GetValueOrDefault("output", "") }, items);
    }

    List<HistoryItem> Items()
    {
        var items = new List<HistoryItem>();
        for (var number = 1; tokens.Read() && tokens.Type != JsonTokenType.EndArray; number++)
        {
            if (tokens.Type is not JsonTokenType.StartObject)
            {
                tokens.Skip();
                continue;
            }

            if (Item(tokens.ReadScalars(), number) is { } item) items.Add(item);
        }

        return items;
    }

    HistoryItem? Item(Dictionary<string, string> fields, int number)
    {
        fields.Remove("id", out var id);
        var lacking = task.InputFields.Append(task.OutputField).FirstOrDefault(field => !fields.ContainsKey(field));
        if (lacking is null && !string.IsNullOrWhiteSpace(fields[task.OutputField]))
            // Files without ids: the text itself tells one item from another, also across the records of a user.
            return new() { Id = id ?? $"t{TextKey.Of(string.Join('\n', task.InputFields.Append(task.OutputField).Select(field => fields[field])), 1):x}", Fields = fields };
        problem(new(place with { Item = $"profile item {id ?? $"number {number}"}", Field = lacking ?? task.OutputField }, lacking is null ? "an empty text" : "no such field", "a text", "The item is left out."));
        return null;
    }

    PublishedRecord? Lacking(string field, IEnumerable<string> found)
    {
        problem(new(place with { Field = field }, $"only the fields {string.Join(", ", found)}", $"the field {field}", "The example is left out."));
        return null;
    }
}
