using CoPe.Experiments.Data.Importing;
using CoPe.Experiments.Evaluation;

namespace CoPe.Experiments.Tests.Evaluation;

public class ResultsTableTests
{
    [Theory]
    [InlineData(false, false, 0.5)]
    [InlineData(true, false, 0.2)]
    [InlineData(false, true, null)]
    public void The_best_follows_the_direction_and_a_description_has_none(
        bool lowerIsBetter,
        bool descriptive,
        double? best
    ) =>
        Assert.Equal(
            best,
            Table(0.2, double.NaN, 0.5)
                .Best(
                    new MetricColumn
                    {
                        Name = "m",
                        LowerIsBetter = lowerIsBetter,
                        IsDescriptive = descriptive,
                    }
                )
        );

    [Fact]
    public void Equal_methods_have_no_best() => Assert.Null(Table(0.3, 0.3).Best(new MetricColumn { Name = "m" }));

    static ResultsTable Table(params double[] means) =>
        new()
        {
            Methods = [.. means.Select((_, index) => $"method {index}")],
            Metrics = [new MetricColumn { Name = "m" }],
            Cells =
            [
                .. means.Select(
                    (mean, index) =>
                        new ResultCell
                        {
                            Method = $"method {index}",
                            Metric = "m",
                            Mean = mean,
                        }
                ),
            ],
        };
}

public class ResultsCsvTests
{
    [Fact]
    public void Cells_are_rows_in_the_order_of_the_table_with_exact_numbers()
    {
        var table = new ResultsTable
        {
            Methods = ["TAM", "CoPe"],
            Metrics = [new MetricColumn { Name = "ROUGE-1" }, new MetricColumn { Name = "MAE", LowerIsBetter = true }],
            Cells =
            [
                new ResultCell
                {
                    Method = "CoPe",
                    Metric = "ROUGE-1",
                    Mean = 0.1 + 0.2,
                    StandardError = 0.01,
                    Count = 500,
                },
                new ResultCell
                {
                    Method = "TAM",
                    Metric = "MAE",
                    Mean = double.NaN,
                    Count = 3,
                },
                new ResultCell
                {
                    Method = "TAM",
                    Metric = "ROUGE-1",
                    Mean = 1e-7,
                    StandardError = 0,
                    Count = 500,
                },
            ],
        };
        Assert.Equal(
            "method,metric,mean,standard_error,n\nTAM,ROUGE-1,1E-07,0,500\nTAM,MAE,,,3\n"
                + "CoPe,ROUGE-1,0.30000000000000004,0.01,500\n",
            Render(table)
        );
    }

    [Fact]
    public void Names_with_commas_quotes_or_line_ends_are_quoted()
    {
        var table = new ResultsTable
        {
            Methods = ["a,\"b\"\nc"],
            Metrics = [new MetricColumn { Name = "m" }],
            Cells =
            [
                new ResultCell
                {
                    Method = "a,\"b\"\nc",
                    Metric = "m",
                    Mean = 1,
                    StandardError = 2,
                    Count = 3,
                },
            ],
        };
        Assert.Equal("method,metric,mean,standard_error,n\n\"a,\"\"b\"\"\nc\",m,1,2,3\n", Render(table));
    }

    [Theory]
    [InlineData("=1+1", "'=1+1")]
    [InlineData("@SUM(A1)", "'@SUM(A1)")]
    [InlineData("-2+3", "'-2+3")]
    [InlineData("＝1", "'＝1")]
    [InlineData("\t=1", "\"'\t=1\"")]
    [InlineData("\n=1", "\"'\n=1\"")]
    [InlineData("-Infinity", "'-Infinity")]
    [InlineData("'=1", "''=1")]
    [InlineData("a;=1", "\"a;=1\"")]
    [InlineData("-1.5e3", "-1.5e3")]
    [InlineData("+49301234", "+49301234")]
    [InlineData("'tis", "'tis")]
    [InlineData("a=1", "a=1")]
    public void A_text_is_no_formula_of_a_spreadsheet(string text, string cell)
    {
        var line = CsvLine.Format([text, "end"]);

        Assert.Equal($"{cell},end\n", line);
        var read = new CsvReader(new StringReader($"a,b\n{line}"), "x.csv").ReadRows().Last().Fields[0];
        var isDefused = read[0] == '\'' && "=+-@\t\n＝".Contains(read.TrimStart('\'')[0]);
        Assert.Equal(text, isDefused ? read[1..] : read);
    }

    [Fact]
    public void An_empty_table_is_a_heading() =>
        Assert.Equal("method,metric,mean,standard_error,n\n", Render(ResultsTable.Empty));

    static string Render(ResultsTable table)
    {
        using var writer = new StringWriter();
        ResultsCsv.Write(table, writer);
        return writer.ToString();
    }
}
