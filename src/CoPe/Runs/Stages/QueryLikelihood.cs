namespace CoPe.Runs.Stages;

/// <summary>A line of <c>evaluation/likelihood.jsonl</c>: how likely the user's own answer to a query is to each model, and whether the implicit reward ranks it above sampled answers.</summary>
sealed record QueryLikelihood
{
    /// <summary>The user.</summary>
    public required string User { get; init; }

    /// <summary>The query.</summary>
    public required string Query { get; init; }

    /// <summary>Tokens of the user's own answer, its end included.</summary>
    public required int Tokens { get; init; }

    /// <summary>Negative log-likelihood per token by model: base, tam, sft, dpo, and the methods that read the history (<c>rag</c>) or wear an adapter of everyone (<c>tam-all</c>).</summary>
    public required IReadOnlyDictionary<string, double> Nll { get; init; }

    /// <summary>Share of sampled answers whose implicit reward, per token, is below that of the user's own answer, by model that knows the user: his adapters against the TAM, the history in the prompt against the same model without it. One half is chance.</summary>
    public required IReadOnlyDictionary<string, double> RewardRank { get; init; }
}
