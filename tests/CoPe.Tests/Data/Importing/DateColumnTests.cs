using CoPe.Data;
using CoPe.Data.Importing;

namespace CoPe.Tests.Data.Importing;

public class DateColumnTests
{
    static DateColumn Column(DateOrder order, params string[] dates) => new(dates.Select((date, line) => (new DataFilePlace { File = "x.csv", Line = line + 2 }, date)), order);

    [Theory]
    [InlineData("2024-03-05", "2024-03-05T00:00:00Z")]
    [InlineData("2024-03-05T14:30:00+02:00", "2024-03-05T12:30:00Z")]
    [InlineData("2024-03", "2024-03-01T00:00:00Z")]
    [InlineData("2024", "2024-01-01T00:00:00Z")]
    [InlineData("20240305", "2024-03-05T00:00:00Z")]
    [InlineData("05.03.2024", "2024-03-05T00:00:00Z")]
    [InlineData("5.3.2024 14:30", "2024-03-05T14:30:00Z")]
    [InlineData("1709640000", "2024-03-05T12:00:00Z")]
    [InlineData("1709640000123", "2024-03-05T12:00:00.123Z")]
    [InlineData("5 March 2024", "2024-03-05T00:00:00Z")]
    [InlineData("Tue, 05 Mar 2024 12:00:00 GMT", "2024-03-05T12:00:00Z")]
    public void Dates_of_many_kinds_are_read(string text, string moment) =>
        Assert.Equal(DateTimeOffset.Parse(moment, System.Globalization.CultureInfo.InvariantCulture), Column(DateOrder.Auto, text).Of(text)!.Value);

    [Theory]
    [InlineData("")]
    [InlineData("soon")]
    [InlineData("2024-13-01")]
    [InlineData("99.99.2024")]
    public void What_is_no_date_is_none(string text) => Assert.Null(Column(DateOrder.Dmy, text).Of(text));

    [Fact]
    public void Slashes_are_told_by_the_other_dates_of_the_column()
    {
        Assert.Equal(3, Column(DateOrder.Auto, "04/03/2024", "25/12/2023").Of("04/03/2024")!.Value.Month);
        Assert.Equal(4, Column(DateOrder.Auto, "04/03/2024", "12/25/2023").Of("04/03/2024")!.Value.Month);
        Assert.Equal(4, Column(DateOrder.Mdy, "04/03/2024").Of("04/03/2024")!.Value.Month);
    }

    [Fact]
    public void Slashes_that_nothing_tells_or_that_contradict_each_other_are_refused_with_the_place()
    {
        Assert.Contains("x.csv, line 2: found dates of which day and month cannot be told apart", Assert.Throws<DataFileException>(() => Column(DateOrder.Auto, "04/03/2024")).Message, StringComparison.Ordinal);
        Assert.Contains("--date-order", Assert.Throws<DataFileException>(() => Column(DateOrder.Auto, "25/12/2023", "12/25/2023")).Message, StringComparison.Ordinal);
    }
}
