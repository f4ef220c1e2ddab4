using System.ComponentModel.DataAnnotations;
using CoPe.Runs.Recipes;

namespace CoPe.Runs.Pretraining;

/// <summary>How a small base model is made from nothing: its text, its tokenizer, its shape and its training. A file in the same form as a <see cref="Recipe"/>.</summary>
public sealed record PretrainRecipe
{
    /// <summary>Folder the model is written to, in Hugging Face layout.</summary>
    public string Output { get; init; } = "";

    /// <summary>Folder with <c>neutral.txt</c> (a document a line) and <c>instructions.jsonl</c>; empty makes the sample corpus.</summary>
    public string Corpus { get; init; } = "";

    /// <summary>Documents of the sample corpus.</summary>
    [Range(1, int.MaxValue)]
    public int Documents { get; init; } = 8000;

    /// <summary>Requests with answers of the sample corpus.</summary>
    [Range(0, int.MaxValue)]
    public int Instructions { get; init; } = 10_000;

    /// <summary>Seed of the corpus, the first weights and the order of the text.</summary>
    [Range(0L, long.MaxValue)]
    public long Seed { get; init; } = 42;

    /// <summary>Share of the documents, and of the requests with answers, that measure the loss and are not trained on.</summary>
    [Range(0.0, 0.5)]
    public double DevelopmentShare { get; init; } = 0.01;

    /// <summary>The model's shape.</summary>
    public PretrainShape Shape { get; init; } = new();

    /// <summary>The training's numbers.</summary>
    public PretrainNumbers Training { get; init; } = new();
}
