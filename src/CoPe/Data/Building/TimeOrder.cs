using CoPe.Data.Importing;

namespace CoPe.Data.Building;

/// <summary>Puts histories into the order of their dates.</summary>
sealed class TimeOrder(BuildOptions options)
{
    /// <summary>Fields in which the published files date an item.</summary>
    static readonly string[] DateFields = ["date", "timestamp", "unixReviewTime", "reviewTime", "created_utc", "year"];

    /// <summary>The items, oldest first; null where not all of them have a date.</summary>
    public IReadOnlyList<HistoryItem>? Of(LampUser user)
    {
        var field = options.DateField ?? DateFields.FirstOrDefault(name => user.Profile.Any(item => item.Fields.ContainsKey(name)));
        if (field is null) return null;
        var texts = user.Profile.Select(item => (Place: new DataFilePlace { File = options.Sources[0], User = user.Id, Item = item.Id, Field = field }, Text: item.Fields.GetValueOrDefault(field, ""))).ToList();
        var column = new DateColumn(texts, options.DateOrder);
        var dates = texts.Select(text => column.Of(text.Text)).ToList();
        return dates.Any(date => date is null) ? null : [.. user.Profile.Zip(dates).OrderBy(pair => pair.Second).Select(pair => pair.First)];
    }
}
