using System.Globalization;
using System.Text.Json;
using CoPe.Experiments.Data;
using CoPe.Experiments.Tasks;

namespace CoPe.Experiments.Negatives;

/// <summary>
/// Pseudo-negatives in the reference's files: <c>user_top_100_history_with_pseudo_negatives.json</c> has the candidates
/// of each history item, <c>..._max.json</c> (or <c>_min</c>) also which of them was selected, and by which scores.
/// </summary>
sealed record ImportedNegatives
{
    /// <summary>Name of the file, without its folder.</summary>
    public required string File { get; init; }

    /// <summary>SHA-256 of the file.</summary>
    public required string Hash { get; init; }

    /// <summary>The candidates by user and history item.</summary>
    public required IReadOnlyDictionary<(string User, string Item), ImportedItem> Items { get; init; }

    /// <summary>What is stored with candidates, to tell them from others.</summary>
    public string Source => $"import {File}";

    /// <summary>Whether the file says which candidates are the rejected answers.</summary>
    public bool HasSelections => Items.Values.Any(item => item.Rejected is not null);

    /// <summary>Reads a file.</summary>
    /// <exception cref="DataFileException">It is none of these files, or damaged.</exception>
    public static ImportedNegatives Read(string path)
    {
        var hash = ComputeHash(path);
        using var tokens = new JsonTokenStream(path);
        var items = new ImportedNegativesReader(tokens).ReadItems();
        if (items.Values.All(item => item.Candidates.Count == 0 && item.Rejected is null))
        {
            throw new DataFileException(
                new() { File = path },
                $"no \"{ImportedNegativesReader.CandidatesField}\" in {items.Count} history items",
                "the candidates of history items, as generate_pseudo_negatives.py writes them",
                "Name a file user_top_100_history_with_pseudo_negatives*.json."
            );
        }

        if (ComputeHash(path) != hash)
        {
            throw new DataFileException(
                new() { File = path },
                "other content than when reading it began",
                "a file that does not change",
                "Run the command again."
            );
        }

        return new()
        {
            File = Path.GetFileName(path),
            Hash = hash,
            Items = items,
        };
    }

    static string ComputeHash(string path)
    {
        using var stream = System.IO.File.OpenRead(path);
        return StableHash.Sha256Hex(stream);
    }
}

/// <summary>What a file of the reference says of one history item.</summary>
/// <param name="Candidates">The sampled answers, as they stand in the file.</param>
/// <param name="Rejected">The selected one; null where none is.</param>
/// <param name="Rewards">Their implicit rewards, in the same order; empty where they were not scored.</param>
sealed record ImportedItem(IReadOnlyList<string> Candidates, string? Rejected, IReadOnlyList<double> Rewards);

/// <summary>Reads the items of such a file, one user at a time.</summary>
/// <param name="tokens">The file.</param>
sealed class ImportedNegativesReader(JsonTokenStream tokens)
{
    /// <summary>The field of the sampled answers.</summary>
    public const string CandidatesField = "pseudo_negative";

    const string RejectedField = "negative_response";

    /// <summary>Log-likelihood under the TAM less that under the user's model: the negative of the reward.</summary>
    const string ScoresField = "score_differences";

    readonly Dictionary<(string, string), ImportedItem> _items = [];
    DataFileLocation _location = new() { File = tokens.File };

    public IReadOnlyDictionary<(string User, string Item), ImportedItem> ReadItems()
    {
        tokens.GetLocation = () => _location;
        tokens.Read();
        Expect(JsonTokenType.StartArray, "an array of users");
        for (var number = 1; tokens.Read() && tokens.TokenType != JsonTokenType.EndArray; number++)
        {
            _location = new() { File = tokens.File, User = $"number {number}" };
            Expect(JsonTokenType.StartObject, "an object with user_id and profile");
            ReadUser();
        }

        _location = new() { File = tokens.File };
        tokens.RequireEnd("the array of users");
        return _items;
    }

    void ReadUser()
    {
        string? user = null;
        List<(string Id, ImportedItem Item)> profile = [];
        var names = new HashSet<string>();
        while (NextField(names))
        {
            switch (tokens.Text)
            {
                case "user_id":
                    user = ReadText("user_id");
                    _location = _location with { User = user };
                    break;
                case "profile":
                    profile = ReadProfile();
                    break;
                default:
                    tokens.Skip();
                    break;
            }
        }

        _location = _location with { Item = null, Field = null };
        if (user is null)
        {
            throw CreateError("no user_id", "the user's id", "Add it.");
        }

        foreach (var (id, item) in profile)
        {
            if (!_items.TryAdd((user, id), item))
            {
                _location = _location with { Item = id };
                throw CreateError("the item twice", "each item of a user once", "Take out one of them.");
            }
        }
    }

    List<(string Id, ImportedItem Item)> ReadProfile()
    {
        var items = new List<(string, ImportedItem)>();
        tokens.Read();
        Expect(JsonTokenType.StartArray, "an array of history items");
        while (tokens.Read() && tokens.TokenType != JsonTokenType.EndArray)
        {
            _location = _location with { Item = $"number {items.Count + 1}", Field = null };
            Expect(JsonTokenType.StartObject, "an object with id");
            items.Add(ReadItem());
        }

        return items;
    }

    (string Id, ImportedItem Item) ReadItem()
    {
        string? id = null;
        string? rejected = null;
        List<string> candidates = [];
        List<double> scores = [];
        var names = new HashSet<string>();
        while (NextField(names))
        {
            switch (tokens.Text)
            {
                case "id":
                    id = ReadText("id");
                    _location = _location with { Item = id };
                    break;
                case CandidatesField:
                    candidates = ReadList(CandidatesField);
                    break;
                case RejectedField:
                    rejected = ReadText(RejectedField);
                    break;
                case ScoresField:
                    scores = [.. ReadList(ScoresField).Select(ParseNumber)];
                    break;
                default:
                    tokens.Skip();
                    break;
            }
        }

        _location = _location with { Field = null };
        if (id is null)
        {
            throw CreateError("no id", "the item's id", "Add it.");
        }

        if (scores.Count > 0 && scores.Count != candidates.Count)
        {
            throw CreateError(
                $"{scores.Count} {ScoresField} of {candidates.Count} candidates",
                "a score for each",
                "Run compute_scores.py again, or take the file without selections."
            );
        }

        return (id, new(candidates, rejected, [.. scores.Select(score => -score)]));
    }

    /// <summary>Goes to the next field of an object; false at its end.</summary>
    bool NextField(HashSet<string> names)
    {
        if (!tokens.Read() || tokens.TokenType != JsonTokenType.PropertyName)
        {
            return false;
        }

        return names.Add(tokens.Text) ? true : throw tokens.DuplicateFieldError(tokens.Text);
    }

    string ReadText(string field)
    {
        _location = _location with { Field = field };
        tokens.Read();
        return tokens.TokenType is JsonTokenType.String or JsonTokenType.Number
            ? tokens.Text
            : throw CreateError(tokens.DescribeToken(), "a text", "Correct it.");
    }

    /// <summary>Texts or numbers.</summary>
    List<string> ReadList(string field)
    {
        _location = _location with { Field = field };
        var values = new List<string>();
        tokens.Read();
        Expect(JsonTokenType.StartArray, "an array");
        while (tokens.Read() && tokens.TokenType != JsonTokenType.EndArray)
        {
            values.Add(
                tokens.TokenType is JsonTokenType.String or JsonTokenType.Number
                    ? tokens.Text
                    : throw CreateError(tokens.DescribeToken(), "a text or a number", "Correct it.")
            );
        }

        return values;
    }

    double ParseNumber(string text) =>
        double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number)
        && double.IsFinite(number)
            ? number
            : throw CreateError($"\"{text}\"", "a finite number", "Correct it.");

    void Expect(JsonTokenType type, string expected)
    {
        if (tokens.TokenType != type)
        {
            throw CreateError(
                tokens.DescribeToken(),
                expected,
                "Name a file user_top_100_history_with_pseudo_negatives*.json."
            );
        }
    }

    DataFileException CreateError(string found, string expected, string advice) =>
        new(_location, found, expected, advice);
}
