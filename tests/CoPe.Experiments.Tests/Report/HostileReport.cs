using CoPe.Experiments.Evaluation;
using CoPe.Experiments.Report;

namespace CoPe.Experiments.Tests.Report;

/// <summary>A report with one given text in every place that takes a text.</summary>
static class HostileReport
{
    public static ReportModel Create(string text) =>
        new()
        {
            Title = text,
            RunName = text,
            RecipeYaml = text,
            Facts =
            [
                new ReportFact
                {
                    Group = text,
                    Name = text,
                    Value = text,
                },
            ],
            StageTimes = [new StageTime(text, TimeSpan.FromSeconds(1))],
            Results = new ResultsTable
            {
                Methods = [text, "other"],
                Metrics = [new MetricColumn { Name = text }],
                Cells = [Cell(text, text), Cell("other", text)],
            },
            Comparisons = [new MethodComparison { Method = text, Baseline = "other" }],
            Significance =
            [
                new SignificanceRow
                {
                    Method = text,
                    Baseline = "other",
                    Metric = text,
                    Difference = 0.1,
                    BootstrapP = 0.01,
                    UsersHelped = 1,
                },
            ],
            UserScores = [Score(text, text, text), Score(text, "other", text)],
            HistoryLengths = new Dictionary<string, int> { [text] = 4 },
            Curves = [Curve(text), Curve(text)],
            Rewards = [new RewardPair(1, 0)],
            GoldLikelihoods = [new GoldLikelihood { Adapter = text, NegativeLogLikelihood = 3 }],
            TokenTraces = [Trace(text)],
            Examples =
            [
                new ReportExample
                {
                    User = text,
                    Query = text,
                    Input = text,
                    Gold = text,
                    Outputs = [new ExampleOutput { Method = text, Text = text }],
                },
            ],
        };

    static ResultCell Cell(string method, string metric) =>
        new()
        {
            Method = method,
            Metric = metric,
            Mean = 0.5,
            StandardError = 0.1,
            Count = 2,
        };

    static UserScore Score(string user, string method, string metric) =>
        new()
        {
            User = user,
            Method = method,
            Metric = metric,
            Value = 0.5,
        };

    static TrainingCurve Curve(string text) =>
        new()
        {
            Stage = text,
            Quantity = text,
            Series = text,
            Points = [new CurvePoint(1, 2)],
        };

    static TokenTrace Trace(string text) =>
        new()
        {
            User = text,
            Query = text,
            Input = text,
            Gold = text,
            Method = text,
            Tokens =
            [
                new TokenScore
                {
                    Text = text,
                    ExpertLogProbability = -1,
                    AmateurLogProbability = double.NegativeInfinity,
                    ExpertBest = [new(text, -1), new("other", double.NegativeInfinity)],
                    AmateurBest = [new("<b>", -2), new(text, -3)],
                },
            ],
        };
}
