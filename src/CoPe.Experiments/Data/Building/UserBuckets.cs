using System.Text;
using System.Text.Json;
using CoPe.Experiments.Tasks;

namespace CoPe.Experiments.Data.Building;

/// <summary>
/// Groups examples by user on the disk, so that a user's examples need not stand together in the source: every user's
/// examples go into one of many files, each of which is small enough to be read whole.
/// </summary>
sealed class UserBuckets : IDisposable
{
    const int Count = 128;

    readonly string _folder;
    readonly LampTask _task;
    LampUserFileWriter[]? _writers;

    public UserBuckets(string folder, LampTask task)
    {
        _folder = folder;
        _task = task;
        Directory.CreateDirectory(folder);
        _writers = [.. Enumerable.Range(0, Count).Select(bucket => new LampUserFileWriter(PathOf(bucket)))];
    }

    /// <summary>Adds an example; its question only where it has a gold.</summary>
    public void Add(string user, PublishedExample example)
    {
        var part = new LampUser
        {
            Id = user,
            History = example.History,
            Queries = example.Query.Gold.Length > 0 ? [example.Query] : [],
        };
        _writers![BucketOf(user)].Write(part);
    }

    /// <summary>Closes the files for writing; they can be read from now on.</summary>
    public void CompleteWriting()
    {
        foreach (var writer in _writers ?? [])
        {
            writer.Dispose();
        }

        _writers = null;
    }

    /// <summary>
    /// Every user once, with all their examples: history items by id, the first of each, and all queries. The order
    /// depends on the ids alone.
    /// </summary>
    /// <param name="onItemRenamed">
    /// Called with user, item and new id for an item that has the id of an earlier one and another text.
    /// </param>
    public IEnumerable<LampUser> ReadUsers(Action<string, string, string>? onItemRenamed = null)
    {
        for (var bucket = 0; bucket < Count; bucket++)
        {
            foreach (var (id, user) in ReadBucket(bucket, onItemRenamed))
            {
                yield return new()
                {
                    Id = id,
                    History = [.. user.Items.Values],
                    Queries = user.Queries,
                };
            }
        }
    }

    Dictionary<string, MergedUser> ReadBucket(int bucket, Action<string, string, string>? onItemRenamed)
    {
        var users = new Dictionary<string, MergedUser>();
        using var tokens = new JsonTokenStream(PathOf(bucket));
        foreach (var part in new LampFileReader(tokens, _task, error => throw error).ReadUsers())
        {
            if (!users.TryGetValue(part.Id, out var user))
            {
                users[part.Id] = user = new([], []);
            }

            foreach (var item in part.History)
            {
                var newId = AddItem(user.Items, item);
                if (newId is not null)
                {
                    onItemRenamed?.Invoke(part.Id, item.Id, newId);
                }
            }

            user.Queries.AddRange(part.Queries);
        }

        return users;
    }

    /// <summary>
    /// Adds an item unless it is there already; returns its new id where its own belongs to another text.
    /// </summary>
    string? AddItem(Dictionary<string, HistoryItem> items, HistoryItem item)
    {
        var id = item.Id;
        for (var number = 2; !items.TryAdd(id, item with { Id = id }); id = $"{item.Id}#{number++}")
        {
            var known = items[id];
            if (_task.InputFields.Append(_task.OutputField).All(field => known.Fields[field] == item.Fields[field]))
            {
                return null;
            }
        }

        return id == item.Id ? null : id;
    }

    public void Dispose()
    {
        CompleteWriting();
        Directory.Delete(_folder, recursive: true);
    }

    static int BucketOf(string user) => (int)(StableHash.Fnv1a32(Encoding.UTF8.GetBytes(user)) % Count);

    string PathOf(int bucket) => Path.Combine(_folder, $"{bucket}.json");

    sealed record MergedUser(Dictionary<string, HistoryItem> Items, List<LampQuery> Queries);
}

/// <summary>Appends users to a file, one at a time.</summary>
sealed class LampUserFileWriter : IDisposable
{
    const int MostPending = 1 << 15;

    readonly FileStream _stream;
    readonly Utf8JsonWriter _json;

    public LampUserFileWriter(string path)
    {
        _stream = new(path, FileMode.Create, FileAccess.Write, FileShare.None, 1 << 14);
        _json = new(_stream);
        _json.WriteStartArray();
    }

    public void Write(LampUser user)
    {
        LampFileWriter.WriteUser(_json, user);
        if (_json.BytesPending > MostPending)
        {
            _json.Flush();
        }
    }

    public void Dispose()
    {
        _json.WriteEndArray();
        _json.Dispose();
        _stream.Dispose();
    }
}
