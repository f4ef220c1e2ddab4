namespace CoPe.Data.Samples;

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
    public required string Unstyled { get; init; }

    /// <summary>Symbol of the text that a document of the neutral corpus has beside an answer.</summary>
    public required string Neutral { get; init; }

    /// <summary>The five text tasks.</summary>
    public static IReadOnlyList<SampleTask> All { get; } =
    [
        Of(LampTasks.NewsHeadline, "news", "news.headline", "news.unstyled", "news.article", "news.article"),
        Of(LampTasks.ScholarlyTitle, "sci", "sci.title", "sci.unstyled", "sci.plain", "sci.plain"),
        Of(LampTasks.AbstractGeneration, "sci", "sci.abstract", "sci.plain", "sci.plaintitle", "sci.plaintitle"),
        Of(LampTasks.ReviewWriting, "prod", "prod.review", "prod.unstyled", "prod.neutral", "prod.overall", "prod.description", "prod.summary"),
        Of(LampTasks.TopicWriting, "com", "com.post", "com.unstyled", "com.summary", "com.summary"),
    ];

    static SampleTask Of(LampTask task, string domain, string output, string unstyled, string neutral, params string[] inputs) => new()
    {
        Task = task, Domain = domain, Output = output, Unstyled = unstyled, Neutral = neutral,
        Inputs = task.InputFields.Zip(inputs).ToDictionary(pair => pair.First, pair => pair.Second),
    };
}
