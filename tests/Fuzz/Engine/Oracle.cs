using System.Globalization;
using System.Text;
using CoPe.Chat;
using CoPe.Cli.Failures;
using CoPe.Experiments.Runs;
using CoPe.Experiments.Settings;
using CoPe.Experiments.Tasks;
using CoPe.Fuzz.Readers;
using CoPe.Modeling;
using CoPe.Tokens.Pipeline;
using CoPe.Training;

namespace CoPe.Fuzz.Engine;

/// <summary>Judges how a reader refused an input.</summary>
static class Oracle
{
    /// <summary>Room for the path of a file before or behind a message that was cut.</summary>
    const int MaxLength = MessageText.MaxLength + 512;

    /// <summary>What the libraries and the command throw for foreign input.</summary>
    static readonly HashSet<Type> Typed =
    [
        typeof(ModelFileException),
        typeof(TokenizerException),
        typeof(ChatTemplateException),
        typeof(DataFileException),
        typeof(SettingsException),
        typeof(RunException),
        typeof(UsageException),
        typeof(StaleCheckpointException),
        // A file that another one names and that is not there.
        typeof(FileNotFoundException),
        typeof(DirectoryNotFoundException),
    ];

    /// <summary>What is wrong with a refusal; null where nothing is.</summary>
    public static string? FindFault(FuzzedReader reader, Exception error)
    {
        if (!Typed.Contains(error.GetType()) && !reader.AlsoThrows.Contains(error.GetType()))
        {
            return $"untyped {error.GetType().Name}";
        }

        return FindFault(error.Message)
            ?? (
                error.Message.Contains(reader.File, StringComparison.Ordinal) ? null : $"message without {reader.File}"
            );
    }

    /// <summary>What is wrong with a message; null where nothing is.</summary>
    public static string? FindFault(string message)
    {
        if (message.Length > MaxLength)
        {
            return $"message of {message.Length} characters";
        }

        return message.EnumerateRunes().Any(IsControl) || HasLoneSurrogate(message)
            ? "message with line breaks, control characters or half a character"
            : null;
    }

    static bool IsControl(Rune rune) =>
        Rune.GetUnicodeCategory(rune)
            is UnicodeCategory.Control
                or UnicodeCategory.Format
                or UnicodeCategory.LineSeparator
                or UnicodeCategory.ParagraphSeparator;

    static bool HasLoneSurrogate(string text)
    {
        for (var index = 0; index < text.Length; index++)
        {
            if (char.IsHighSurrogate(text[index]) && index + 1 < text.Length && char.IsLowSurrogate(text[index + 1]))
            {
                index++;
            }
            else if (char.IsSurrogate(text[index]))
            {
                return true;
            }
        }

        return false;
    }
}
