using CoPe.Experiments.Data;
using CoPe.Experiments.Tasks;

namespace CoPe.Experiments.Tests.Data;

public class DateColumnParserTests
{
    static DateColumnParser Column(DateOrder order, params string[] dates) =>
        new(dates.Select((date, line) => (new DataFileLocation { File = "x.csv", Line = line + 2 }, date)), order);

    [Theory]
    [InlineData("2024-03-05", "2024-03-05T00:00:00Z")]
    [InlineData("2024-03-05T14:30:00+02:00", "2024-03-05T12:30:00Z")]
    [InlineData("2024-03", "2024-03-01T00:00:00Z")]
    [InlineData("2024", "2024-01-01T00:00:00Z")]
    [InlineData("20240305", "2024-03-05T00:00:00Z")]
    [InlineData("1987.0", "1987-01-01T00:00:00Z")]
    [InlineData("1987.00", "1987-01-01T00:00:00Z")]
    [InlineData("20240305.0", "2024-03-05T00:00:00Z")]
    [InlineData("1709640000.0", "2024-03-05T12:00:00Z")]
    [InlineData("05.03.2024", "2024-03-05T00:00:00Z")]
    [InlineData("5.3.2024 14:30", "2024-03-05T14:30:00Z")]
    [InlineData("05.03.24", "2024-03-05T00:00:00Z")]
    [InlineData("5. 3. 2024", "2024-03-05T00:00:00Z")]
    [InlineData("Tue, 05.03.2024", "2024-03-05T00:00:00Z")]
    [InlineData("2024/3/5 14:30", "2024-03-05T14:30:00Z")]
    [InlineData("3/2024", "2024-03-01T00:00:00Z")]
    [InlineData("09 3, 2014", "2014-09-03T00:00:00Z")]
    [InlineData("March 5, 68", "2068-03-05T00:00:00Z")]
    [InlineData("March 5, 69", "1969-03-05T00:00:00Z")]
    [InlineData("1709640000", "2024-03-05T12:00:00Z")]
    [InlineData("1709640000123", "2024-03-05T12:00:00.123Z")]
    [InlineData("5 March 2024", "2024-03-05T00:00:00Z")]
    [InlineData("Tue, 05 Mar 2024 12:00:00 GMT", "2024-03-05T12:00:00Z")]
    public void Dates_of_many_kinds_are_read(string text, string moment) =>
        Assert.Equal(
            DateTimeOffset.Parse(moment, System.Globalization.CultureInfo.InvariantCulture),
            Column(DateOrder.Auto, text).Parse(text)!.Value
        );

    [Theory]
    [InlineData("")]
    [InlineData("soon")]
    [InlineData("2024-13-01")]
    [InlineData("99.99.2024")]
    [InlineData("99/03/05")]
    [InlineData("14:30 05/03/2024")]
    [InlineData("2:30 PM 5/3/2024")]
    [InlineData("05/03-24")]
    [InlineData("87.0")]
    [InlineData("05 03 2024")]
    [InlineData("5/3")]
    [InlineData("14:30")]
    public void What_is_no_date_is_none(string text) => Assert.Null(Column(DateOrder.Dmy, text).Parse(text));

    [Fact]
    public void The_other_dates_of_the_column_decide_what_slashes_mean()
    {
        Assert.Equal(3, Column(DateOrder.Auto, "04/03/2024", "25/12/2023").Parse("04/03/2024")!.Value.Month);
        Assert.Equal(4, Column(DateOrder.Auto, "04/03/2024", "12/25/2023").Parse("04/03/2024")!.Value.Month);
        Assert.Equal(4, Column(DateOrder.Mdy, "04/03/2024").Parse("04/03/2024")!.Value.Month);
    }

    [Theory]
    [InlineData(DateOrder.Dmy, "05/03/24", "2024-03-05")]
    [InlineData(DateOrder.Mdy, "05/03/24", "2024-05-03")]
    [InlineData(DateOrder.Dmy, "5-3-24 14:30", "2024-03-05")]
    [InlineData(DateOrder.Mdy, "5/3/24, 2:30 PM", "2024-05-03")]
    [InlineData(DateOrder.Mdy, "Fri 5/3/24", "2024-05-03")]
    [InlineData(DateOrder.Auto, "25/03/24", "2024-03-25")]
    [InlineData(DateOrder.Auto, "03/25/24", "2024-03-25")]
    [InlineData(DateOrder.Auto, "31/12/00", "2000-12-31")]
    [InlineData(DateOrder.Auto, "31/12/68", "2068-12-31")]
    [InlineData(DateOrder.Auto, "31/12/69", "1969-12-31")]
    [InlineData(DateOrder.Auto, "31/12/99", "1999-12-31")]
    public void Years_of_two_digits_are_taken_as_those_of_four(DateOrder order, string text, string day) =>
        Assert.Equal(
            day,
            Column(order, text)
                .Parse(text)!
                .Value.ToString("yyyy-MM-dd", System.Globalization.CultureInfo.InvariantCulture)
        );

    [Fact]
    public void Dates_with_years_of_two_and_four_digits_tell_the_order_of_each_other()
    {
        Assert.Equal(3, Column(DateOrder.Auto, "04/03/24", "25/12/2023").Parse("04/03/24")!.Value.Month);
        Assert.Equal(4, Column(DateOrder.Auto, "04/03/2024", "12/25/23").Parse("04/03/2024")!.Value.Month);
        Assert.Throws<DataFileException>(() => Column(DateOrder.Auto, "04/03/24"));
        Assert.Throws<DataFileException>(() => Column(DateOrder.Auto, "25/12/23", "12/25/23"));
        // What is no date of either order tells nothing of the others.
        Assert.Throws<DataFileException>(() => Column(DateOrder.Auto, "04/03/24", "99/03/05"));
    }

    [Theory]
    [InlineData(0x0660)] // Arabic-Indic
    [InlineData(0x06F0)] // Persian
    [InlineData(0x0966)] // Devanagari
    public void Digits_of_other_scripts_are_read_as_digits(int zero)
    {
        string Written(string text) =>
            string.Concat(text.Select(sign => char.IsAsciiDigit(sign) ? (char)(zero + sign - '0') : sign));
        foreach (var date in (string[])["2024-03-05", "05/03/2024", "5.3.24", "1709640000", "5 March 2024"])
        {
            Assert.Equal(
                new DateTime(2024, 3, 5),
                Column(DateOrder.Dmy, Written(date)).Parse(Written(date))!.Value.Date
            );
        }

        Assert.Equal(3, Column(DateOrder.Auto, Written("04/03/2024"), "25/12/2023").Parse("04/03/2024")!.Value.Month);
    }

    [Fact]
    public void Slashes_that_nothing_tells_or_that_contradict_each_other_are_refused_with_the_place()
    {
        Assert.Contains(
            "x.csv, line 2: found dates of which day and month cannot be told apart",
            Assert.Throws<DataFileException>(() => Column(DateOrder.Auto, "04/03/2024")).Message,
            StringComparison.Ordinal
        );
        Assert.Contains(
            "--date-order",
            Assert.Throws<DataFileException>(() => Column(DateOrder.Auto, "25/12/2023", "12/25/2023")).Message,
            StringComparison.Ordinal
        );
    }
}
