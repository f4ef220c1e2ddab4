using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using CoPe.Experiments.Tasks;

namespace CoPe.Experiments.Data.Samples;

/// <summary>
/// Invented data of the five text tasks: authors with habits of their own, which only their histories tell, and text to
/// pre-train a small model on.
/// Everything is made by a grammar of this library; no content is told twice, so no query's gold stands anywhere else.
/// </summary>
public static class SampleData
{
    /// <summary>One part in so many of the requests with answers is the first lesson.</summary>
    const int FirstLesson = 6;

    /// <summary>Says from which options a folder's data were made.</summary>
    const string Marker = "sample.json";

    static readonly JsonSerializerOptions Readable = new()
    {
        WriteIndented = true,
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
    };

    static readonly JsonWriterOptions OneLine = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>The tasks that sample data is made for.</summary>
    public static IReadOnlyList<LampTask> Tasks { get; } = SampleTask.All.Select(task => task.Task).ToList();

    /// <summary>Whether data lie in a folder of sample data, or in one of its tasks' folders.</summary>
    public static bool IsSample(string folder) =>
        File.Exists(Path.Combine(folder, Marker)) || File.Exists(Path.Combine(folder, "..", Marker));

    /// <summary>
    /// Writes <c>folder/task-name/</c> for each task, <c>folder/corpus/neutral.txt</c> (a document a line),
    /// <c>folder/corpus/instructions.jsonl</c>, and <c>folder/sample.json</c> with the options.
    /// </summary>
    /// <exception cref="IOException">The folder holds data that were not made here.</exception>
    public static void Write(
        string folder,
        SampleOptions? options = null,
        IProgress<StageProgress>? progress = null,
        CancellationToken cancel = default
    )
    {
        options ??= new();
        if (options.MaxHistory < options.MinHistory)
        {
            throw new ArgumentException(
                $"MaxHistory is {options.MaxHistory}, expected at least MinHistory, which is {options.MinHistory}."
            );
        }

        if (
            !File.Exists(Path.Combine(folder, Marker))
            && SampleTask.All.Select(task => Path.Combine(folder, task.Task.Name)).FirstOrDefault(Directory.Exists)
                is { } foreign
        )
        {
            throw new IOException(
                $"{foreign} holds data that are no sample data and would be written over: name another folder"
            );
        }

        AtomicFile.WriteText(Path.Combine(folder, Marker), JsonSerializer.Serialize(options, Readable) + "\n");
        var world = new SampleWorld(options.Seed);
        foreach (var (done, task) in SampleTask.All.Index())
        {
            progress?.Report(
                new()
                {
                    Stage = "data sample",
                    User = task.Task.Name,
                    Done = done,
                    Total = SampleTask.All.Count + 2,
                    Unit = "parts",
                }
            );
            LampFiles.Write(folder, CreateDataset(world, task, options));
            cancel.ThrowIfCancellationRequested();
        }
        var corpus = Directory.CreateDirectory(Path.Combine(folder, "corpus")).FullName;
        AtomicFile.WriteLines(Path.Combine(corpus, "neutral.txt"), CreateDocuments(world, options.Documents, cancel));
        AtomicFile.WriteLines(
            Path.Combine(corpus, "instructions.jsonl"),
            CreateInstructions(world, options.Instructions, cancel)
        );
        progress?.Report(
            new()
            {
                Stage = "data sample",
                Done = SampleTask.All.Count + 2,
                Total = SampleTask.All.Count + 2,
                Unit = "parts",
            }
        );
    }

    internal static LampDataset CreateDataset(SampleWorld world, SampleTask task, SampleOptions options)
    {
        var draw = world.CreateRandom(task.Task.Name);
        var template = PromptFile.Shipped(task.Task);
        return new()
        {
            Task = task.Task,
            Users = Enumerable
                .Range(1, options.Users)
                .Select(n => User($"{n}", options.MinHistory + draw.Next(options.MaxHistory - options.MinHistory + 1)))
                .ToList(),
            Others = Enumerable
                .Range(options.Users + 1, options.OtherUsers)
                .Select(n => User($"{n}", options.OtherHistory))
                .ToList(),
        };

        LampUser User(string name, int history)
        {
            var author = world.CreateAuthor(name);
            return new()
            {
                Id = name,
                Name = world.CreateFullName(name),
                History = Enumerable.Range(0, history).Select(_ => world.CreateItem(task, author, draw)).ToList(),
                Queries = Enumerable
                    .Range(0, options.QueriesPerUser)
                    .Select(_ => Query(world.CreateItem(task, author, draw)))
                    .ToList(),
            };
        }

        LampQuery Query(HistoryItem item) =>
            new()
            {
                Id = item.Id,
                Input = template.FormatHistoryItem(item),
                Gold = template.GetAnswer(item),
            };
    }

    static IEnumerable<string> CreateDocuments(SampleWorld world, int count, CancellationToken cancel)
    {
        var draw = world.CreateRandom("documents");
        for (var n = 0; n < count; n++)
        {
            cancel.ThrowIfCancellationRequested();
            yield return world.CreateDocument(
                SampleTask.All[draw.Next(SampleTask.All.Count)],
                world.CreateAuthor($"document {n}"),
                draw
            );
        }
    }

    /// <summary>
    /// Requests with answers, in the order a small model learns them in: first headlines in nobody's style alone, which
    /// teach it to carry over what a request says,
    /// then all tasks, three answers of four still in nobody's style.
    /// </summary>
    static IEnumerable<string> CreateInstructions(SampleWorld world, int count, CancellationToken cancel)
    {
        var draw = world.CreateRandom("instructions");
        var templates = SampleTask.All.ToDictionary(task => task, task => PromptFile.Shipped(task.Task));
        var first = SampleTask.All.First(task => task.Task == LampTasks.NewsHeadline);
        for (var n = 0; n < count; n++)
        {
            cancel.ThrowIfCancellationRequested();
            var isFirstLesson = n < count / FirstLesson;
            var task = isFirstLesson ? first : SampleTask.All[draw.Next(SampleTask.All.Count)];
            var author = isFirstLesson || n % 4 != 0 ? null : world.CreateAuthor($"instruction {n}");
            var item = world.CreateItem(task, author, draw);
            yield return ToJsonLine(
                templates[task].System,
                templates[task].FormatHistoryItem(item),
                templates[task].GetAnswer(item)
            );
        }
    }

    static string ToJsonLine(string? system, string prompt, string answer)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using var json = new Utf8JsonWriter(buffer, OneLine);
        json.WriteStartObject();
        if (system is not null)
        {
            json.WriteString("system", system);
        }

        json.WriteString("prompt", prompt);
        json.WriteString("answer", answer);
        json.WriteEndObject();
        json.Flush();
        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }
}

/// <summary>How much sample data is made, and from which seed.</summary>
public sealed record SampleOptions
{
    /// <summary>The same seed gives the same files.</summary>
    public ulong Seed { get; init; } = 1;

    /// <summary>Test users a task.</summary>
    public int Users
    {
        get;
        init => field = AtLeast(1, value, nameof(Users));
    } = 24;

    /// <summary>Other users a task.</summary>
    public int OtherUsers
    {
        get;
        init => field = AtLeast(1, value, nameof(OtherUsers));
    } = 300;

    /// <summary>Fewest history items of a test user.</summary>
    public int MinHistory
    {
        get;
        init => field = AtLeast(2, value, nameof(MinHistory));
    } = 30;

    /// <summary>Most history items of a test user; not below <see cref="MinHistory"/>.</summary>
    public int MaxHistory
    {
        get;
        init => field = AtLeast(2, value, nameof(MaxHistory));
    } = 50;

    /// <summary>History items of another user.</summary>
    public int OtherHistory
    {
        get;
        init => field = AtLeast(0, value, nameof(OtherHistory));
    } = 5;

    /// <summary>Queries of every user.</summary>
    public int QueriesPerUser
    {
        get;
        init => field = AtLeast(1, value, nameof(QueriesPerUser));
    } = 5;

    /// <summary>Documents of the neutral corpus.</summary>
    public int Documents
    {
        get;
        init => field = AtLeast(0, value, nameof(Documents));
    } = 8_000;

    /// <summary>Pairs of request and answer for pre-training.</summary>
    public int Instructions
    {
        get;
        init => field = AtLeast(0, value, nameof(Instructions));
    } = 10_000;

    static int AtLeast(int least, int value, string name) =>
        value >= least
            ? value
            : throw new ArgumentOutOfRangeException(name, value, $"{name} is {value}, expected {least} or more.");
}

/// <summary>How the grammar makes a task's items.</summary>
sealed record SampleTask
{
    /// <summary>The task.</summary>
    public required LampTask Task { get; init; }

    /// <summary>The grammar's domain, whose facts make a piece of content.</summary>
    public required string Domain { get; init; }

    /// <summary>Input field to the symbol that words it, in nobody's style.</summary>
    public required IReadOnlyDictionary<string, string> Inputs { get; init; }

    /// <summary>Symbol of the answer, in the author's style.</summary>
    public required string Output { get; init; }

    /// <summary>Symbol of the answer in nobody's style.</summary>
    public required string UnstyledOutput { get; init; }

    /// <summary>Symbol of the text that a document of the neutral corpus has beside an answer.</summary>
    public required string NeutralText { get; init; }

    /// <summary>The five text tasks.</summary>
    public static IReadOnlyList<SampleTask> All { get; } =
    [
        Create(LampTasks.NewsHeadline, "news", "news.headline", "news.unstyled", "news.article", "news.article"),
        Create(LampTasks.ScholarlyTitle, "sci", "sci.title", "sci.unstyled", "sci.plain", "sci.plain"),
        Create(LampTasks.AbstractGeneration, "sci", "sci.abstract", "sci.plain", "sci.plaintitle", "sci.plaintitle"),
        Create(
            LampTasks.ReviewWriting,
            "prod",
            "prod.review",
            "prod.unstyled",
            "prod.neutral",
            "prod.overall",
            "prod.description",
            "prod.summary"
        ),
        Create(LampTasks.TopicWriting, "com", "com.post", "com.unstyled", "com.summary", "com.summary"),
    ];

    static SampleTask Create(
        LampTask task,
        string domain,
        string output,
        string unstyled,
        string neutral,
        params string[] inputs
    ) =>
        new()
        {
            Task = task,
            Domain = domain,
            Output = output,
            UnstyledOutput = unstyled,
            NeutralText = neutral,
            Inputs = task.InputFields.Zip(inputs).ToDictionary(pair => pair.First, pair => pair.Second),
        };
}
