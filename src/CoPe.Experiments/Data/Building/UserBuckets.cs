using System.Text;
using System.Text.Json;
using CoPe.Experiments.Tasks;

namespace CoPe.Experiments.Data.Building;

/// <summary>
/// Groups examples by user on the disk: every user's examples go into one of many files, each of which is small enough
/// to be read whole. So that a user's examples need not stand together in the source.
/// </summary>
sealed class UserBuckets : IDisposable
{
    const int Count = 128;

    readonly string _folder;
    readonly LampTask _task;
    LampUserFileWriter[]? _writers;

    public UserBuckets(string folder, LampTask task)
    {
        (_folder, _task) = (folder, task);
        Directory.CreateDirectory(folder);
        _writers = [.. Enumerable.Range(0, Count).Select(bucket => new LampUserFileWriter(PathOf(bucket)))];
    }

    /// <summary>Takes an example; its question only where it has a gold.</summary>
    public void Add(string user, PublishedExample record) =>
        _writers!
            [BucketOf(user)]
            .Write(
                new()
                {
                    Id = user,
                    History = record.History,
                    Queries = record.Query.Gold.Length > 0 ? [record.Query] : [],
                }
            );

    /// <summary>Ends taking.</summary>
    public void CompleteWriting()
    {
        foreach (var writer in _writers ?? [])
        {
            writer.Dispose();
        }

        _writers = null;
    }

    /// <summary>
    /// Every user once, his examples together: history items by id, the first of each, and all queries. The order
    /// depends on the ids alone.
    /// </summary>
    /// <param name="differs">
    /// Told of users and items that have an id in common with an earlier item, and not their texts; they are kept under
    /// the id that is told last.
    /// </param>
    public IEnumerable<LampUser> ReadUsers(Action<string, string, string>? differs = null)
    {
        for (var bucket = 0; bucket < Count; bucket++)
        {
            var merged = new Dictionary<string, (Dictionary<string, HistoryItem> Items, List<LampQuery> Queries)>();
            using var tokens = new JsonTokenStream(PathOf(bucket));
            foreach (var part in new LampFileReader(tokens, _task, error => throw error).ReadUsers())
            {
                if (!merged.TryGetValue(part.Id, out var user))
                {
                    merged[part.Id] = user = ([], []);
                }

                foreach (var item in part.History)
                {
                    if (AddItem(user.Items, item) is { } own)
                    {
                        differs?.Invoke(part.Id, item.Id, own);
                    }
                }

                user.Queries.AddRange(part.Queries);
            }

            foreach (var (id, (items, queries)) in merged)
            {
                yield return new()
                {
                    Id = id,
                    History = [.. items.Values],
                    Queries = queries,
                };
            }
        }
    }

    /// <summary>
    /// Takes an item unless it is there already; returns the id it got where its own is another text's.
    /// </summary>
    string? AddItem(Dictionary<string, HistoryItem> items, HistoryItem item)
    {
        var id = item.Id;
        for (var number = 2; !items.TryAdd(id, item with { Id = id }); id = $"{item.Id}#{number++}")
        {
            if (_task.InputFields.Append(_task.OutputField).All(field => items[id].Fields[field] == item.Fields[field]))
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

    /// <summary>FNV-1a, which is the same on every machine and in every process.</summary>
    static int BucketOf(string user)
    {
        var hash = 2166136261u;
        foreach (var part in Encoding.UTF8.GetBytes(user))
        {
            hash = (hash ^ part) * 16777619u;
        }

        return (int)(hash % Count);
    }

    string PathOf(int bucket) => Path.Combine(_folder, $"{bucket}.json");
}

/// <summary>Writes users into a file of them as they come.</summary>
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
