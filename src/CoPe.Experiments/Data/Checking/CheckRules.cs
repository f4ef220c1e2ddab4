namespace CoPe.Experiments.Data.Checking;

/// <summary>All rules that data are checked by.</summary>
static class CheckRules
{
    /// <summary>Not JSON, or no array of users.</summary>
    public static CheckRule Unreadable { get; } =
        Error("unreadable", "a file that cannot be read to its end", "no clean copy");

    /// <summary>A file of the task is not there.</summary>
    public static CheckRule MissingFile { get; } =
        Error("missing_file", "a file of the task that is not there", "no clean copy");

    /// <summary>Nobody is left.</summary>
    public static CheckRule NoUser { get; } =
        Error("no_user", "a file without a user who can be used", "no clean copy");

    /// <summary>An entry lacks what the task needs.</summary>
    public static CheckRule Schema { get; } = Error("schema", "an entry that is not as the task needs it", "left out");

    /// <summary>Two users with one id.</summary>
    public static CheckRule DuplicateUser { get; } =
        Error("duplicate_user", "a user id that stands twice in the file", "the first stays");

    /// <summary>Two queries with one id.</summary>
    public static CheckRule DuplicateQuery { get; } =
        Error("duplicate_query", "a query id that stands twice in the file", "the first stays");

    /// <summary>Two items of a user with one id.</summary>
    public static CheckRule DuplicateItem { get; } =
        Error("duplicate_item", "an item id that stands twice in a history", "the first stays");

    /// <summary>A user in both files.</summary>
    public static CheckRule UserInBoth { get; } =
        Error("user_in_both", "a test user who is among the other users too", "they stay a test user");

    /// <summary>A history holds a query's item by id.</summary>
    public static CheckRule LeakId { get; } =
        Error("leak_id", "a history that holds the item of its user's query, by id", "the item is left out");

    /// <summary>A history holds a query's item by text.</summary>
    public static CheckRule LeakText { get; } =
        Error("leak_text", "a history that holds the item of a query, by text", "the item is left out");

    /// <summary>A training query of the task-adaptive model is a test user's.</summary>
    public static CheckRule LeakTask { get; } =
        Error(
            "leak_task",
            "a training query of the task-adaptive model that is a test user's item",
            "the training query is left out"
        );

    /// <summary>No history.</summary>
    public static CheckRule NoHistory { get; } = Error("no_history", "a test user without history", "left out");

    /// <summary>No queries.</summary>
    public static CheckRule NoQuery { get; } = Error("no_query", "a user without queries", "left out");

    /// <summary>No gold.</summary>
    public static CheckRule NoGold { get; } = Error("no_gold", "a query without the text its user wrote", "left out");

    /// <summary>Two golds.</summary>
    public static CheckRule GoldConflict { get; } =
        Error("gold_conflict", "a query whose gold is another one in the label file", "left out");

    /// <summary>A label of no query.</summary>
    public static CheckRule LabelUnused { get; } = Warning("label_unused", "a label of no query", "left out");

    /// <summary>The same item twice.</summary>
    public static CheckRule DuplicateText { get; } =
        Warning("duplicate_text", "the same item twice in a history", "the first stays");

    /// <summary>An input field without text.</summary>
    public static CheckRule EmptyInput { get; } = Warning("empty_input", "an empty input", "stays");

    /// <summary>A text that ends in dots, or where all texts end.</summary>
    public static CheckRule CutText { get; } = Warning("cut_text", "a text that seems to be cut", "stays");

    /// <summary>Null characters and their like.</summary>
    public static CheckRule ControlCharacters { get; } =
        Warning(
            "control_characters",
            "null, control or replacement characters in a text",
            "control characters are left out"
        );

    /// <summary>A text in a script that words are not counted in.</summary>
    public static CheckRule UncountedScript { get; } =
        Warning(
            "uncounted_script",
            "a text mostly in letters beyond a to z, of which ROUGE sees nothing without evaluate.tokenizer=unicode; "
                + "where such a script has no blanks, each character is a word to max_words",
            "stays"
        );

    /// <summary>A word that no limit of words cuts.</summary>
    public static CheckRule LongWord { get; } =
        Warning(
            "long_word",
            "a word longer than a page, which max_words does not cut (a prompt is cut to fit)",
            "stays"
        );

    /// <summary>All of them, errors first.</summary>
    public static IReadOnlyList<CheckRule> All { get; } =
    [
        MissingFile,
        Unreadable,
        NoUser,
        Schema,
        DuplicateUser,
        DuplicateQuery,
        DuplicateItem,
        UserInBoth,
        LeakId,
        LeakText,
        LeakTask,
        NoHistory,
        NoQuery,
        NoGold,
        GoldConflict,
        LabelUnused,
        DuplicateText,
        EmptyInput,
        CutText,
        ControlCharacters,
        UncountedScript,
        LongWord,
    ];

    static CheckRule Error(string name, string summary, string fix) => new(name, CheckSeverity.Error, summary, fix);

    static CheckRule Warning(string name, string summary, string fix) => new(name, CheckSeverity.Warning, summary, fix);
}

/// <summary>A rule that data are checked by.</summary>
/// <param name="Name">Its name in reports, for example <c>leak_text</c>.</param>
/// <param name="Severity">How much it matters.</param>
/// <param name="Summary">What was found, in words.</param>
/// <param name="Fix">What a clean copy does about it.</param>
sealed record CheckRule(string Name, CheckSeverity Severity, string Summary, string Fix);

/// <summary>How much a finding matters.</summary>
enum CheckSeverity
{
    /// <summary>A run refuses the file, or its figures mean nothing.</summary>
    Error,

    /// <summary>A run takes it, and a person should know.</summary>
    Warning,
}
