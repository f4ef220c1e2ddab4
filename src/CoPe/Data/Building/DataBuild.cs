using System.Security.Cryptography;
using System.Text;
using CoPe.Data.Importing;

namespace CoPe.Data.Building;

/// <summary>
/// Makes the setting of OPPU of a published benchmark: the users with the longest histories are tested, the others train the task-adaptive model. The files stream: what is held is a gold a question,
/// an id a user, the test users, and one in 128 of the other users.
/// </summary>
public sealed class DataBuild
{
    readonly BuildOptions options;
    readonly DataProgress progress;
    readonly ProblemList problems = new();
    readonly UniqueIds queryIds = new();
    readonly TimeOrder order;
    int examples;
    int withoutGold;

    DataBuild(BuildOptions options) => (this.options, progress, order) = (options, new(options.Progress, options.Cancellation), new(options, problems.Add));

    /// <summary>Reads the sources and writes the task's files.</summary>
    /// <exception cref="DataFileException">A source cannot be read, or too little is left.</exception>
    public static BuildReport Run(BuildOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        return new DataBuild(options).Run();
    }

    BuildReport Run()
    {
        var folder = Path.Combine(options.Target, options.Definition.Task.Name, ".grouped");
        using var buckets = new UserBuckets(folder, options.Definition.Task);
        foreach (var source in options.Sources) Read(source, buckets);
        buckets.Close();
        var users = buckets.Users(Renamed).Select(user => (user.Id, Items: user.Profile.Count, Queries: user.Queries.Count, Rank: Rank(user.Id))).ToList();
        var asked = users.Where(user => user.Queries > 0).ToList();
        var tested = asked.Where(user => user.Items > 0).OrderByDescending(user => user.Items).ThenBy(user => user.Rank).Take(options.TestUsers).Select(user => user.Id).ToList();
        if (tested.Count == 0 || asked.Count == tested.Count)
            throw new DataFileException(new() { File = options.SourceNames }, $"{asked.Count} users with a question and its gold{problems.Hint}", $"more than the {options.TestUsers} test users", "Give the outputs files too, more splits, or a smaller --test-users.");
        var places = tested.Select((id, place) => (id, place)).ToDictionary();
        var rest = asked.Where(user => !places.ContainsKey(user.Id)).ToList();
        var drawn = rest.OrderBy(user => user.Rank).Take(options.Others ?? int.MaxValue).Select(user => user.Id).ToHashSet();
        var undated = 0;
        LampUser Ordered(LampUser user)
        {
            if (order.Of(user) is { } items) return user with { Profile = items };
            undated++;
            return user;
        }

        var test = buckets.Users().Where(user => places.ContainsKey(user.Id)).OrderBy(user => places[user.Id]).Select(Ordered);
        var others = buckets.Users().Where(user => drawn.Contains(user.Id)).Select(Ordered).Select(Short);
        var check = new CheckedDataset(options.Target, options.Definition, progress).Write(test, others, tested.Count + drawn.Count);
        return new()
        {
            Examples = examples, Users = users.Count, Items = users.Sum(user => user.Items), WithoutGold = withoutGold, Undated = undated, NotDrawn = rest.Count - drawn.Count,
            Problems = problems.First, ProblemCount = problems.Count, Check = check,
        };
    }

    void Read(string source, UserBuckets buckets)
    {
        var golds = options.Outputs.TryGetValue(source, out var outputs) ? Golds(outputs) : null;
        var seen = new HashSet<string>();
        using var file = PublishedReader.Open(source);
        foreach (var record in new PublishedReader(file, options.Definition.Task, options.UserField, problems.Add).Records())
        {
            examples++;
            var (read, length) = file.Progress;
            progress.Read("read", source, read, length);
            var gold = golds?.GetValueOrDefault(record.Query.Id) ?? record.Query.Gold;
            if (gold.Length == 0) withoutGold++;
            if (gold.Length == 0 && golds is not null) problems.Add(new(new() { File = outputs!, Item = record.Query.Id }, "no output for this question", "one", "Its history counts, the question is left out."));
            // Ids of different splits may be the same. Without a user in the file, every example is a user of its own, as in LaMP's user-based split.
            var query = record.Query with { Id = queryIds.Of(record.Query.Id), Gold = gold };
            if (!seen.Add(record.Query.Id)) problems.Add(new(new() { File = source, Item = record.Query.Id }, "the id of an earlier example", "each id once", $"The example is kept as \"{query.Id}\"."));
            buckets.Add(record.User ?? query.Id, record with { Query = query, Items = record.Items });
        }

        foreach (var unused in golds?.Keys.Where(id => !seen.Contains(id)) ?? []) problems.Add(new(new() { File = outputs!, Item = unused }, "an output without a question", $"a question of this id in {Path.GetFileName(source)}", "The output is left out."));
    }

    Dictionary<string, string> Golds(string path)
    {
        using var tokens = new JsonTokenStream(path);
        return new LampFileReader(tokens, options.Definition.Task, problems.Add).Golds();
    }

    void Renamed(string user, string item, string own) =>
        problems.Add(new(new() { File = options.SourceNames, User = user, Item = item }, "another text than in an earlier item of this id", "each id once", $"The item is kept as \"{own}\"."));

    LampUser Short(LampUser user) => options.OtherItems is not { } most || user.Profile.Count <= most ? user : user with { Profile = [.. user.Profile.TakeLast(most)] };

    UInt128 Rank(string user)
    {
        var hash = SHA256.HashData(Encoding.UTF8.GetBytes($"{options.Seed}\n{user}"));
        return new(BitConverter.ToUInt64(hash, 0), BitConverter.ToUInt64(hash, 8));
    }
}
