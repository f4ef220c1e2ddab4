using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using CoPe.Experiments.Data;
using CoPe.Experiments.Tasks;

namespace CoPe.Experiments.Runs.Erasure;

/// <summary>Finds users in a task's data files, and removes them from these.</summary>
/// <param name="folder">The task's data folder.</param>
/// <param name="task">The task.</param>
sealed class UserDataFiles(string folder, LampTask task)
{
    static readonly JsonSerializerOptions JsonLayout = new()
    {
        WriteIndented = true,
        IndentSize = 1,
        NewLine = "\n",
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    static readonly JsonReaderOptions DeepReader = new() { MaxDepth = 1 << 24 };

    readonly Lazy<HashSet<string>> _ids = new(() =>
        [.. new UserDataFiles(folder, task).ReadUsers().Select(user => user.Id)]
    );

    /// <summary>The test users as they were at the first look.</summary>
    public IReadOnlySet<string> KnownIds => _ids.Value;

    string UsersPath => Path.Combine(folder, LampFiles.UsersFile);

    string LabelsPath => Path.Combine(folder, LampFiles.LabelsFile);

    string OthersPath => Path.Combine(folder, LampFiles.OthersFile);

    /// <summary>The task's data folder.</summary>
    public string Folder => folder;

    /// <summary>The task.</summary>
    public LampTask Task => task;

    /// <summary>The test users, golds filled in where they are known.</summary>
    public IEnumerable<LampUser> ReadUsers()
    {
        if (!File.Exists(UsersPath))
        {
            yield break;
        }

        var golds = ReadGolds();
        using var tokens = new JsonTokenStream(UsersPath);
        foreach (var user in new LampFileReader(tokens, task).ReadUsers())
        {
            yield return user with
            {
                Queries =
                [
                    .. user.Queries.Select(query =>
                        query.Gold.Length > 0 ? query : query with { Gold = golds.GetValueOrDefault(query.Id, "") }
                    ),
                ],
            };
        }
    }

    /// <summary>Whether a user is one of the other users, on whom the task-adaptive model was trained.</summary>
    public bool IsOtherUser(string id)
    {
        if (!File.Exists(OthersPath))
        {
            return false;
        }

        using var tokens = new JsonTokenStream(OthersPath);
        return new LampFileReader(tokens, task).ReadUsers().Any(user => user.Id == id);
    }

    /// <summary>
    /// Removes a user from the files and keeps everything else as it is written there; with the last test user, the
    /// files are removed. The labels come first: should this be interrupted, the file of the users still tells which
    /// labels are theirs.
    /// </summary>
    public void Remove(LampUser removed)
    {
        if (ReadUsers().All(user => user.Id == removed.Id))
        {
            AtomicFile.Remove(LabelsPath);
            AtomicFile.Remove(UsersPath);
            return;
        }

        RemoveLabels([.. removed.Queries.Select(query => query.Id)]);
        AtomicFile.Write(UsersPath, stream => CopyWithout(stream, removed.Id));
    }

    void RemoveLabels(HashSet<string> queries)
    {
        if (!File.Exists(LabelsPath))
        {
            return;
        }

        JsonNode? root;
        using (var stream = TextEncoding.OpenAsUtf8(File.OpenRead(LabelsPath)))
        {
            root = JsonNode.Parse(stream);
        }

        if (root?["golds"] is not JsonArray golds)
        {
            return;
        }

        var owned = golds
            .Where(gold => gold is JsonObject entry && entry["id"]?.ToString() is { } id && queries.Contains(id))
            .ToList();
        if (owned.Count == 0)
        {
            return;
        }

        foreach (var gold in owned)
        {
            golds.Remove(gold);
        }

        AtomicFile.WriteText(LabelsPath, root.ToJsonString(JsonLayout));
    }

    /// <summary>Copies the entries of the other users byte for byte, one at a time.</summary>
    void CopyWithout(Stream target, string removedId)
    {
        using var tokens = new JsonTokenStream(UsersPath);
        using var entry = new MemoryStream();
        tokens.Read();
        var separator = "[\n"u8;
        while (tokens.Read() && tokens.TokenType != JsonTokenType.EndArray)
        {
            if (tokens.TokenType != JsonTokenType.StartObject)
            {
                throw new DataFileException(
                    new() { File = UsersPath },
                    tokens.DescribeToken(),
                    "an object with user_id, profile and query",
                    "See docs/data.md for the format."
                );
            }

            entry.SetLength(0);
            tokens.CopyObject(entry);
            var bytes = entry.GetBuffer().AsSpan(0, (int)entry.Length);
            if (ReadUserId(bytes) == removedId)
            {
                continue;
            }

            target.Write(separator);
            target.Write(bytes);
            separator = ",\n"u8;
        }

        target.Write("\n]\n"u8);
    }

    static string? ReadUserId(ReadOnlySpan<byte> user)
    {
        var reader = new Utf8JsonReader(user, DeepReader);
        reader.Read();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var isId = reader.ValueTextEquals("user_id"u8);
            reader.Read();
            if (isId)
            {
                return reader.TokenType == JsonTokenType.String
                    ? reader.GetString()
                    : Encoding.UTF8.GetString(reader.ValueSpan);
            }

            reader.Skip();
        }

        return null;
    }

    Dictionary<string, string> ReadGolds()
    {
        if (!File.Exists(LabelsPath))
        {
            return [];
        }

        using var tokens = new JsonTokenStream(LabelsPath);
        return new LampFileReader(tokens, task).ReadGolds();
    }
}
