using System.Text;
using CoPe.Chat;
using CoPe.Experiments.Data;
using CoPe.Experiments.Data.Samples;
using CoPe.Experiments.Tasks;
using CoPe.Tokens;
using CoPe.Training;

namespace CoPe.Experiments.Runs.Pretraining;

/// <summary>The text of pre-training: documents, of which a share is held out, and requests with answers.</summary>
sealed class PretrainCorpus
{
    PretrainCorpus(List<string> documents, List<Instruction> instructions, double developmentShare)
    {
        (HeldOutDocuments, Documents) = Split(documents, developmentShare);
        (HeldOutInstructions, Instructions) = Split(instructions, developmentShare);
    }

    /// <summary>Holds out a share of a list, at least one of its items, evenly over its length.</summary>
    static (IReadOnlyList<T> HeldOut, IReadOnlyList<T> Trained) Split<T>(List<T> all, double share)
    {
        var parts = all.Index()
            .ToLookup(
                item => Math.Ceiling((item.Index + 1) * share) > Math.Ceiling(item.Index * share),
                item => item.Item
            );
        return ([.. parts[true]], [.. parts[false]]);
    }

    /// <summary>Documents trained on.</summary>
    public IReadOnlyList<string> Documents { get; }

    /// <summary>Documents for measuring the loss only.</summary>
    public IReadOnlyList<string> HeldOutDocuments { get; }

    /// <summary>Requests with answers.</summary>
    public IReadOnlyList<Instruction> Instructions { get; }

    /// <summary>Requests with answers for measuring the loss only.</summary>
    public IReadOnlyList<Instruction> HeldOutInstructions { get; }

    /// <summary>
    /// Reads the recipe's corpus; where it names none, creates the sample corpus in <paramref name="work"/>.
    /// </summary>
    public static PretrainCorpus Load(
        PretrainRecipe recipe,
        string work,
        IProgress<StageProgress>? progress,
        CancellationToken cancellation
    )
    {
        var folder = recipe.Corpus;
        if (folder.Length == 0)
        {
            SampleData.Write(
                work,
                new SampleOptions
                {
                    Seed = (ulong)recipe.Seed,
                    Documents = recipe.Documents,
                    Instructions = recipe.Instructions,
                },
                progress,
                cancellation
            );
            folder = Path.Combine(work, "corpus");
        }

        var text = Path.Combine(folder, "neutral.txt");
        if (!File.Exists(text))
        {
            throw new RunException(
                $"corpus {folder} has no neutral.txt; expected a text file with one document per line"
            );
        }

        return new(
            ReadDocuments(text),
            [.. JsonLines.ReadAll<Instruction>(Path.Combine(folder, "instructions.jsonl"))],
            recipe.DevelopmentShare
        );
    }

    /// <exception cref="DataFileException">The file is no text.</exception>
    static List<string> ReadDocuments(string path)
    {
        var documents = new List<string>();
        using var reader = TextEncoding.OpenText(path);
        try
        {
            while (reader.ReadLine() is { } line)
            {
                if (line.Length > 0)
                {
                    documents.Add(line);
                }
            }
        }
        catch (DecoderFallbackException error)
        {
            throw TextFile.InvalidEncodingError(path, error);
        }

        return documents;
    }

    /// <summary>All texts, for training a tokenizer.</summary>
    public IEnumerable<string> GetTexts() =>
        Documents.Concat(Instructions.SelectMany(instruction => (string[])[instruction.Prompt, instruction.Answer]));

    /// <summary>The documents as one token stream, each followed by the end-of-text token.</summary>
    public static int[] EncodeDocuments(IEnumerable<string> documents, Tokenizer tokenizer, int endOfText) =>
        [.. documents.SelectMany(document => (int[])[.. tokenizer.EncodeAsText(document), endOfText])];

    /// <summary>The requests with answers, as the model's chat template words them.</summary>
    public static IReadOnlyList<SupervisedExample> EncodeConversations(
        IReadOnlyList<Instruction> instructions,
        ConversationEncoder encoder
    ) =>
        [
            .. instructions.Select(
                (instruction, index) =>
                    new SupervisedExample(
                        $"instruction {index}",
                        encoder.EncodePrompt([.. Messages(instruction)]),
                        encoder.EncodeResponse(instruction.Answer)
                    )
            ),
        ];

    static IEnumerable<ChatMessage> Messages(Instruction instruction)
    {
        if (instruction.System is { Length: > 0 } system)
        {
            yield return new ChatMessage("system", system);
        }

        yield return new ChatMessage("user", instruction.Prompt);
    }

    /// <summary>A line of <c>instructions.jsonl</c>.</summary>
    public sealed record Instruction
    {
        /// <summary>System text, if any.</summary>
        public string? System { get; init; }

        /// <summary>The request.</summary>
        public required string Prompt { get; init; }

        /// <summary>The answer.</summary>
        public required string Answer { get; init; }
    }
}
