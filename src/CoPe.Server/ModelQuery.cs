using System.Globalization;
using CoPe.Serving;
using Microsoft.AspNetCore.Http;

namespace CoPe.Server;

/// <summary>
/// Which models to list: of ten thousand users a page wants the few whose names somebody is typing.
/// </summary>
sealed record ModelQuery
{
    static readonly string[] Kinds = ["base", "task", "user"];

    /// <summary>What the names contain, in upper or lower case; empty for all.</summary>
    public string Search { get; init; } = "";

    /// <summary>What kind of model; null for all.</summary>
    public string? Kind { get; init; }

    /// <summary>Most models to list.</summary>
    public int Limit { get; init; } = int.MaxValue;

    /// <summary>One more than the limit tells whether there are more.</summary>
    public int TakeOneMore => Limit == int.MaxValue ? Limit : Limit + 1;

    /// <summary>Reads <c>search</c>, <c>kind</c> and <c>limit</c>.</summary>
    public static ModelQuery Read(IQueryCollection query)
    {
        var kind = query["kind"].FirstOrDefault();
        if (kind is not null && !Kinds.Contains(kind))
        {
            throw ApiException.Invalid("'kind' is unknown; expected base, task or user.", "kind");
        }

        var all = new ModelQuery { Search = query["search"].FirstOrDefault() ?? "", Kind = kind };
        if (query["limit"].FirstOrDefault() is not { } text)
        {
            return all;
        }

        return int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var limit) && limit > 0
            ? all with
            {
                Limit = limit,
            }
            : throw ApiException.Invalid("'limit' is no number of models; expected 1 or more.", "limit");
    }

    /// <summary>The models that are asked for: first those whose names begin with what is searched.</summary>
    /// <param name="names">All names, in order.</param>
    /// <param name="find">What a name stands for.</param>
    public IEnumerable<PersonalModel> Select(IEnumerable<string> names, Func<string, PersonalModel?> find)
    {
        var found = names.Where(name => name.Contains(Search, StringComparison.OrdinalIgnoreCase));
        var ordered = Search.Length == 0 ? found : found.OrderBy(Rank);
        return ordered.Select(find).OfType<PersonalModel>().Where(model => Kind is null || KindOf(model) == Kind);
    }

    int Rank(string name) =>
        name.Equals(Search, StringComparison.OrdinalIgnoreCase) ? 0
        : name.StartsWith(Search, StringComparison.OrdinalIgnoreCase) ? 1
        : 2;

    /// <summary>Whether a model is the base model, a task's or a user's.</summary>
    public static string KindOf(PersonalModel model) =>
        model.UserAdapter is not null ? "user"
        : model.TaskAdapter is not null ? "task"
        : "base";
}
