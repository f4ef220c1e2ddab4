using CoPe.Experiments.Evaluation;

namespace CoPe.Experiments.Runs.Results;

/// <summary>
/// The scores of every answer as <c>evaluation/scores.jsonl</c>: written once, by <c>evaluate</c>, and read by whatever
/// shows, averages or compares runs.
/// </summary>
static class ScoresFile
{
    /// <summary>Writes a line per user, in the order of the golds.</summary>
    /// <param name="report">The scores; every query names its user.</param>
    /// <param name="golds">The users' own answers.</param>
    /// <param name="run">Where to.</param>
    public static void Write(EvaluationReport report, IReadOnlyList<GoldAnswer> golds, RunDirectory run)
    {
        var users = IndexByMethod(report, scores => scores.Users.Select(user => (user.UserId, user.Values)));
        var queries = IndexByMethod(report, scores => scores.Queries.Select(query => (query.Id, query.Values)));
        var lines = golds
            .GroupBy(gold => gold.UserId!, StringComparer.Ordinal)
            .Select(user => new UserScoresLine
            {
                User = user.Key,
                HistoryItems = user.First().History.Count,
                Scores = SelectScores(users, user.Key),
                Queries =
                [
                    .. user.Select(gold => new QueryScoresLine
                    {
                        Query = gold.Id,
                        Gold = gold.Text,
                        Scores = SelectScores(queries, gold.Id),
                    }),
                ],
            });
        JsonLines.Write(run.Scores, lines);
    }

    /// <summary>The lines of an evaluated run one by one; none where it was not evaluated.</summary>
    /// <exception cref="RunException">A line is not of this form, or a user or a query occurs twice.</exception>
    public static IEnumerable<UserScoresLine> Enumerate(RunDirectory run)
    {
        var users = new HashSet<string>(StringComparer.Ordinal);
        var queries = new HashSet<string>(StringComparer.Ordinal);
        foreach (var line in JsonLines.Enumerate<UserScoresLine>(run.Scores))
        {
            ThrowIfKnown(run, "user", line.User, users);
            foreach (var query in line.Queries)
            {
                ThrowIfKnown(run, "query", query.Query, queries);
            }

            yield return Pack(line);
        }
    }

    static UserScoresLine Pack(UserScoresLine line) =>
        line with
        {
            Scores = Pack(line.Scores),
            Queries = [.. line.Queries.Select(query => query with { Scores = Pack(query.Scores) })],
        };

    static Dictionary<string, IReadOnlyDictionary<string, double>> Pack(
        IReadOnlyDictionary<string, IReadOnlyDictionary<string, double>> scores
    ) =>
        scores.ToDictionary(
            method => method.Key,
            IReadOnlyDictionary<string, double> (method) => new MetricValues(method.Value)
        );

    static void ThrowIfKnown(RunDirectory run, string what, string id, HashSet<string> known)
    {
        if (!known.Add(id))
        {
            throw new RunException(
                $"{run.Scores} has the {what} {id} twice: write it again with 'cope evaluate --again --run {run.Name}'"
            );
        }
    }

    /// <summary>The scores as they were before they were written, but for warnings; no line is kept.</summary>
    /// <param name="task">Name of the task.</param>
    /// <param name="table">The means, as <c>results.json</c> has them.</param>
    /// <param name="lines">The scores behind them.</param>
    public static EvaluationReport ToReport(string task, ResultsTable table, IEnumerable<UserScoresLine> lines)
    {
        var methods = table.Methods.Select(method => new ReadScores(method)).ToList();
        foreach (var line in lines)
        {
            methods.ForEach(method => method.Add(line));
        }

        return new() { Task = task, Methods = [.. methods.Select(method => method.ToMethodScores(table))] };
    }

    /// <summary>Each method with its values by the id of a user or of a query, in the order of the report.</summary>
    static List<MethodIndex> IndexByMethod(
        EvaluationReport report,
        Func<MethodScores, IEnumerable<(string Id, IReadOnlyDictionary<string, double> Values)>> select
    ) =>
        [
            .. report.Methods.Select(scores => new MethodIndex(
                scores.Method,
                select(scores).ToDictionary(pair => pair.Id, pair => pair.Values, StringComparer.Ordinal)
            )),
        ];

    static Dictionary<string, IReadOnlyDictionary<string, double>> SelectScores(List<MethodIndex> methods, string id) =>
        methods
            .Where(method => method.ValuesById.ContainsKey(id))
            .ToDictionary(method => method.Method, method => method.ValuesById[id]);

    /// <summary>The scores of one method, as they are read user by user.</summary>
    sealed class ReadScores(string method)
    {
        readonly List<QueryScores> _queries = [];
        readonly List<UserScores> _users = [];

        public void Add(UserScoresLine line)
        {
            var queries = _queries.Count;
            foreach (var query in line.Queries.Where(query => query.Scores.ContainsKey(method)))
            {
                _queries.Add(
                    new()
                    {
                        Id = query.Query,
                        UserId = line.User,
                        Values = query.Scores[method],
                    }
                );
            }

            if (line.Scores.TryGetValue(method, out var values))
            {
                _users.Add(
                    new()
                    {
                        UserId = line.User,
                        Queries = _queries.Count - queries,
                        HistoryItems = line.HistoryItems,
                        Values = values,
                    }
                );
            }
        }

        public MethodScores ToMethodScores(ResultsTable table)
        {
            var cells = table.Cells.Where(cell => cell.Method == method).ToList();
            return new()
            {
                Method = method,
                Metrics = cells.ToDictionary(cell => cell.Metric, cell => cell.OverQueries),
                OverUsers = cells
                    .Where(cell => cell.OverUsers is not null)
                    .ToDictionary(cell => cell.Metric, cell => cell.OverUsers!),
                Queries = _queries,
                Users = _users,
            };
        }
    }

    sealed record MethodIndex(
        string Method,
        IReadOnlyDictionary<string, IReadOnlyDictionary<string, double>> ValuesById
    );
}

/// <summary>A line of <c>evaluation/scores.jsonl</c>: how every method did for one user.</summary>
sealed record UserScoresLine
{
    /// <summary>The user.</summary>
    public required string User { get; init; }

    /// <summary>How many items the user's history has.</summary>
    public required int HistoryItems { get; init; }

    /// <summary>Method to metric to value over the user's queries.</summary>
    public required IReadOnlyDictionary<string, IReadOnlyDictionary<string, double>> Scores { get; init; }

    /// <summary>The user's queries.</summary>
    public required IReadOnlyList<QueryScoresLine> Queries { get; init; }
}

/// <summary>A query in a line of <c>evaluation/scores.jsonl</c>.</summary>
sealed record QueryScoresLine
{
    /// <summary>The query.</summary>
    public required string Query { get; init; }

    /// <summary>The user's own answer.</summary>
    public required string Gold { get; init; }

    /// <summary>Method to metric to value. A metric that a single answer does not have is absent.</summary>
    public required IReadOnlyDictionary<string, IReadOnlyDictionary<string, double>> Scores { get; init; }
}
