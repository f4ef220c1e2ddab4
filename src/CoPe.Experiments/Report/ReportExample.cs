namespace CoPe.Experiments.Report;

/// <summary>A query with its gold and what each method made of it.</summary>
sealed record ReportExample
{
    /// <summary>The user's id; the reader filters by it.</summary>
    public required string User { get; init; }

    /// <summary>The query's id.</summary>
    public required string Query { get; init; }

    /// <summary>The input of the query.</summary>
    public required string Input { get; init; }

    /// <summary>The user's own text.</summary>
    public required string Gold { get; init; }

    /// <summary>Predictions, in the order of the methods.</summary>
    public IReadOnlyList<ExampleOutput> Outputs { get; init; } = [];
}

/// <summary>What one method answered to a query.</summary>
sealed record ExampleOutput
{
    /// <summary>Method, for example <c>CoPe</c>.</summary>
    public required string Method { get; init; }

    /// <summary>The prediction; may be empty, which is said in words.</summary>
    public required string Text { get; init; }

    /// <summary>Score of this prediction in a metric of the caller's choice, or null where it was not kept.</summary>
    public double? Score { get; init; }
}
