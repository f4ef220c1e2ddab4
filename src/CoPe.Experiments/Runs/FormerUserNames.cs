using System.Text.RegularExpressions;
using CoPe.Experiments.Data;
using CoPe.Experiments.Tasks;

namespace CoPe.Experiments.Runs;

/// <summary>
/// Names that earlier versions gave the folders and files of users whose id is no plain name: its letters with eight
/// digits of its hash, which could also be another user's id. A run that has such names gets those of today
/// (<see cref="IdFileName"/>).
/// </summary>
/// <param name="run">The run.</param>
sealed partial class FormerUserNames(RunDirectory run)
{
    /// <summary>The name that earlier versions gave an id.</summary>
    public static string Create(string id)
    {
        ArgumentException.ThrowIfNullOrEmpty(id);
        var isTemporary = id.EndsWith(AtomicFile.TemporarySuffix, StringComparison.Ordinal);
        var isPlain = id.Length <= 64 && (IsOwnName(id) || (isTemporary && IsOwnName(id + "x")));
        if (isPlain)
        {
            return id;
        }

        var readable = new string([
            .. id.ToLowerInvariant().Take(40).Select(letter => IsPlain(letter) ? letter : '-'),
        ]).Trim('.', '-');
        return $"{(readable.Length == 0 ? "user" : readable)}-{StableHash.Sha256Hex(id)[..8]}";
    }

    static bool IsOwnName(string id) => IdFileName.Encode(id) == id;

    /// <summary>Moves a run of a sweep whose folder has a former name to that of today.</summary>
    public static void RenameSweepRun(RunDirectory sweep, RunDirectory point, string key, string value)
    {
        ArgumentNullException.ThrowIfNull(sweep);
        ArgumentNullException.ThrowIfNull(point);
        var former = Path.Combine(sweep.Root, Create($"{key}-{value}"));
        if (former != point.Root && Directory.Exists(former) && !Directory.Exists(point.Root))
        {
            AtomicFile.Move(former, point.Root);
        }
    }

    /// <summary>Whether the run's files name a user.</summary>
    public bool Knows(string id) => Directory.Exists(run.Root) && FindIds().Contains(id);

    /// <summary>Whether something in the run has a former name.</summary>
    /// <exception cref="RunException">
    /// Two users of the run had one name, so that whose a folder is cannot be told.
    /// </exception>
    public bool IsPending() => MayExist() && (PlanMoves().Count > 0 || ListFormerFiles().Any());

    /// <summary>
    /// Renames what has a former name. The run's lock must be held. Where it is killed, the next call does the rest.
    /// </summary>
    /// <exception cref="RunException">
    /// Two users of the run had one name, so that whose a folder is cannot be told.
    /// </exception>
    public void Rename()
    {
        var moves = MayExist() ? PlanMoves() : [];
        // The folders come last: while one has its former name, the next call does all of this again.
        moves.ForEach(UpdateCard);
        UpdateMarkers(moves);
        foreach (var move in moves)
        {
            AtomicFile.Move(move.From, move.To);
        }

        foreach (var folder in moves.Select(move => Path.GetDirectoryName(move.To)!).Distinct())
        {
            MarkAsNamed(folder);
        }

        foreach (var (file, id) in ListFormerFiles().ToList())
        {
            AtomicFile.Move(file, run.AddedUser(id));
        }
    }

    /// <summary>Whether a name in the run looks like a former one; nothing is read for it.</summary>
    bool MayExist() => ListUserFolders().Append(run.AddedUsers).SelectMany(ListNames).Any(MayBeFormer);

    List<Move> PlanMoves()
    {
        var ids = FindIds();
        var former = ids.Where(id => Create(id) != IdFileName.Encode(id)).ToLookup(Create);
        var moves = new List<Move>();
        foreach (var folder in ListUserFolders().Where(HasFormerNames))
        {
            foreach (var name in ListNames(folder).Where(former.Contains))
            {
                RequireOneOwner(folder, name, [.. former[name], .. ids.Where(id => IdFileName.Encode(id) == name)]);
                var today = IdFileName.Encode(former[name].First());
                moves.Add(new(Path.Combine(folder, name), Path.Combine(folder, today)));
            }
        }

        return moves;
    }

    IEnumerable<(string File, string Id)> ListFormerFiles() =>
        from file in ListAddedFiles()
        let id = ReadId(file)
        where id is not null && Path.GetFileName(file) == Create(id) + ".json" && file != run.AddedUser(id)
        select (file, id);

    IEnumerable<string> ListUserFolders() => [run.SftAdapters, run.DpoAdapters];

    /// <summary>
    /// Whether an earlier version named what is in a folder, or there is no marker to say who did. One that is damaged
    /// may be of today.
    /// </summary>
    bool HasFormerNames(string folder) =>
        GetMarkers(folder)
            .All(file => StageMarker.FindProblem(file) is null && StageMarker.Read(file)?.UserNames is null);

    void MarkAsNamed(string folder)
    {
        foreach (var file in GetMarkers(folder))
        {
            if (StageMarker.Read(file) is { } marker)
            {
                (marker with { UserNames = StageMarker.PercentEncoded }).Write(file);
            }
        }
    }

    string[] GetMarkers(string folder)
    {
        var stage = folder == run.SftAdapters ? StageId.TrainSft : StageId.TrainDpo;
        return [run.Marker(stage), run.StartedMarker(stage)];
    }

    static IEnumerable<string> ListNames(string folder) =>
        Directory.Exists(folder)
            ? Directory.EnumerateFileSystemEntries(folder).Select(path => Path.GetFileName(path)!)
            : [];

    string[] ListAddedFiles() => Directory.Exists(run.AddedUsers) ? Directory.GetFiles(run.AddedUsers, "*.json") : [];

    /// <summary>The users that markers, lines and added users name.</summary>
    HashSet<string> FindIds()
    {
        var folder = Path.GetDirectoryName(run.FileHashes)!;
        var markers = Directory.Exists(folder) ? Directory.EnumerateFiles(folder, "*.json") : [];
        return
        [
            .. markers.Select(StageMarker.Read).SelectMany(marker => marker?.Users?.Keys.ToList() ?? []),
            .. UserRecords.FindNamedUsers(run).Select(line => line.User),
            .. ListAddedFiles().Select(ReadId).OfType<string>(),
        ];
    }

    static string? ReadId(string file)
    {
        try
        {
            return new JsonArrayFile(file, field: null)
                .ReadEntries()
                .Select(user => RecordedLine.ReadField(user.Span, "user_id"))
                .FirstOrDefault();
        }
        catch (DataFileException)
        {
            return null; // What is wrong with it, its reader says.
        }
    }

    void RequireOneOwner(string folder, string name, IReadOnlyList<string> owners)
    {
        if (owners.Count > 1)
        {
            var path = run.GetRelativePath(Path.Combine(folder, name));
            throw new RunException(
                $"an earlier version gave users '{owners[0]}' and '{owners[1]}' of {run.Name} one folder, {path}, and "
                    + "whose adapter lies there cannot be told: delete it, "
                    + $"then 'cope run --run {run.Name}' trains both"
            );
        }
    }

    /// <summary>The card names the folder that it lies in.</summary>
    void UpdateCard(Move move)
    {
        var card = Path.Combine(move.From, AdapterCard.FileName);
        if (File.Exists(card))
        {
            var (before, after) = (run.GetRelativePath(move.From), run.GetRelativePath(move.To));
            AtomicFile.WriteText(card, File.ReadAllText(card).Replace(before, after, StringComparison.Ordinal));
        }
    }

    void UpdateMarkers(List<Move> moves)
    {
        var folder = Path.GetDirectoryName(run.FileHashes)!;
        foreach (var file in Directory.Exists(folder) ? Directory.GetFiles(folder, "*.json") : [])
        {
            if (StageMarker.Read(file) is { Outputs.Count: > 0 } marker)
            {
                var outputs = marker.Outputs.Select(output => UpdateOutput(output.Key, output.Value, moves)).ToList();
                if (!outputs.SequenceEqual(marker.Outputs))
                {
                    var sorted = new SortedDictionary<string, long>(outputs.ToDictionary(), StringComparer.Ordinal);
                    (marker with { Outputs = sorted }).Write(file);
                }
            }
        }
    }

    KeyValuePair<string, long> UpdateOutput(string path, long size, List<Move> moves)
    {
        var full = Path.Combine(run.Root, path);
        var folder = Path.GetDirectoryName(full)!;
        if (moves.Find(move => move.From == folder) is not { } move)
        {
            return new(path, size);
        }

        var isCard = Path.GetFileName(path) == AdapterCard.FileName && File.Exists(full);
        var today = Path.Combine(move.To, Path.GetFileName(path));
        return new(run.GetRelativePath(today), isCard ? new FileInfo(full).Length : size);
    }

    sealed record Move(string From, string To);

    static bool MayBeFormer(string name) =>
        FormerName().IsMatch(Path.GetFileNameWithoutExtension(name))
        || FormerName().IsMatch(name)
        || name.EndsWith(AtomicFile.TemporarySuffix, StringComparison.Ordinal);

    static bool IsPlain(char letter) =>
        char.IsAsciiDigit(letter) || char.IsAsciiLetterLower(letter) || letter is '-' or '_' or '.';

    [GeneratedRegex("^[a-z0-9._-]*-[0-9a-f]{8}$", RegexOptions.CultureInvariant)]
    private static partial Regex FormerName();
}
