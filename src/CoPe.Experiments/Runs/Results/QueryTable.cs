using CoPe.Experiments.Evaluation;
using CoPe.Experiments.Runs.Recipes;
using Parquet;
using Parquet.Schema;

namespace CoPe.Experiments.Runs.Results;

/// <summary>
/// Every answer with its scores as <c>queries.csv</c> and <c>queries.parquet</c>: a row per query, method and sample, a
/// column per metric that single answers have.
/// </summary>
static class QueryTable
{
    /// <summary>Rows of a row group, which is held in memory while it is written or read.</summary>
    const int RowsPerGroup = 50_000;

    /// <summary>Not compressed, so that a search for a text of a user finds it.</summary>
    static readonly ParquetOptions Layout = new() { CompressionMethod = CompressionMethod.None };

    /// <summary>Writes both files.</summary>
    /// <param name="golds">The users' own answers, in the order of the rows.</param>
    /// <param name="samples">Each sample of the answers.</param>
    /// <param name="run">Where to.</param>
    public static void Write(IReadOnlyList<GoldAnswer> golds, IReadOnlyList<SampleScores> samples, RunDirectory run)
    {
        var rows = ListRows(golds, samples);
        var found = rows.SelectMany(row => row.Scores.Keys).ToHashSet(StringComparer.Ordinal);
        var metrics = Metric.All.Where(metric => found.Contains(metric.Name)).ToList();
        AtomicFile.WriteText(run.QueryTable, writer => WriteCsv(rows, metrics, writer));
        AtomicFile.Write(
            run.QueryTableParquet,
            stream => Task.Run(() => WriteParquet(rows, metrics, stream)).GetAwaiter().GetResult()
        );
    }

    /// <summary>
    /// The rows by query, then by method in the order of tables, then by sample; each is made as it is read.
    /// </summary>
    internal static IEnumerable<QueryTableRow> ListRows(
        IReadOnlyList<GoldAnswer> golds,
        IReadOnlyList<SampleScores> samples
    )
    {
        var methods = samples
            .SelectMany((sample, number) => sample.IndexMethods(number + 1))
            .GroupBy(method => method.Name)
            .ToDictionary(group => group.Key, group => group.ToList());
        var ordered = PredictionMethod.SortByTableOrder(methods.Keys).SelectMany(name => methods[name]).ToList();
        return from gold in golds
               from method in ordered
               where method.Outputs.ContainsKey(gold.Id)
               select new QueryTableRow
               {
                   User = gold.UserId!,
                   Query = gold.Id,
                   Method = method.Name,
                   Sample = method.Sample,
                   Output = method.Outputs[gold.Id],
                   Gold = gold.Text,
                   Scores = method.Scores.GetValueOrDefault(gold.Id) ?? NoScores,
               };
    }

    static readonly Dictionary<string, double> NoScores = [];

    static void WriteCsv(IEnumerable<QueryTableRow> rows, List<Metric> metrics, TextWriter writer)
    {
        var names = metrics.Select(metric => metric.Name);
        writer.Write(CsvLine.Format(["user", "query", "method", "sample", "output", "gold", .. names]));
        foreach (var row in rows)
        {
            var scores = metrics.Select(metric => CsvLine.Number(row.Find(metric)));
            writer.Write(
                CsvLine.Format([
                    row.User,
                    row.Query,
                    row.Method,
                    CsvLine.Number(row.Sample),
                    row.Output,
                    row.Gold,
                    .. scores,
                ])
            );
        }
    }

    static async Task WriteParquet(IEnumerable<QueryTableRow> rows, List<Metric> metrics, Stream stream)
    {
        DataField Text(string name) => new(name, typeof(string), isNullable: false);
        var (user, query, method) = (Text("user"), Text("query"), Text("method"));
        var sample = new DataField<int>("sample");
        var (output, gold) = (Text("output"), Text("gold"));
        var scores = metrics.Select(metric => new DataField<double?>(metric.Name)).ToList();
        var schema = new ParquetSchema([user, query, method, sample, output, gold, .. scores]);
        await using var file = await ParquetWriter.CreateAsync(schema, stream, Layout).ConfigureAwait(false);
        foreach (var group in rows.Chunk(RowsPerGroup))
        {
            using var writer = file.CreateRowGroup();
            Task WriteTexts(DataField field, Func<QueryTableRow, string> select) =>
                writer.WriteAsync(field, [.. group.Select(select)]);

            await WriteTexts(user, row => row.User).ConfigureAwait(false);
            await WriteTexts(query, row => row.Query).ConfigureAwait(false);
            await WriteTexts(method, row => row.Method).ConfigureAwait(false);
            int[] samples = [.. group.Select(row => row.Sample)];
            await writer.WriteAsync<int>(sample, samples).ConfigureAwait(false);
            await WriteTexts(output, row => row.Output).ConfigureAwait(false);
            await WriteTexts(gold, row => row.Gold).ConfigureAwait(false);
            foreach (var (metric, field) in metrics.Zip(scores))
            {
                double?[] values = [.. group.Select(row => row.Find(metric))];
                await writer.WriteAsync<double>(field, values).ConfigureAwait(false);
            }
        }
    }
}

/// <summary>A row of <c>queries.csv</c>: an answer, what the user wrote, and the scores.</summary>
sealed record QueryTableRow
{
    /// <summary>The user.</summary>
    public required string User { get; init; }

    /// <summary>The query.</summary>
    public required string Query { get; init; }

    /// <summary>The method.</summary>
    public required string Method { get; init; }

    /// <summary>Which of several sampled answers, from 1; always 1 where one is made.</summary>
    public required int Sample { get; init; }

    /// <summary>The method's answer.</summary>
    public required string Output { get; init; }

    /// <summary>The user's own answer.</summary>
    public required string Gold { get; init; }

    /// <summary>Metric to value.</summary>
    public required IReadOnlyDictionary<string, double> Scores { get; init; }

    /// <summary>The value of a metric; null where the answer has none, or one that is no number.</summary>
    public double? Find(Metric metric) =>
        Scores.TryGetValue(metric.Name, out var value) && double.IsFinite(value) ? value : null;
}

/// <summary>One sample of every method's answers, and its scores.</summary>
/// <param name="Predictions">Method to its answers.</param>
/// <param name="Report">Their scores.</param>
sealed record SampleScores(OrderedDictionary<string, PredictionFile> Predictions, EvaluationReport Report)
{
    /// <summary>Each method's answers and scores by query.</summary>
    /// <param name="sample">The number of this sample.</param>
    public IEnumerable<MethodAnswers> IndexMethods(int sample) =>
        Report.Methods.Select(method => new MethodAnswers(
            method.Method,
            sample,
            Predictions[method.Method].Predictions.ToDictionary(answer => answer.Id, answer => answer.Output),
            method.Queries.ToDictionary(query => query.Id, query => query.Values)
        ));
}

/// <summary>A sample of one method's answers, and their scores, by query.</summary>
sealed record MethodAnswers(
    string Name,
    int Sample,
    IReadOnlyDictionary<string, string> Outputs,
    IReadOnlyDictionary<string, IReadOnlyDictionary<string, double>> Scores
);
