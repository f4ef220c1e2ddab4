namespace CoPe.Data;

/// <summary>The ten tasks of LaMP and LongLaMP that the method is run on, as values.</summary>
public static class LampTasks
{
    /// <summary>Headline of a news article (LaMP-4).</summary>
    public static LampTask NewsHeadline { get; } = Short("news_headline", "LaMP_4", ["text"], "title", "headline", "title");

    /// <summary>Title of a paper from its abstract (LaMP-5).</summary>
    public static LampTask ScholarlyTitle { get; } = Short("scholarly_title", "LaMP_5", ["abstract"], "title", "title");

    /// <summary>Abstract of a paper from its title (LongLaMP-2).</summary>
    public static LampTask AbstractGeneration { get; } = Long("abstract_generation", "LongLaMP_2", ["title"], "abstract", "abstract");

    /// <summary>Product review from rating, description and summary (LongLaMP-3).</summary>
    public static LampTask ReviewWriting { get; } =
        Long("review_writing", "LongLaMP_3", ["overall", "description", "summary"], "reviewText", "review", "review text");

    /// <summary>Post from its summary (LongLaMP-4).</summary>
    public static LampTask TopicWriting { get; } = Long("topic_writing", "LongLaMP_4", ["summary"], "content", "content", "post");

    /// <summary>Tweet from a plain wording of it (LaMP-7); a history item is the tweet alone.</summary>
    public static LampTask TweetParaphrase { get; } = Short("tweet_paraphrase", "LaMP_7", [], "text", "tweet", "paraphrase");

    /// <summary>Which of two references a paper cites (LaMP-1); a history item is a paper, so the history trains title from abstract.</summary>
    public static LampTask Citation { get; } = Label("citation", "LaMP_1", "abstract", "title", TaskOutcome.Category, "answer");

    /// <summary>Category of a news article (LaMP-2N).</summary>
    public static LampTask NewsCategorize { get; } = Label("news_categorize", "LaMP_2N", "text", "category", TaskOutcome.Category, "category");

    /// <summary>Tag of a film (LaMP-2M).</summary>
    public static LampTask MovieTagging { get; } = Label("movie_tagging", "LaMP_2M", "description", "tag", TaskOutcome.Category, "tag");

    /// <summary>Score of a review, 1 to 5 (LaMP-3).</summary>
    public static LampTask ProductRating { get; } = Label("product_rating", "LaMP_3", "text", "score", TaskOutcome.Rating, "score", "rating");

    /// <summary>All ten, the five of the method's tables first.</summary>
    public static IReadOnlyList<LampTask> All { get; } =
    [
        NewsHeadline, ScholarlyTitle, AbstractGeneration, ReviewWriting, TopicWriting,
        TweetParaphrase, Citation, NewsCategorize, MovieTagging, ProductRating,
    ];

    /// <summary>The task of a name such as <c>scholarly_title</c>, or of a benchmark identifier such as <c>LaMP_5</c>.</summary>
    /// <exception cref="ArgumentException">No task has that name; the message names the nearest.</exception>
    public static LampTask ByName(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        return All.FirstOrDefault(task => task.Name == name || task.LampId == name)
            ?? throw new ArgumentException($"Unknown task \"{name}\"; the nearest is \"{NearestName.Of(name, All.Select(task => task.Name))}\". "
                + $"Known tasks: {string.Join(", ", All.Select(task => task.Name))}.");
    }

    static LampTask Short(string name, string id, string[] inputs, string output, params string[] labels) => new()
    {
        Name = name, LampId = id, InputFields = inputs, OutputField = output, AnswerLabels = labels, SingleLineAnswer = true,
    };

    static LampTask Long(string name, string id, string[] inputs, string output, params string[] labels) => new()
    {
        Name = name, LampId = id, InputFields = inputs, OutputField = output, AnswerLabels = labels, MaxNewTokens = 600, RepetitionPenalty = 1.2,
    };

    static LampTask Label(string name, string id, string input, string output, TaskOutcome outcome, params string[] labels) =>
        Short(name, id, [input], output, labels) with { Outcome = outcome };
}
