using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using CoPe.Data;

namespace CoPe.Runs.Privacy;

/// <summary>A user in a task's data files.</summary>
/// <param name="folder">The task's data folder.</param>
/// <param name="task">The task.</param>
sealed class UserData(string folder, LampTask task)
{
    static readonly JsonSerializerOptions Layout = new() { WriteIndented = true, IndentSize = 1, NewLine = "\n", Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    static readonly JsonReaderOptions Deep = new() { MaxDepth = 1 << 24 };

    string Users => Path.Combine(folder, LampFiles.UsersFile);

    string Labels => Path.Combine(folder, LampFiles.LabelsFile);

    string Others => Path.Combine(folder, LampFiles.OthersFile);

    /// <summary>The task.</summary>
    public LampTask Task => task;

    /// <summary>The test users, golds filled in where they are known.</summary>
    public IEnumerable<LampUser> Read()
    {
        if (!File.Exists(Users)) yield break;
        var golds = Golds();
        using var tokens = new JsonTokenStream(Users);
        foreach (var user in new LampFileReader(tokens, task).Users())
            yield return user with { Queries = [.. user.Queries.Select(query => query.Gold.Length > 0 ? query : query with { Gold = golds.GetValueOrDefault(query.Id, "") })] };
    }

    /// <summary>Whether he is among the other users, on whom the task-adaptive model was trained.</summary>
    public bool IsOther(string id)
    {
        if (!File.Exists(Others)) return false;
        using var tokens = new JsonTokenStream(Others);
        return new LampFileReader(tokens, task).Users().Any(user => user.Id == id);
    }

    /// <summary>
    /// Writes the files anew without a user, all else as it stands in them; without the last user, there are no files of test users.
    /// The labels come first: by the file of the users it is known which are his, should this be interrupted.
    /// </summary>
    public void TakeOut(LampUser gone)
    {
        if (Read().All(user => user.Id == gone.Id))
        {
            AtomicFile.Remove(Labels);
            AtomicFile.Remove(Users);
            return;
        }

        TakeOutLabels([.. gone.Queries.Select(query => query.Id)]);
        AtomicFile.Write(Users, stream => CopyOthers(stream, gone.Id));
    }

    void TakeOutLabels(HashSet<string> queries)
    {
        if (!File.Exists(Labels)) return;
        JsonNode? root;
        using (var stream = Utf8Stream.Of(File.OpenRead(Labels))) root = JsonNode.Parse(stream);
        if (root?["golds"] is not JsonArray golds) return;
        var his = golds.Where(gold => gold is JsonObject entry && entry["id"]?.ToString() is { } id && queries.Contains(id)).ToList();
        if (his.Count == 0) return;
        foreach (var gold in his) golds.Remove(gold);
        AtomicFile.WriteText(Labels, root.ToJsonString(Layout));
    }

    /// <summary>Copies the entries of the other users byte for byte, one at a time.</summary>
    void CopyOthers(Stream target, string gone)
    {
        using var tokens = new JsonTokenStream(Users);
        using var entry = new MemoryStream();
        tokens.Read();
        var before = "[\n"u8;
        while (tokens.Read() && tokens.Type != JsonTokenType.EndArray)
        {
            if (tokens.Type != JsonTokenType.StartObject) throw new DataFileException(new() { File = Users }, tokens.Described(), "an object with user_id, profile and query", "See docs/data.md for the format.");
            entry.SetLength(0);
            tokens.CopyObject(entry);
            var bytes = entry.GetBuffer().AsSpan(0, (int)entry.Length);
            if (IdIn(bytes) == gone) continue;
            target.Write(before);
            target.Write(bytes);
            before = ",\n"u8;
        }

        target.Write("\n]\n"u8);
    }

    static string? IdIn(ReadOnlySpan<byte> user)
    {
        var reader = new Utf8JsonReader(user, Deep);
        reader.Read();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var isId = reader.ValueTextEquals("user_id"u8);
            reader.Read();
            if (isId) return reader.TokenType == JsonTokenType.String ? reader.GetString() : Encoding.UTF8.GetString(reader.ValueSpan);
            reader.Skip();
        }

        return null;
    }

    Dictionary<string, string> Golds()
    {
        if (!File.Exists(Labels)) return [];
        using var tokens = new JsonTokenStream(Labels);
        return new LampFileReader(tokens, task).Golds();
    }
}
