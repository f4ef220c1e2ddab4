using CoPe.Experiments.Evaluation;
using CoPe.Experiments.Report;

namespace CoPe.Experiments.Tests.Report;

/// <summary>Invented runs of any size, the same in every call.</summary>
static class SampleReport
{
    public static readonly string[] Methods = ["base", "TAM", "SFT", "SFT+CD", "DPO", "CoPe"];

    static readonly MetricColumn[] Columns =
    [
        new() { Name = "ROUGE-1", Description = "Words shared with the user's text (F)" },
        new() { Name = "ROUGE-L", Description = "Longest sequence of words shared with the user's text (F)" },
        new() { Name = "METEOR" },
        new()
        {
            Name = "style distance",
            LowerIsBetter = true,
            Description = "Distance from the style of the user's own texts",
        },
        new() { Name = "length ratio", IsDescriptive = true },
        new() { Name = "copy rate", IsDescriptive = true },
    ];

    static readonly string[] Metrics = [.. Columns.Select(column => column.Name)];

    static readonly string[] Words = (
        "a the of in for on with towards learning graph network neural robust adaptive sparse language "
        + "personal contrast tuning model decoding search kernel"
    ).Split(' ');

    public static ReportModel Create(int users, int queriesPerUser = 3)
    {
        var random = new Random(7);
        var scores = UserScores(users, random);
        return new ReportModel
        {
            Title = "scholarly_title · scribe-6m",
            RunName = "runs/scholarly_title-seed3",
            RecipeYaml =
                "# titles of papers\ntask: scholarly_title\nseed: 3\nsft:\n  epochs: 2\n  learning_rate: 1e-4\n"
                + "decode:\n  contrast: 0.1\n  plausibility: 0.1\n",
            Facts = Facts(),
            StageTimes =
            [
                new("train tam", TimeSpan.FromSeconds(312)),
                new("train sft", TimeSpan.FromSeconds(955)),
                new("negatives", TimeSpan.FromSeconds(240)),
                new("train dpo", TimeSpan.FromSeconds(410)),
                new("predict", TimeSpan.FromSeconds(188)),
                new("evaluate", TimeSpan.FromSeconds(4.2)),
            ],
            Results = Results(scores, users * queriesPerUser),
            HeadlineMetric = "ROUGE-L",
            Comparisons =
            [
                new() { Method = "CoPe", Baseline = "TAM" },
                new() { Method = "CoPe", Baseline = "SFT" },
                .. Further(),
            ],
            Significance = Significance(scores, users),
            UserScores = scores,
            HistoryLengths = Enumerable
                .Range(0, users)
                .ToDictionary(User, _ => (int)Math.Exp(2 + (4 * random.NextDouble()))),
            Curves = Curves(random),
            ExpertDistance = 0.2754,
            PreferenceEffect = new(12, 0.0123, 96, 80, 85)
            {
                Chosen = new(-21.5, -22.75),
                Rejected = new(-30.25, -41.5),
            },
            Rewards =
            [
                .. Enumerable.Range(0, 400).Select(_ => new RewardPair(Normal(random, 4, 3), Normal(random, -2, 4))),
            ],
            GoldLikelihoods = Likelihoods(users),
            TokenTraces = [.. Enumerable.Range(0, Math.Min(users, 5)).Select(index => Trace(User(index), random))],
            Examples =
            [
                .. Enumerable
                    .Range(0, users)
                    .SelectMany(user =>
                        Enumerable
                            .Range(0, queriesPerUser)
                            .Select(query => Example(User(user), $"{user}{query}", random))
                    ),
            ],
        };
    }

    static MethodComparison[] Further() =>
        [
            new() { Method = "SFT", Baseline = "TAM" },
            new() { Method = "DPO", Baseline = "SFT" },
            new() { Method = "SFT+CD", Baseline = "SFT" },
            new() { Method = "TAM", Baseline = "base" },
        ];

    public static string User(int index) => $"1{index:000}";

    static double Normal(Random random, double mean, double deviation) =>
        mean
        + (deviation * Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble()));

    static List<UserScore> UserScores(int users, Random random)
    {
        var scores = new List<UserScore>();
        for (var user = 0; user < users; user++)
        {
            foreach (var metric in Metrics)
            {
                var level = 0.3 + (0.06 * Normal(random, 0, 1)) - (metric == "ROUGE-L" ? 0.05 : 0);
                for (var method = 0; method < Methods.Length; method++)
                {
                    scores.Add(
                        new UserScore
                        {
                            User = User(user),
                            Method = Methods[method],
                            Metric = metric,
                            Value = Math.Max(0, level + (0.012 * method) + Normal(random, 0, 0.03)),
                        }
                    );
                }
            }
        }

        return scores;
    }

    static ResultsTable Results(List<UserScore> scores, int queries) =>
        new()
        {
            Methods = Methods,
            Metrics = Columns,
            Cells =
            [
                .. scores
                    .GroupBy(score => (score.Method, score.Metric))
                    .Select(group => new ResultCell
                    {
                        Method = group.Key.Method,
                        Metric = group.Key.Metric,
                        Mean = group.Average(score => score.Value),
                        StandardError = 0.011,
                        Count = queries,
                    }),
            ],
        };

    static List<SignificanceRow> Significance(List<UserScore> scores, int users)
    {
        var rows = new List<SignificanceRow>();
        foreach (
            var (baseline, metric) in from baseline in (string[])["TAM", "SFT", "DPO"]
                                      from metric in Metrics.Take(3)
                                      select (baseline, metric)
        )
        {
            var ours = scores
                .Where(score => score.Method == "CoPe" && score.Metric == metric)
                .Select(score => score.Value)
                .ToList();
            var theirs = scores
                .Where(score => score.Method == baseline && score.Metric == metric)
                .Select(score => score.Value)
                .ToList();
            var helped = ours.Zip(theirs).Count(pair => pair.First > pair.Second);
            rows.Add(
                new SignificanceRow
                {
                    Method = "CoPe",
                    Baseline = baseline,
                    Metric = metric,
                    Difference = ours.Average() - theirs.Average(),
                    BootstrapP =
                        baseline == "TAM" ? 0.0004
                        : baseline == "SFT" ? 0.031
                        : 0.27,
                    SignP = 0.06,
                    UsersHelped = helped,
                    UsersHurt = users - helped,
                }
            );
        }
        return rows;
    }

    static List<GoldLikelihood> Likelihoods(int users) =>
        [
            .. new (string Adapter, double Value)[]
            {
                ("base", 4.61),
                ("TAM", 4.02),
                ("SFT", 3.87),
                ("DPO", 3.91),
            }.Select(row => new GoldLikelihood
            {
                Adapter = row.Adapter,
                NegativeLogLikelihood = row.Value,
                StandardError = 0.05,
                Count = users * 3,
            }),
        ];

    static List<ReportFact> Facts()
    {
        var facts = new (string Group, string Name, string Value)[]
        {
            ("Run", "seed", "3"),
            ("Run", "users", "100 test, 900 other"),
            ("Run", "date", "2026-11-23 12:00 UTC"),
            ("Model", "base", "scribe-6m"),
            ("Model", "weights", "sha256 5e1f0c27a96d…"),
            ("Versions", "CoPe", "0.1.0 (6d8c38c)"),
            ("Versions", "libtorch", "2.10.0"),
            ("Versions", ".NET", "10.0.0"),
            (
                "Data",
                "user_top_100_history.json",
                "sha256 9a6b04e1c1f2d3a4b5968778695a4b3c2d1e0f9a8b7c6d5e4f3a2b1c0d9e8f7a"
            ),
            ("Machine", "processor", "2 cores, AVX2"),
            ("Machine", "memory", "23 GB"),
        };
        return
        [
            .. facts.Select(fact => new ReportFact
            {
                Group = fact.Group,
                Name = fact.Name,
                Value = fact.Value,
            }),
        ];
    }

    static List<TrainingCurve> Curves(Random random)
    {
        TrainingCurve Curve(
            string stage,
            string quantity,
            string series,
            int steps,
            Func<double, double> value,
            double noise
        ) =>
            new()
            {
                Stage = stage,
                Quantity = quantity,
                Series = series,
                Points =
                [
                    .. Enumerable
                        .Range(1, steps)
                        .Select(step => new CurvePoint(step, value((double)step / steps) + Normal(random, 0, noise))),
                ],
            };
        return
        [
            Curve("TAM", "loss", "", 900, t => 3.4 + (1.6 * Math.Exp(-5 * t)), 0.18),
            Curve("SFT, mean over users", "loss", "", 60, t => 3.9 - (0.5 * t), 0.08),
            Curve("DPO, mean over users", "loss", "", 40, t => 0.693 - (0.25 * t), 0.02),
            Curve("DPO, mean over users", "rewards", "chosen", 40, t => 0.2 * t, 0.03),
            Curve("DPO, mean over users", "rewards", "rejected", 40, t => -0.5 * t, 0.04),
            Curve("DPO, mean over users", "reward margin", "", 40, t => 0.7 * t, 0.05),
            Curve("DPO, mean over users", "accuracy", "", 12, t => 0.5 + (0.4 * t), 0.03),
        ];
    }

    static string Sentence(Random random, int words) =>
        string.Join(' ', Enumerable.Range(0, words).Select(_ => Words[random.Next(Words.Length)]));

    static ReportExample Example(string user, string query, Random random)
    {
        var same = Sentence(random, 8);
        return new ReportExample
        {
            User = user,
            Query = query,
            Input = "Generate a title for the following abstract of a paper: " + Sentence(random, 90),
            Gold = Sentence(random, 9),
            Outputs =
            [
                .. Methods.Select(
                    (method, index) =>
                        new ExampleOutput
                        {
                            Method = method,
                            Text = index is 2 or 3 ? same : Sentence(random, 8),
                            Score = random.NextDouble(),
                        }
                ),
            ],
        };
    }

    static TokenTrace Trace(string user, Random random) =>
        new()
        {
            User = user,
            Query = user + "0",
            Method = "CoPe",
            Input = "Generate a title for the following abstract of a paper: " + Sentence(random, 40),
            Gold = Sentence(random, 9),
            Tokens =
            [
                .. Enumerable
                    .Range(0, 24)
                    .Select(_ =>
                    {
                        var expert = -random.NextDouble() * 3;
                        var other = random.Next(4);
                        return new TokenScore
                        {
                            Text = " " + Words[random.Next(Words.Length)],
                            ExpertLogProbability = expert,
                            WithoutContrast = random.Next(4) == 0,
                            AmateurLogProbability = expert - Normal(random, 0.5, 1.2),
                            ExpertBest = other == 0 ? [new(" sparse", -0.5), new(" dense", -2)] : [],
                            AmateurBest = other <= 1 ? [new(" the", -0.3), new(" a", -1.6)] : [],
                        };
                    }),
            ],
        };
}
