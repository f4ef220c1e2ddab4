namespace CoPe.Experiments.Tasks;

/// <summary>
/// The ten tasks of LaMP and LongLaMP that the method is run on, and that of a person's own texts, as values, read from
/// the task files as they were at the build.
/// </summary>
public static class LampTasks
{
    /// <summary>Headline of a news article (LaMP-4).</summary>
    public static LampTask NewsHeadline { get; } = LoadShipped("news_headline");

    /// <summary>Title of a paper from its abstract (LaMP-5).</summary>
    public static LampTask ScholarlyTitle { get; } = LoadShipped("scholarly_title");

    /// <summary>Abstract of a paper from its title (LongLaMP-2).</summary>
    public static LampTask AbstractGeneration { get; } = LoadShipped("abstract_generation");

    /// <summary>Product review from rating, description and summary (LongLaMP-3).</summary>
    public static LampTask ReviewWriting { get; } = LoadShipped("review_writing");

    /// <summary>Post from its summary (LongLaMP-4).</summary>
    public static LampTask TopicWriting { get; } = LoadShipped("topic_writing");

    /// <summary>Tweet from a plain wording of it (LaMP-7); a history item is the tweet alone.</summary>
    public static LampTask TweetParaphrase { get; } = LoadShipped("tweet_paraphrase");

    /// <summary>
    /// Which of two references a paper cites (LaMP-1); a history item is a paper, so the history trains title from
    /// abstract.
    /// </summary>
    public static LampTask Citation { get; } = LoadShipped("citation");

    /// <summary>Category of a news article (LaMP-2N).</summary>
    public static LampTask NewsCategorize { get; } = LoadShipped("news_categorize");

    /// <summary>Tag of a film (LaMP-2M).</summary>
    public static LampTask MovieTagging { get; } = LoadShipped("movie_tagging");

    /// <summary>Score of a review, 1 to 5 (LaMP-3).</summary>
    public static LampTask ProductRating { get; } = LoadShipped("product_rating");

    /// <summary>Own text from a request: a heading, or the first words.</summary>
    public static LampTask OwnWriting { get; } = LoadShipped("own_writing");

    /// <summary>All of them, the five of the method's tables first.</summary>
    public static IReadOnlyList<LampTask> All { get; } =
    [
        NewsHeadline,
        ScholarlyTitle,
        AbstractGeneration,
        ReviewWriting,
        TopicWriting,
        TweetParaphrase,
        Citation,
        NewsCategorize,
        MovieTagging,
        ProductRating,
        OwnWriting,
    ];

    /// <summary>
    /// The task of a name such as <c>scholarly_title</c>, or of a benchmark identifier such as <c>LaMP_5</c>.
    /// </summary>
    /// <exception cref="ArgumentException">No task has that name; the message names the nearest.</exception>
    public static LampTask ByName(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        var task = All.FirstOrDefault(task => task.Name == name || task.BenchmarkId == name);
        if (task is not null)
        {
            return task;
        }

        var names = All.Select(known => known.Name).ToList();
        throw new ArgumentException(
            MessageText.ToOneLine(
                $"Unknown task \"{MessageText.Shorten(name, 100)}\"; "
                    + $"the nearest is \"{NearestName.FindNearest(name, names)}\". "
                    + $"Known tasks: {string.Join(", ", names)}."
            )
        );
    }

    static LampTask LoadShipped(string name) => TaskFile.LoadShipped(name).Task;
}
