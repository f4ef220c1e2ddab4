using System.Globalization;
using CoPe.Serving;

namespace CoPe.Server.PageTests;

/// <summary>Ten thousand users, and some whose names are no names; each has the adapter of one of a few.</summary>
/// <param name="catalog">Knows ada and bob.</param>
sealed class ManyUsers(IModelCatalog catalog) : IModelCatalog
{
    /// <summary>A name that is markup and script, in case anything takes it for that.</summary>
    public const string Markup = "<img src=x onerror=\"alert('1')\">&amp;<script>alert(1)</script>";

    /// <summary>A name that would be read as another: it turns the direction and holds what one does not see.</summary>
    public const string Disguised = "ad\u202Emin\u200B";

    const int Count = 10_000;

    static readonly string[] Others = [Markup, Disguised];

    public PersonalModel? Find(string name)
    {
        var isOther = Others.Contains(name) || name.StartsWith("user-", StringComparison.Ordinal);
        return isOther ? catalog.Find("ada")! with { Name = name } : catalog.Find(name);
    }

    public IEnumerable<string> ListNames() =>
        [
            .. catalog.ListNames(),
            .. Others,
            .. Enumerable.Range(0, Count).Select(user => user.ToString("'user-'00000", CultureInfo.InvariantCulture)),
        ];
}
