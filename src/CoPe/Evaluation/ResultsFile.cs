using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace CoPe.Evaluation;

/// <summary>The figures of a run as <c>results.json</c> and as CSV. <code>{"cope": {"rouge-1": {"mean": 0.4, "se": 0.01, "n": 500}, ...}, ...}</code></summary>
public static class ResultsFile
{
    static readonly JsonWriterOptions Writing = new() { Indented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Writes method to metric to mean, standard error and count over queries, in the report's order.</summary>
    /// <param name="report">The figures.</param>
    /// <param name="path">The file; its folder exists.</param>
    /// <exception cref="IOException">It cannot be written.</exception>
    public static void WriteJson(EvaluationReport report, string path) => WholeFile.Write(path, stream =>
    {
        using var json = new Utf8JsonWriter(stream, Writing);
        json.WriteStartObject();
        foreach (var scores in report.Methods)
        {
            json.WriteStartObject(scores.Method);
            foreach (var (metric, value) in scores.Metrics)
            {
                json.WriteStartObject(metric);
                json.WriteNumber("mean", value.Mean);
                json.WriteNumber("se", value.StandardError);
                json.WriteNumber("n", value.Count);
                json.WriteEndObject();
            }
            json.WriteEndObject();
        }
        json.WriteEndObject();
    });

    /// <summary>Writes one line per method, metric and unit: <c>task,method,metric,over,mean,se,n</c>.</summary>
    /// <param name="report">The figures.</param>
    /// <param name="path">The file; its folder exists.</param>
    /// <exception cref="IOException">It cannot be written.</exception>
    public static void WriteCsv(EvaluationReport report, string path) => WholeFile.Write(path, stream =>
    {
        using var writer = new StreamWriter(stream, new UTF8Encoding(false)) { NewLine = "\n" };
        writer.WriteLine("task,method,metric,over,mean,se,n");
        foreach (var scores in report.Methods)
        {
            foreach (var (metric, value) in scores.Metrics) writer.WriteLine(Line(report.Task, scores.Method, metric, "queries", value));
            foreach (var (metric, value) in scores.OverUsers) writer.WriteLine(Line(report.Task, scores.Method, metric, "users", value));
        }
    });

    /// <summary>Reads a <c>results.json</c>: method to metric to mean, standard error and count.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="InvalidDataException">It is not of this form.</exception>
    /// <exception cref="IOException">It cannot be read.</exception>
    public static IReadOnlyDictionary<string, IReadOnlyDictionary<string, MeanWithError>> ReadJson(string path)
    {
        try
        {
            using var document = JsonDocument.Parse(File.ReadAllBytes(path));
            return document.RootElement.EnumerateObject().ToDictionary(method => method.Name, method =>
                (IReadOnlyDictionary<string, MeanWithError>)method.Value.EnumerateObject().ToDictionary(metric => metric.Name, metric => Value(metric.Value)));
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException or KeyNotFoundException or FormatException)
        {
            throw new InvalidDataException($"{path} is no results file: {error.Message} Expected method to metric to {{\"mean\", \"se\", \"n\"}}.", error);
        }
    }

    static MeanWithError Value(JsonElement element) =>
        new(element.GetProperty("mean").GetDouble(), element.GetProperty("se").GetDouble(), element.GetProperty("n").GetInt32());

    static string Line(string task, string method, string metric, string over, MeanWithError value) => string.Create(CultureInfo.InvariantCulture,
        $"{Quoted(task)},{Quoted(method)},{Quoted(metric)},{over},{value.Mean:R},{value.StandardError:R},{value.Count}");

    static string Quoted(string field) => field.AsSpan().IndexOfAny(",\"\n\r") < 0 ? field : $"\"{field.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
}
