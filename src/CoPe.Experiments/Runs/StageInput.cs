using System.Text.Json;
using System.Text.Json.Serialization;
using CoPe.Experiments.Data;

namespace CoPe.Experiments.Runs;

/// <summary>Kinds of things that a stage's outputs depend on.</summary>
[Flags]
public enum InputKinds
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>Files of the model folder.</summary>
    Model = 1,

    /// <summary>The test users' histories, queries and golds.</summary>
    Users = 2,

    /// <summary>The task file.</summary>
    Task = 4,

    /// <summary>The other users' queries.</summary>
    Others = 8,

    /// <summary>The prompt file, where the recipe names one.</summary>
    Prompt = 16,

    /// <summary>Values of the recipe.</summary>
    Recipe = 32,

    /// <summary>Users whom the run has forgotten.</summary>
    ForgottenUsers = 64,

    /// <summary>Outputs of another stage.</summary>
    Stage = 128,

    /// <summary>A file that the outputs of a stage were taken from.</summary>
    Import = 512,

    /// <summary>Files of adapters that were made elsewhere.</summary>
    Adapter = 1024,

    /// <summary>The task's data files.</summary>
    Data = Users | Others,

    /// <summary>The task file and the prompt file.</summary>
    Wording = Task | Prompt,

    /// <summary>Every file.</summary>
    Files = Model | Data | Wording,
}

/// <summary>A file that a run reads.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Name">Its name, wherever it lies.</param>
/// <param name="FullPath">Where it lies.</param>
public sealed record InputFile(InputKinds Kind, string Name, string FullPath)
{
    /// <summary>The file among the inputs of a stage or the facts of a run: <c>data user_others.json</c>.</summary>
    public string Label => StageInput.FormatLabel(Kind, Name);
}

/// <summary>One thing that a stage's outputs were made from.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Name">A key of the recipe, a file's name, a stage's name; empty for the forgotten users.</param>
/// <param name="Value">The value, the file's SHA-256, or the stage's hash.</param>
public sealed record StageInput(InputKinds Kind, string Name, string Value)
{
    /// <summary>The value of a file that exists and that the stage does not read.</summary>
    public const string NotRead = "not read";

    /// <summary>
    /// The input in a marker: <c>recipe dpo.beta</c>, <c>data user_others.json</c>, <c>stage train tam</c>.
    /// </summary>
    public string Label => FormatLabel(Kind, Name);

    internal static string FormatLabel(InputKinds kind, string name) =>
        kind switch
        {
            InputKinds.Model => "model " + name,
            InputKinds.Users or InputKinds.Others => "data " + name,
            InputKinds.Task => "task " + name,
            InputKinds.Prompt => "prompt " + name,
            InputKinds.Adapter => "adapter " + name,
            InputKinds.Recipe => "recipe " + name,
            InputKinds.Stage => "stage " + name,
            InputKinds.Import => "import " + name,
            InputKinds.ForgottenUsers => "forgotten users",
            _ => throw new ArgumentException($"{kind} is not the kind of one input", nameof(kind)),
        };
}

/// <summary>Inputs in a marker file: an object of label and value.</summary>
sealed class StageInputsConverter : JsonConverter<IReadOnlyList<StageInput>>
{
    public override IReadOnlyList<StageInput> Read(
        ref Utf8JsonReader reader,
        Type typeToConvert,
        JsonSerializerOptions options
    )
    {
        if (reader.TokenType != JsonTokenType.StartObject)
        {
            throw new JsonException("inputs are an object of label and value");
        }

        var inputs = new List<StageInput>();
        var labels = new HashSet<string>();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var label = reader.GetString()!;
            reader.Read();
            if (reader.TokenType != JsonTokenType.String)
            {
                throw new JsonException($"the value of input '{label}' is no text");
            }

            var input = ParseLabel(label, reader.GetString()!);
            if (!labels.Add(input.Label))
            {
                throw new JsonException($"input '{input.Label}' stands twice");
            }

            inputs.Add(input);
        }

        return inputs;
    }

    public override void Write(Utf8JsonWriter writer, IReadOnlyList<StageInput> value, JsonSerializerOptions options)
    {
        writer.WriteStartObject();
        foreach (var input in value.OrderBy(input => input.Label, StringComparer.Ordinal))
        {
            writer.WriteString(input.Label, input.Value);
        }

        writer.WriteEndObject();
    }

    static StageInput ParseLabel(string label, string value)
    {
        var space = label.IndexOf(' ', StringComparison.Ordinal);
        var (prefix, name) = space < 0 ? (label, "") : (label[..space], label[(space + 1)..]);
        return prefix switch
        {
            "model" => new(InputKinds.Model, name, value),
            "data" => new(name == LampFiles.OthersFile ? InputKinds.Others : InputKinds.Users, name, value),
            "task" => new(InputKinds.Task, name, value),
            "prompt" => new(InputKinds.Prompt, name, value),
            "adapter" => new(InputKinds.Adapter, name, value),
            "recipe" => new(InputKinds.Recipe, name, value),
            "stage" => new(InputKinds.Stage, name, value),
            "import" => new(InputKinds.Import, name, value),
            "forgotten" => new(InputKinds.ForgottenUsers, "", value),
            _ => throw new JsonException($"'{label}' is no input of a stage"),
        };
    }
}
