using System.Text;
using CoPe.Experiments.Data;
using CoPe.Experiments.Runs;
using CoPe.Experiments.Runs.Pretraining;
using CoPe.Experiments.Runs.Recipes;
using CoPe.Experiments.Runs.Results;
using CoPe.Experiments.Settings;
using CoPe.Experiments.Tasks;
using CoPe.Fuzz.Mutations;

namespace CoPe.Fuzz.Readers;

/// <summary>Files of settings, values given on the command line, and names.</summary>
static class SettingsReaders
{
    const string Prompts = "news_headline.yaml";

    public static IEnumerable<FuzzedReader> All =>
        [
            new()
            {
                Name = "recipe",
                Format = InputFormat.Yaml,
                Covers = ["Recipe.Read", "SettingsFile.Read"],
                Seeds = _ => ReadSeeds("recipes").Where(recipe => !IsPretraining(recipe)),
                Open = scratch => input => Recipe.Read(scratch.Write("recipe.yaml", input)),
                File = "recipe.yaml",
                Share = 4,
            },
            new()
            {
                Name = "pretrain-recipe",
                Format = InputFormat.Yaml,
                Covers = ["SettingsFile.Read"],
                Seeds = _ => ReadSeeds("recipes").Where(IsPretraining),
                Open = scratch => input => SettingsFile.Read<PretrainRecipe>(scratch.Write("pretrain.yaml", input), []),
                File = "pretrain.yaml",
                Share = 4,
            },
            new()
            {
                Name = "task",
                Format = InputFormat.Yaml,
                Covers = ["TaskFile.Read"],
                Seeds = _ => ReadSeeds("tasks"),
                Open = scratch => input => TaskFile.Read(scratch.Write("task.yaml", input)),
                File = "task.yaml",
                Share = 4,
            },
            new()
            {
                Name = "prompts",
                Format = InputFormat.Yaml,
                Covers = ["PromptFile.Read"],
                Seeds = _ => Bytes.OfAll("history: \"Generate a headline: {text}\"\nquery: \"{input}\"\n"),
                Open = scratch =>
                    input =>
                    {
                        scratch.Write($"prompts/{Prompts}", input);
                        PromptFile.Read(scratch.At("prompts"), LampTasks.NewsHeadline);
                    },
                File = Prompts,
            },
            new()
            {
                Name = "override",
                Format = InputFormat.Text,
                Covers = ["SettingsFile.Parse"],
                Seeds = _ =>
                    Bytes.OfAll(
                        "sft.learning_rate=1e-4",
                        "dpo.beta = 0.1",
                        "decode.contrast=0.2",
                        "sft.lora.target_modules=[q_proj, v_proj]",
                        "negatives.kind=random",
                        "tam.epochs=~"
                    ),
                Open = _ => input => Override(Encoding.UTF8.GetString(input)),
                Words = ["=", ",", ".", "[", "]", "{a: 1}", "sft.", "dpo.", "seed", "null", "tam.dropout="],
                Share = 2,
            },
            FuzzedReader.OfText(
                "sweep-axis",
                "SweepAxis.Parse",
                text => SweepAxis.Parse(text),
                "decode.contrast=0.1,0.2",
                "sft.epochs = 1, 2,3"
            ),
            new()
            {
                Name = "task-name",
                Format = InputFormat.Text,
                Covers =
                [
                    "TaskFile.LoadShipped",
                    "LampTasks.ByName",
                    "LampFiles.FindTaskFolder",
                    "InputPaths.FindTask",
                ],
                Seeds = _ => Bytes.OfAll("news_headline", "own_writing"),
                Open = scratch => input => FindTask(scratch.Folder, Encoding.UTF8.GetString(input)),
                AlsoThrows = [typeof(ArgumentException)],
                Share = 2,
            },
            FuzzedReader.OfText(
                "method-name",
                "PredictionMethod.Find",
                text => PredictionMethod.Find(text),
                "cope",
                "tam-all"
            ),
        ];

    static bool IsPretraining(byte[] recipe) => recipe.AsSpan().IndexOf("shape:"u8) >= 0;

    static IEnumerable<byte[]> ReadSeeds(string folder)
    {
        var assembly = typeof(SettingsReaders).Assembly;
        foreach (var name in assembly.GetManifestResourceNames().Where(name => name.Contains($"/{folder}/")))
        {
            using var stream = assembly.GetManifestResourceStream(name)!;
            var bytes = new byte[stream.Length];
            stream.ReadExactly(bytes);
            yield return bytes;
        }
    }

    static void Override(string text) =>
        SettingsFile.Parse<Recipe>("task: news_headline\nmodel: model\n", "recipe.yaml", [text]);

    static void FindTask(string folder, string name)
    {
        LampFiles.FindTaskFolder(folder, name);
        InputPaths.FindTask(name, [folder, AppContext.BaseDirectory]);
        LampTasks.ByName(name);
        TaskFile.LoadShipped(name);
    }
}
