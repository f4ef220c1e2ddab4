using System.ComponentModel.DataAnnotations;

namespace CoPe.Data.Tasks;

/// <summary>The keys of a task file, in snake case: <c>input_fields</c>, <c>max_new_tokens</c>.</summary>
sealed record TaskKeys
{
    /// <summary>Name, which is also the name of the data folder.</summary>
    public string Name { get; init; } = "";

    /// <summary>The benchmark's own identifier; null takes the name.</summary>
    public string? Benchmark { get; init; }

    /// <summary>Fields of a history item that make the input.</summary>
    public IReadOnlyList<string> InputFields { get; init; } = [];

    /// <summary>The field that the user wrote.</summary>
    public string OutputField { get; init; } = "";

    /// <summary>What is asked for, which decides the metrics.</summary>
    public TaskOutcome Outcome { get; init; }

    /// <summary>Most tokens to generate.</summary>
    [Range(1, int.MaxValue)]
    public int MaxNewTokens { get; init; } = 100;

    /// <summary>Repetition penalty; 1 is none.</summary>
    [Range(0, 10, MinimumIsExclusive = true)]
    public double RepetitionPenalty { get; init; } = 1;

    /// <summary>Words a model may put before its answer.</summary>
    public IReadOnlyList<string> AnswerLabels { get; init; } = [];

    /// <summary>Every answer there is, of a task whose outcome is a category.</summary>
    public IReadOnlyList<string> Labels { get; init; } = [];

    /// <summary>Whether an answer is one line.</summary>
    public bool SingleLineAnswer { get; init; }

    /// <summary>System text.</summary>
    public string? System { get; init; }

    /// <summary>Wording of a history item.</summary>
    public string History { get; init; } = "";

    /// <summary>Wording of a query.</summary>
    public string Query { get; init; } = "{input}";

    /// <summary>Wording of an item with the user's own answer, for prompts that show the history.</summary>
    public string? Example { get; init; }

    /// <summary>Wording of a request behind such items.</summary>
    public string? Examples { get; init; }

    /// <summary>Wording of the request for a description of the user.</summary>
    public string? Summary { get; init; }

    /// <summary>Wording of a request behind that description.</summary>
    public string? Profile { get; init; }
}
