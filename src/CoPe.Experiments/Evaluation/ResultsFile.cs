using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace CoPe.Experiments.Evaluation;

/// <summary>
/// The figures of a run as <c>results.json</c>. <code>{"cope": {"rouge-1": {"mean": 0.4, "se": 0.01, "n": 500}, ...},
/// ...}</code>
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
    /// the report's order.
    /// </summary>
    /// <param name="report">The figures.</param>
    /// <param name="path">The file; its folder is made where it is missing.</param>
    /// <param name="seeds">Adds <c>seed_sd</c>, how far the seed moves the mean; null where there was one seed.</param>
    /// <exception cref="IOException">It cannot be written.</exception>
    public static void WriteJson(EvaluationReport report, string path, SeedAverage? seeds = null) =>
        AtomicFile.Write(
            path,
            stream =>
            {
                using var json = new Utf8JsonWriter(stream, Writing);
                Write(json, report, seeds);
            }
        );

    /// <summary>The figures of several tasks as JSON: task to method to metric.</summary>
    public static string ToJson(IReadOnlyDictionary<string, EvaluationReport> reports)
    {
        ArgumentNullException.ThrowIfNull(reports);
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream, Writing))
        {
            json.WriteStartObject();
            foreach (var (task, report) in reports)
            {
                json.WritePropertyName(task);
                Write(json, report, seeds: null);
            }
            json.WriteEndObject();
        }
        return Encoding.UTF8.GetString(stream.ToArray()) + "\n";
    }

    static void Write(Utf8JsonWriter json, EvaluationReport report, SeedAverage? seeds)
    {
        json.WriteStartObject();
        foreach (var scores in report.Methods)
        {
            json.WriteStartObject(scores.Method);
            foreach (var (metric, value) in scores.Metrics)
            {
                json.WriteStartObject(metric);
                Write(json, value);
                if (scores.OverUsers.GetValueOrDefault(metric) is { } overUsers)
                {
                    json.WriteStartObject("users");
                    Write(json, overUsers);
                    json.WriteEndObject();
                }
                if (seeds?.StandardDeviation(scores.Method, metric) is { } deviation)
                {
                    json.WriteNumber("seed_sd", deviation);
                }

                json.WriteEndObject();
            }
            json.WriteEndObject();
        }
        json.WriteEndObject();
    }

    static void Write(Utf8JsonWriter json, MeanWithError value)
    {
        json.WriteNumber("mean", value.Mean);
        json.WriteNumber("se", value.StandardError);
        json.WriteNumber("n", value.Count);
    }

    /// <summary>Writes the same figures as CSV, see <see cref="ResultsCsv"/>.</summary>
    public static void WriteCsv(EvaluationReport report, string path, SeedAverage? seeds = null) =>
        AtomicFile.WriteText(path, writer => ResultsCsv.Write(ResultsTable.Create(report, seeds), writer));

    /// <summary>Reads a <c>results.json</c>: method to metric to mean, standard error and count.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="InvalidDataException">It is not of this form.</exception>
    /// <exception cref="IOException">It cannot be read.</exception>
    public static IReadOnlyDictionary<string, IReadOnlyDictionary<string, MeanWithError>> ReadJson(string path)
    {
        try
        {
            using var document = JsonDocument.Parse(File.ReadAllBytes(path));
            return document
                .RootElement.EnumerateObject()
                .ToDictionary(
                    method => method.Name,
                    method =>
                        (IReadOnlyDictionary<string, MeanWithError>)
                            method
                                .Value.EnumerateObject()
                                .ToDictionary(metric => metric.Name, metric => Value(metric.Value))
                );
        }
        catch (Exception error)
            when (error is JsonException or InvalidOperationException or KeyNotFoundException or FormatException)
        {
            throw new InvalidDataException(
                $"{path} is no results file: {error.Message} Expected method to metric to {{\"mean\", \"se\", \"n\"}}.",
                error
            );
        }
    }

    static MeanWithError Value(JsonElement element) =>
        new(
            element.GetProperty("mean").GetDouble(),
            element.GetProperty("se").GetDouble(),
            element.GetProperty("n").GetInt32()
        );
}
