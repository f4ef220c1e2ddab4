using CoPe.Experiments.Data;

namespace CoPe.Experiments.Runs;

/// <summary>Which users the stages of a run are of, and how these differ from the users of the run now.</summary>
/// <param name="pipeline">The stages.</param>
/// <param name="context">The run.</param>
/// <param name="hashes">Hashes of the data files.</param>
sealed class StageUsers(Pipeline pipeline, StageContext context, FileHashes hashes)
{
    readonly Lazy<string?> _source = new(() => ComputeSource(context, hashes));

    /// <summary>
    /// Hash of all that the users of the run follow from; null where the data are missing, and the users unknown.
    /// </summary>
    public string? Source => _source.Value;

    /// <summary>Whether the outputs of a stage fall apart by users.</summary>
    public bool IsSeparable(Stage stage) => stage.ReadsOfUser(context.Recipe) != UserParts.None;

    /// <summary>Whether a stage reads all users together.</summary>
    public bool IsJoint(Stage stage) => stage.Reads.HasFlag(InputKinds.Users) && !IsSeparable(stage);

    /// <summary>
    /// The users of the run as a stage reads them; those that an earlier map has as well keep their time.
    /// </summary>
    /// <param name="stage">A stage whose outputs fall apart by users.</param>
    /// <param name="earlier">An earlier map; null for none.</param>
    public SortedDictionary<string, UserMark> CreateMap(Stage stage, SortedDictionary<string, UserMark>? earlier = null)
    {
        var parts = GetParts(stage);
        var now = context.Time.GetUtcNow();
        var map = new SortedDictionary<string, UserMark>(StringComparer.Ordinal);
        foreach (var (id, fingerprint) in context.Workspace.UserFingerprints)
        {
            var hash = fingerprint.Combine(parts);
            var known = earlier?.GetValueOrDefault(id);
            map[id] = known?.Hash == hash ? known : new(hash, now);
        }

        return map;
    }

    /// <summary>How the users of a marker differ from those of the run now.</summary>
    public UserChanges FindChanges(Stage stage, StageMarker marker)
    {
        var before = marker.Users ?? throw new ArgumentException("the marker has no users", nameof(marker));
        if (Source is null)
        {
            var forgotten = context.Workspace.Forgotten;
            return new() { Gone = [.. before.Keys.Where(forgotten.Contains)] };
        }

        if (Source == marker.UsersSource)
        {
            return UserChanges.None;
        }

        var parts = GetParts(stage);
        var now = context.Workspace.UserFingerprints;
        return new()
        {
            New = [.. now.Keys.Where(id => !before.ContainsKey(id))],
            Changed =
            [
                .. now.Where(user => before.TryGetValue(user.Key, out var mark) && IsOther(mark, user.Value))
                    .Select(user => user.Key),
            ],
            Gone = [.. before.Keys.Where(id => !now.ContainsKey(id))],
        };

        bool IsOther(UserMark mark, UserFingerprint fingerprint) => mark.Hash != fingerprint.Combine(parts);
    }

    /// <summary>What a stage and those before it read of a user.</summary>
    UserParts GetParts(Stage stage)
    {
        var own = stage.ReadsOfUser(context.Recipe);
        return own == UserParts.None
            ? own
            : stage.Needs(context.Recipe).Aggregate(own, (parts, needed) => parts | GetParts(pipeline.Find(needed)));
    }

    static string? ComputeSource(StageContext context, FileHashes hashes)
    {
        const InputKinds read = InputKinds.Users | InputKinds.Wording;
        if ((context.Inputs.Missing & read) != InputKinds.None)
        {
            return null;
        }

        var recipe = context.Recipe;
        IEnumerable<string> lines =
        [
            .. context.Inputs.ListFiles(read).Select(file => $"{file.Label}={hashes.ComputeHash(file.FullPath)}"),
            .. context.Workspace.AddedUserInputs.Select(input => $"{input.Label}={input.Value}"),
            $"users={recipe.Users} history_limit={recipe.HistoryLimit} development_items={recipe.DevelopmentItems}",
            $"forgotten={string.Join(' ', context.Workspace.Forgotten.Users)}",
            .. recipe.UserAdapters is null
                ? (string[])[]
                : [$"adapters={new ImportedAdapters(context.Workspace).HashSource()}"],
        ];
        return StableHash.Sha256Hex(string.Join('\n', lines));
    }
}

/// <summary>Users whose parts leave the outputs of a stage.</summary>
/// <param name="Ids">Their ids.</param>
/// <param name="KeptQueries">Ids of the queries of those who stay.</param>
sealed record LeavingUsers(IReadOnlySet<string> Ids, IReadOnlySet<string> KeptQueries)
{
    /// <summary>Users who leave a stage, and those of the run whose parts it has and keeps.</summary>
    public static LeavingUsers Create(IEnumerable<string> leaving, LampDataset dataset, IEnumerable<string> present)
    {
        var ids = leaving.ToHashSet();
        var kept = present.Except(ids).ToHashSet();
        var queries = dataset.Users.Where(user => kept.Contains(user.Id)).SelectMany(user => user.Queries);
        return new(ids, queries.Select(query => query.Id).ToHashSet());
    }
}
