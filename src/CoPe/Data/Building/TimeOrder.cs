using CoPe.Data.Importing;

namespace CoPe.Data.Building;

/// <summary>Puts histories into the order of their dates.</summary>
sealed class TimeOrder(BuildOptions options, Action<DataFileException> problem)
{
    /// <summary>Fields in which the published files date an item.</summary>
    static readonly string[] DateFields = ["date", "timestamp", "unixReviewTime", "reviewTime", "created_utc", "year"];

    /// <summary>The items, oldest first; null where not all of them have a date.</summary>
    /// <exception cref="DataFileException">Dates of his cannot be told.</exception>
    public IReadOnlyList<HistoryItem>? Of(LampUser user)
    {
        var field = options.DateField ?? DateFields.FirstOrDefault(name => user.Profile.Any(item => item.Fields.ContainsKey(name)));
        if (field is null) return null;
        var texts = user.Profile.Select(item => (Place: new DataFilePlace { File = options.SourceNames, User = user.Id, Item = item.Id, Field = field }, Text: item.Fields.GetValueOrDefault(field, ""))).ToList();
        var column = new DateColumn(texts, options.DateOrder);
        var dates = texts.Select(text => column.Of(text.Text)).ToList();
        var undated = dates.IndexOf(null);
        if (undated >= 0) problem(new(texts[undated].Place, texts[undated].Text is { Length: > 0 } text ? $"\"{text}\"" : "no date", "a date, as other items of his have one", "His items stay in the order of the file."));
        return undated >= 0 ? null : [.. user.Profile.Zip(dates).OrderBy(pair => pair.Second).Select(pair => pair.First)];
    }
}
