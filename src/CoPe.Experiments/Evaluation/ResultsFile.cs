using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using CoPe.Json;

namespace CoPe.Experiments.Evaluation;

/// <summary>
/// A results table as <c>results.json</c>.
/// <code>{"cope": {"rouge-1": {"mean": 0.4, "se": 0.01, "n": 500, "users": {...}}, ...}, ...}</code>
/// </summary>
public static class ResultsFile
{
    static readonly JsonWriterOptions Writing = new()
    {
        Indented = true,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <summary>
    /// Writes method to metric to mean, standard error and count over queries, and over users where they are known, in
    /// the table's order; over several seeds also <c>seed_sd</c>, how far the seed moves the mean.
    /// </summary>
    /// <param name="table">The results.</param>
    /// <param name="path">The file; its folder is created where it is missing.</param>
    /// <exception cref="IOException">It cannot be written.</exception>
    public static void WriteJson(ResultsTable table, string path) =>
        AtomicFile.Write(
            path,
            stream =>
            {
                using var json = new Utf8JsonWriter(stream, Writing);
                Write(json, table);
            }
        );

    /// <summary>The results of several tasks as JSON: task to method to metric.</summary>
    /// <param name="tables">Task name to its results.</param>
    public static string ToJson(IReadOnlyDictionary<string, ResultsTable> tables)
    {
        ArgumentNullException.ThrowIfNull(tables);
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream, Writing))
        {
            json.WriteStartObject();
            foreach (var (task, table) in tables)
            {
                json.WritePropertyName(task);
                Write(json, table);
            }

            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(stream.ToArray()) + "\n";
    }

    /// <summary>Writes the same table as CSV, see <see cref="ResultsCsv"/>.</summary>
    /// <param name="table">The results.</param>
    /// <param name="path">The file; its folder is created where it is missing.</param>
    /// <exception cref="IOException">It cannot be written.</exception>
    public static void WriteCsv(ResultsTable table, string path) =>
        AtomicFile.WriteText(path, writer => ResultsCsv.Write(table, writer));

    /// <summary>Reads what <see cref="WriteJson"/> wrote.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="InvalidDataException">It is not of this form.</exception>
    /// <exception cref="IOException">It cannot be read.</exception>
    public static ResultsTable ReadJson(string path)
    {
        try
        {
            var methods = StrictJson.DeserializeFile<Dictionary<string, Dictionary<string, StoredCell>>>(path);
            return ResultsTable.FromCells(
                [.. methods.Keys],
                [
                    .. from method in methods
                    from metric in method.Value
                    select metric.Value.ToCell(method.Key, metric.Key),
                ]
            );
        }
        catch (InvalidJsonException error)
        {
            throw new InvalidDataException(
                MessageText.ToOneLine(
                    $"{path} is no results file: {error.Message}. Expected method to metric to "
                        + "{\"mean\", \"se\", \"n\"}."
                ),
                error
            );
        }
    }

    static void Write(Utf8JsonWriter json, ResultsTable table)
    {
        var cells = table.Cells.ToLookup(cell => cell.Method);
        json.WriteStartObject();
        foreach (var method in table.Methods)
        {
            json.WriteStartObject(method);
            foreach (var cell in cells[method])
            {
                json.WriteStartObject(cell.Metric);
                Write(json, cell);
                json.WriteEndObject();
            }

            json.WriteEndObject();
        }

        json.WriteEndObject();
    }

    static void Write(Utf8JsonWriter json, ResultCell cell)
    {
        Write(json, cell.OverQueries);
        if (cell.OverUsers is { } overUsers)
        {
            json.WriteStartObject("users");
            Write(json, overUsers);
            json.WriteEndObject();
        }

        if (cell.SeedDeviation is { } deviation)
        {
            json.WriteNumber("seed_sd", deviation);
        }
    }

    static void Write(Utf8JsonWriter json, MeanWithError value)
    {
        json.WriteNumber("mean", value.Mean);
        json.WriteNumber("se", value.StandardError);
        json.WriteNumber("n", value.Count);
    }

    /// <summary>A mean as the file has it.</summary>
    record StoredMean
    {
        [JsonPropertyName("mean")]
        public required double Mean { get; init; }

        [JsonPropertyName("se")]
        public required double StandardError { get; init; }

        [JsonPropertyName("n")]
        public required int Count { get; init; }

        public MeanWithError ToMean() => new(Mean, StandardError, Count);
    }

    /// <summary>A cell as the file has it.</summary>
    sealed record StoredCell : StoredMean
    {
        [JsonPropertyName("users")]
        public StoredMean? OverUsers { get; init; }

        [JsonPropertyName("seed_sd")]
        public double? SeedDeviation { get; init; }

        public ResultCell ToCell(string method, string metric) =>
            new()
            {
                Method = method,
                Metric = metric,
                Mean = Mean,
                StandardError = StandardError,
                Count = Count,
                OverUsers = OverUsers?.ToMean(),
                SeedDeviation = SeedDeviation,
            };
    }
}
