using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using CoPe.Prompts;

namespace CoPe.Data.Samples;

/// <summary>
/// Invented data of the five text tasks: authors with habits of their own, which only their histories tell, and text to pre-train a small model on.
/// Everything is made by a grammar of this library; no content is told twice, so no query's gold stands anywhere else.
/// </summary>
public static class SampleData
{
    /// <summary>One part in so many of the requests with answers is the first lesson.</summary>
    const int FirstLesson = 6;

    /// <summary>Says from which options a folder's data were made.</summary>
    const string Marker = "sample.json";

    static readonly JsonSerializerOptions Readable = new() { WriteIndented = true, PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };

    static readonly JsonWriterOptions OneLine = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>The tasks that sample data is made for.</summary>
    public static IReadOnlyList<LampTask> Tasks { get; } = SampleTask.All.Select(task => task.Task).ToList();

    /// <summary>Whether data lie in a folder of sample data, or in one of its tasks' folders.</summary>
    public static bool IsSample(string folder) => File.Exists(Path.Combine(folder, Marker)) || File.Exists(Path.Combine(folder, "..", Marker));

    /// <summary>Writes <c>folder/task-name/</c> for each task, <c>folder/corpus/neutral.txt</c> (a document a line), <c>folder/corpus/instructions.jsonl</c>, and <c>folder/sample.json</c> with the options.</summary>
    /// <exception cref="IOException">The folder holds data that were not made here.</exception>
    public static void Write(string folder, SampleOptions? options = null, IProgress<StageProgress>? progress = null, CancellationToken cancel = default)
    {
        options ??= new();
        if (options.MaxHistory < options.MinHistory)
            throw new ArgumentException($"MaxHistory is {options.MaxHistory}, expected at least MinHistory, which is {options.MinHistory}.");
        if (!File.Exists(Path.Combine(folder, Marker)) && SampleTask.All.Select(task => Path.Combine(folder, task.Task.Name)).FirstOrDefault(Directory.Exists) is { } foreign)
            throw new IOException($"{foreign} holds data that are no sample data and would be written over: name another folder");
        AtomicFile.WriteText(Path.Combine(folder, Marker), JsonSerializer.Serialize(options, Readable) + "\n");
        var world = new SampleWorld(options.Seed);
        foreach (var (done, task) in SampleTask.All.Index())
        {
            progress?.Report(new() { Stage = "data sample", User = task.Task.Name, Done = done, Total = SampleTask.All.Count + 2, Unit = "parts" });
            LampFiles.Write(folder, Dataset(world, task, options));
            cancel.ThrowIfCancellationRequested();
        }
        var corpus = Directory.CreateDirectory(Path.Combine(folder, "corpus")).FullName;
        AtomicFile.WriteLines(Path.Combine(corpus, "neutral.txt"), Documents(world, options.Documents, cancel));
        AtomicFile.WriteLines(Path.Combine(corpus, "instructions.jsonl"), Instructions(world, options.Instructions, cancel));
        progress?.Report(new() { Stage = "data sample", Done = SampleTask.All.Count + 2, Total = SampleTask.All.Count + 2, Unit = "parts" });
    }

    internal static LampDataset Dataset(SampleWorld world, SampleTask task, SampleOptions options)
    {
        var draw = world.Draw(task.Task.Name);
        var template = PromptTemplates.Shipped(task.Task);
        return new()
        {
            Task = task.Task,
            Users = Enumerable.Range(1, options.Users)
                .Select(n => User($"{n}", options.MinHistory + draw.Next(options.MaxHistory - options.MinHistory + 1))).ToList(),
            Others = Enumerable.Range(options.Users + 1, options.OtherUsers).Select(n => User($"{n}", options.OtherHistory)).ToList(),
        };

        LampUser User(string name, int history)
        {
            var author = world.Author(name);
            return new()
            {
                Id = name,
                Name = world.FullName(name),
                Profile = Enumerable.Range(0, history).Select(_ => world.Item(task, author, draw)).ToList(),
                Queries = Enumerable.Range(0, options.QueriesPerUser).Select(_ => Query(world.Item(task, author, draw))).ToList(),
            };
        }

        LampQuery Query(HistoryItem item) => new() { Id = item.Id, Input = template.HistoryInput(item), Gold = template.AnswerOf(item) };
    }

    static IEnumerable<string> Documents(SampleWorld world, int count, CancellationToken cancel)
    {
        var draw = world.Draw("documents");
        for (var n = 0; n < count; n++)
        {
            cancel.ThrowIfCancellationRequested();
            yield return world.Document(SampleTask.All[draw.Next(SampleTask.All.Count)], world.Author($"document {n}"), draw);
        }
    }

    /// <summary>
    /// Requests with answers, in the order a small model learns them in: first headlines in nobody's style alone, which teach it to carry over what a request says,
    /// then all tasks, three answers of four still in nobody's style.
    /// </summary>
    static IEnumerable<string> Instructions(SampleWorld world, int count, CancellationToken cancel)
    {
        var draw = world.Draw("instructions");
        var templates = SampleTask.All.ToDictionary(task => task, task => PromptTemplates.Shipped(task.Task));
        var first = SampleTask.All.First(task => task.Task == LampTasks.NewsHeadline);
        for (var n = 0; n < count; n++)
        {
            cancel.ThrowIfCancellationRequested();
            var isFirstLesson = n < count / FirstLesson;
            var task = isFirstLesson ? first : SampleTask.All[draw.Next(SampleTask.All.Count)];
            var author = isFirstLesson || n % 4 != 0 ? null : world.Author($"instruction {n}");
            var item = world.Item(task, author, draw);
            yield return Pair(templates[task].System, templates[task].HistoryInput(item), templates[task].AnswerOf(item));
        }
    }

    static string Pair(string? system, string prompt, string answer)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using var json = new Utf8JsonWriter(buffer, OneLine);
        json.WriteStartObject();
        if (system is not null) json.WriteString("system", system);
        json.WriteString("prompt", prompt);
        json.WriteString("answer", answer);
        json.WriteEndObject();
        json.Flush();
        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }
}
