using CoPe.Experiments.Evaluation;
using CoPe.Experiments.Runs;
using CoPe.Experiments.Runs.Results;
using CoPe.Experiments.Tasks;
using CoPe.Testing;
using Parquet;
using Parquet.Serialization;

namespace CoPe.Experiments.Tests.Runs.Results;

public sealed class QueryTableTests : IDisposable
{
    readonly TemporaryFolder _folder = new();

    RunDirectory Run => new(_folder.Path);

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_row_is_an_answer_with_the_gold_and_the_scores_of_that_answer()
    {
        QueryTable.Write(Golds, [Score(("tam", ["a red sky", "no"]), ("base", ["red sky", ""]))], Run);

        var lines = File.ReadAllLines(Run.QueryTable);
        Assert.StartsWith("user,query,method,sample,output,gold,rouge-1,rouge-2,rouge-l,", lines[0]);
        Assert.Equal(
            [
                "ann,1,base,1,red sky,red sky",
                "ann,1,tam,1,a red sky,red sky",
                "'=bob,2,base,1,,'-no",
                "'=bob,2,tam,1,no,'-no",
            ],
            lines[1..].Select(line => string.Join(',', line.Split(',')[..6]))
        );
        Assert.Equal(["1", "0.8", "0", "1"], lines[1..].Select(line => line.Split(',')[6]));
    }

    [Fact]
    public void Several_samples_are_a_row_each()
    {
        QueryTable.Write(Golds, [Score(("cope", ["red sky", "no"])), Score(("cope", ["blue", "no no"]))], Run);

        var rows = File.ReadAllLines(Run.QueryTable)[1..].Select(line => line.Split(',')).ToList();
        Assert.Equal(
            [("1", "red sky", "1"), ("2", "blue", "0"), ("1", "no", "1"), ("2", "no no", "0.6666666666666666")],
            rows.Select(row => (row[3], row[4], row[6]))
        );
    }

    [Fact]
    public async Task The_parquet_file_has_the_rows_and_texts_as_they_are()
    {
        QueryTable.Write(Golds, [Score(("tam", ["a \"red\"\nsky", "=1+1"]))], Run);

        await using var stream = File.OpenRead(Run.QueryTableParquet);
        var rows = (await ParquetSerializer.DeserializeUntypedAsync(stream, rowGroupIndex: 0)).Data;
        Assert.Equal(["ann", "=bob"], rows.Select(row => $"{row["user"]}"));
        Assert.Equal(["a \"red\"\nsky", "=1+1"], rows.Select(row => $"{row["output"]}"));
        Assert.Equal([1, 1], rows.Select(row => (int)row["sample"]));
        Assert.Equal([0.8, 0], rows.Select(row => (double)row["rouge-1"]));
        await using var reader = await ParquetReader.CreateAsync(stream);
        Assert.Equal(
            File.ReadLines(Run.QueryTable).First().Split(','),
            reader.Schema.Fields.Select(field => field.Name)
        );
    }

    [Fact]
    public void A_text_of_a_user_can_be_found_in_the_parquet_file()
    {
        QueryTable.Write(Golds, [Score(("tam", ["wholly unlike words", "no"]))], Run);
        Assert.Contains("wholly unlike words", File.ReadAllText(Run.QueryTableParquet), StringComparison.Ordinal);
    }

    static GoldAnswer[] Golds =>
        [
            new()
            {
                Id = "1",
                Text = "red sky",
                UserId = "ann",
            },
            new()
            {
                Id = "2",
                Text = "-no",
                UserId = "=bob",
            },
        ];

    static SampleScores Score(params IEnumerable<(string Method, string[] Outputs)> methods)
    {
        var predictions = new OrderedDictionary<string, PredictionFile>();
        foreach (var (method, outputs) in methods)
        {
            predictions[method] = new() { Task = "LaMP_4", Predictions = [new("1", outputs[0]), new("2", outputs[1])] };
        }

        return new(predictions, Evaluator.Evaluate(LampTasks.NewsHeadline, Golds, predictions));
    }
}
