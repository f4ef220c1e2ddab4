using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using CoPe.Experiments.Runs.Chat;

namespace CoPe.Cli.Sessions;

/// <summary>A conversation as a file, for people or as JSON.</summary>
static class ChatTranscript
{
    static readonly JsonSerializerOptions Indented = new()
    {
        WriteIndented = true,
        NewLine = "\n",
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <summary>Writes the conversation; as JSON where the file's name ends so.</summary>
    public static void Write(string path, string run, ChatSession session)
    {
        var isJson = Path.GetExtension(path).Equals(".json", StringComparison.OrdinalIgnoreCase);
        AtomicFile.WriteText(
            path,
            isJson ? CreateJson(run, session).ToJsonString(Indented) + "\n" : CreateText(run, session)
        );
    }

    static string CreateText(string run, ChatSession session)
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"{run}, {session.User}, adapter {session.Adapter.Stage}\n");
        foreach (var turn in session.Turns)
        {
            text.Append(CultureInfo.InvariantCulture, $"\n> {turn.Line}\n");
            if (turn.Answers.TryGetValue(ChatModelKind.Base, out var answer))
            {
                text.Append(CultureInfo.InvariantCulture, $"\nbase: {answer.Text}\n");
            }

            text.Append(CultureInfo.InvariantCulture, $"\n{session.User}: {turn.Personalized.Text}\n");
        }

        return text.ToString();
    }

    static JsonObject CreateJson(string run, ChatSession session) =>
        new()
        {
            ["run"] = run,
            ["user"] = session.User,
            ["adapter"] = session.Adapter.Stage,
            ["turns"] = new JsonArray([.. session.Turns.Select(turn => CreateTurn(session, turn))]),
        };

    static JsonObject CreateTurn(ChatSession session, ChatTurn turn)
    {
        var decoding = session.CreateDecodingOptions(turn.Options);
        var json = new JsonObject
        {
            ["line"] = turn.Line,
            ["answer"] = turn.Personalized.Text,
            ["contrast"] = decoding.Contrast,
            ["contrast_unless_certain"] = decoding.ContrastUnlessCertain,
            ["plausibility"] = decoding.Plausibility,
            ["temperature"] = decoding.DoSample ? decoding.Temperature : 0,
            ["max_new_tokens"] = decoding.MaxNewTokens,
        };
        if (turn.Answers.TryGetValue(ChatModelKind.Base, out var answer))
        {
            json["base"] = answer.Text;
        }

        return json;
    }
}
