using CoPe.Experiments.Evaluation;
using CoPe.Experiments.Runs;
using CoPe.Experiments.Runs.Results;
using CoPe.Experiments.Tasks;
using CoPe.Testing;

namespace CoPe.Experiments.Tests.Runs.Results;

public class ScoresFileTests
{
    [Theory]
    [InlineData(TaskOutcome.Text, "red sky", "a title\nof two lines")]
    [InlineData(TaskOutcome.Category, "crime", "sports")]
    [InlineData(TaskOutcome.Rating, "4.1", "2")]
    public void What_was_scored_is_read_as_it_was_written(TaskOutcome outcome, string text, string other)
    {
        using var folder = new TemporaryFolder();
        var run = new RunDirectory(folder.Path);
        var golds = CreateGolds(text, other);
        var report = Evaluate(outcome, golds, text, other);

        var table = ResultsTable.Create(report);
        ResultsFile.WriteJson(table, run.Results);
        ScoresFile.Write(report, golds, run);
        var read = ScoresFile.ToReport(report.Task, ResultsFile.ReadJson(run.Results), ScoresFile.Enumerate(run));

        Assert.Equal(table.Cells, ResultsTable.Create(read).Cells);
        foreach (var (expected, scores) in report.Methods.Zip(read.Methods))
        {
            Assert.Equal(expected.Method, scores.Method);
            Assert.Equal(expected.Queries.Select(Describe), scores.Queries.Select(Describe));
            Assert.Equal(expected.Users.Select(Describe), scores.Users.Select(Describe));
        }
    }

    [Theory]
    [InlineData("ann", "1")]
    [InlineData("bob", "1")]
    public void A_user_or_a_query_that_occurs_twice_is_refused(string user, string query)
    {
        using var folder = new TemporaryFolder();
        var run = new RunDirectory(folder.Path);
        JsonLines.Append(run.Scores, [CreateLine("ann", "1"), CreateLine(user, query)]);

        var error = Assert.Throws<RunException>(() => ScoresFile.Enumerate(run).ToList());
        Assert.StartsWith(run.Scores, error.Message, StringComparison.Ordinal);
    }

    static UserScoresLine CreateLine(string user, string query) =>
        new()
        {
            User = user,
            HistoryItems = 1,
            Scores = new Dictionary<string, IReadOnlyDictionary<string, double>>(),
            Queries =
            [
                new()
                {
                    Query = query,
                    Gold = "",
                    Scores = new Dictionary<string, IReadOnlyDictionary<string, double>>(),
                },
            ],
        };

    static GoldAnswer[] CreateGolds(string text, string other)
    {
        string[] history = [text, "The red house by the sea"];
        return
        [
            new()
            {
                Id = "1",
                Text = text,
                UserId = "ann",
                History = history,
            },
            new()
            {
                Id = "2",
                Text = other,
                UserId = "ann",
                History = history,
            },
            new()
            {
                Id = "3",
                Text = other,
                UserId = "bob, \"b\"",
            },
        ];
    }

    static EvaluationReport Evaluate(TaskOutcome outcome, GoldAnswer[] golds, string text, string other)
    {
        var task = new LampTask
        {
            Name = "titles",
            BenchmarkId = "LaMP_5",
            InputFields = ["abstract"],
            OutputField = "title",
            Outcome = outcome,
        };
        var predictions = new OrderedDictionary<string, PredictionFile>
        {
            ["tam"] = CreatePredictions(text, text, text),
            ["cope"] = CreatePredictions(text, other, text),
        };
        return Evaluator.Evaluate(task, golds, predictions, null, TestContext.Current.CancellationToken);
    }

    static PredictionFile CreatePredictions(params string[] texts) =>
        new()
        {
            Task = "LaMP_5",
            Predictions = [.. texts.Select((text, index) => new Prediction($"{index + 1}", text))],
        };

    static string Describe(QueryScores query) => $"{query.UserId} {query.Id}: {Describe(query.Values)}";

    static string Describe(UserScores user) =>
        $"{user.UserId} {user.Queries} {user.HistoryItems}: {Describe(user.Values)}";

    static string Describe(IReadOnlyDictionary<string, double> values) =>
        string.Join(", ", values.Select(pair => FormattableString.Invariant($"{pair.Key} {pair.Value:R}")));
}
