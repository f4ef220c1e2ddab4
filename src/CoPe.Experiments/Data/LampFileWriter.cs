using System.Text.Encodings.Web;
using System.Text.Json;
using CoPe.Experiments.Tasks;

namespace CoPe.Experiments.Data;

/// <summary>Writes the LaMP files, each whole or not at all.</summary>
static class LampFileWriter
{
    const int CharactersAtOnce = 1 << 16;

    static readonly JsonWriterOptions Layout = new()
    {
        Indented = true,
        IndentSize = 1,
        NewLine = "\n",
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    public static void WriteUsers(string path, IEnumerable<LampUser> users) =>
        Write(
            path,
            json =>
            {
                json.WriteStartArray();
                foreach (var user in users)
                {
                    WriteUser(json, user);
                    json.Flush();
                }
                json.WriteEndArray();
            }
        );

    public static void WriteGolds(string path, LampTask task, IEnumerable<LampQuery> queries) =>
        Write(
            path,
            json =>
            {
                json.WriteStartObject();
                json.WriteString("task", task.BenchmarkId);
                json.WriteStartArray("golds");
                foreach (var query in queries.Where(query => query.Gold.Length > 0))
                {
                    json.WriteStartObject();
                    json.WriteString("id", query.Id);
                    WriteText(json, "output", query.Gold);
                    json.WriteEndObject();
                }
                json.WriteEndArray();
                json.WriteEndObject();
            }
        );

    /// <summary>Writes one user.</summary>
    internal static void WriteUser(Utf8JsonWriter json, LampUser user)
    {
        json.WriteStartObject();
        json.WriteString("user_id", user.Id);
        if (user.Name is { } name)
        {
            json.WriteString("user_name", name);
        }

        json.WriteStartArray("profile");
        foreach (var item in user.History)
        {
            json.WriteStartObject();
            json.WriteString("id", item.Id);
            foreach (var (field, text) in item.Fields)
            {
                WriteText(json, field, text);
            }

            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteStartArray("query");
        foreach (var query in user.Queries)
        {
            json.WriteStartObject();
            json.WriteString("id", query.Id);
            WriteText(json, "input", query.Input);
            if (query.Gold.Length > 0)
            {
                WriteText(json, "gold", query.Gold);
            }

            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteEndObject();
    }

    /// <summary>Writes a long text in segments: whole, the writer would hold six times its length.</summary>
    static void WriteText(Utf8JsonWriter json, string name, string text)
    {
        if (text.Length <= CharactersAtOnce)
        {
            json.WriteString(name, text);
            return;
        }

        json.WritePropertyName(name);
        for (var start = 0; start < text.Length; start += CharactersAtOnce)
        {
            json.WriteStringValueSegment(
                text.AsSpan(start, Math.Min(CharactersAtOnce, text.Length - start)),
                start + CharactersAtOnce >= text.Length
            );
            json.Flush();
        }
    }

    static void Write(string path, Action<Utf8JsonWriter> write) =>
        AtomicFile.Write(
            path,
            stream =>
            {
                using var json = new Utf8JsonWriter(stream, Layout);
                write(json);
            }
        );
}
