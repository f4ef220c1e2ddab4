using System.Text;
using CoPe.Experiments.Runs.Pretraining;
using CoPe.Experiments.Runs.Recipes;
using CoPe.Experiments.Settings;
using CoPe.Experiments.Tasks;
using CoPe.Testing;

namespace CoPe.Experiments.Tests.Settings;

/// <summary>Every reader of YAML against every damage: an error in our words that names file and line.</summary>
public sealed class YamlReadersTests : IDisposable
{
    const string TaskText = "name: mails\noutput_field: text\ninput_fields: [subject]\nhistory: \"Write {subject}\"\n";

    /// <summary>Readers by name: a text that each reads, and how.</summary>
    static readonly Dictionary<string, (string Text, Action<string> Read)> Readers = new()
    {
        ["recipe"] = ("task: news_headline\nseed: 5\nsft:\n  epochs: 2\n", path => SettingsFile.Read<Recipe>(path, [])),
        ["pretrain"] = ("output: model\nseed: 5\n", path => SettingsFile.Read<PretrainRecipe>(path, [])),
        ["task"] = (TaskText, path => TaskFile.Read(path)),
        ["prompt"] = (
            "history: \"Write {text}\"\nquery: \"{input}\"\n",
            path =>
            {
                var named = Path.Combine(Path.GetDirectoryName(path)!, "news_headline.yaml");
                File.Copy(path, named, overwrite: true);
                PromptFile.Read(Path.GetDirectoryName(path)!, LampTasks.NewsHeadline);
            }
        ),
    };

    /// <summary>What stands at the end of a file, and the line and the words that tell it.</summary>
    static readonly Dictionary<string, (string Added, string Expected)> Faults = new()
    {
        ["text that does not end"] = ("a: \"b\n", "line {0}"),
        ["list that does not end"] = ("a: [b, c\n", "line {1}"),
        ["mapping that does not end"] = ("a: {b: c\n", "line {1}"),
        ["anchor without a value"] = ("a: &b", "line {0}"),
        ["alias of nothing"] = ("a: *nothing\n", "line {0}, column 4: the alias *nothing"),
        ["tag of nothing"] = ("a: !<tag:x\n", "line {0}"),
        ["percent sign"] = ("%YAML 9.9\n", "line {0}"),
        ["key twice"] = ("added: 1\nadded: 2\n", "line {1}, column 1: the key 'added' stands twice"),
        ["key twice below"] = ("a: {b: 1, b: 2}\n", "line {0}, column 11: the key 'b' stands twice"),
        ["list as a key"] = ("[a]: 1\n", "line {0}, column 1: a list, a section or an alias"),
        ["key that holds itself"] = ("? &a [*a]\n: 1\n", "line {0}, column 3: a list, a section or an alias"),
        ["value that holds itself"] = ("a: &a [*a]\n", "line {0}"),
        ["null as a key"] = ("~: 1\n", "line {0}"),
        ["second document"] = ("---\na: 1\n", "line {0}"),
        ["tab"] = ("a:\n\tb: 1\n", "line {1}, column 1"),
        ["deep lists"] = ("a: " + new string('[', 60_000), "line {0}: nested more than 32 deep"),
        ["deep items"] = ("a:\n" + string.Concat(Enumerable.Repeat("- ", 25_000)) + "b\n", "nested more than 32 deep"),
        ["NUL as it is"] = ("a: 1\nb: 2\0\nc: 3\n", "column 5: the text holds a NUL"),
        ["NUL"] = ("a: \"b\\0\"\n", "line {0}, column 4: the text holds a NUL"),
        ["half of a pair"] = ("a: \"\\ud800\"\n", "line {0}, column 4"),
        ["unknown key"] = ("added_key: 1\n", "line {0}: unknown key 'added_key'"),
    };

    readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    public static TheoryData<string, string> Cases =>
        new(from reader in Readers.Keys from fault in Faults.Keys select (reader, fault));

    public static TheoryData<string> Names => [.. Readers.Keys];

    Exception? Read(string reader, byte[] content)
    {
        var path = _folder.At("read.yaml");
        File.WriteAllBytes(path, content);
        return Record.Exception(() => Readers[reader].Read(path));
    }

    Exception? Read(string reader, string text) => Read(reader, Encoding.UTF8.GetBytes(text));

    [Theory]
    [MemberData(nameof(Names))]
    public void A_whole_file_is_read_with_any_line_ends_and_mark(string reader)
    {
        var text = Readers[reader].Text;
        Assert.Null(Read(reader, text));
        Assert.Null(Read(reader, "\uFEFF" + text.Replace("\n", "\r\n", StringComparison.Ordinal)));
        Assert.Null(Read(reader, Encoding.Unicode.GetBytes("\uFEFF" + text)));
        Assert.Null(Read(reader, "---\n" + text + "...\n"));
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void A_fault_is_told_with_file_and_line(string reader, string fault)
    {
        var (text, _) = Readers[reader];
        var (added, expected) = Faults[fault];
        var error = Assert.IsType<SettingsException>(Read(reader, text + added));
        var line = text.Count(letter => letter == '\n') + 1;
        Assert.Contains(_folder.Path, error.Message, StringComparison.Ordinal);
        Assert.Contains(
            string.Format(System.Globalization.CultureInfo.InvariantCulture, expected, line, line + 1),
            error.Message,
            StringComparison.Ordinal
        );
        Assert.DoesNotContain(error.Message, char.IsControl);
        Assert.InRange(error.Message.Length, 1, MessageText.MaxLength);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Bytes_that_are_no_text_and_files_that_are_too_large_are_refused(string reader)
    {
        var text = Encoding.UTF8.GetBytes(Readers[reader].Text);
        var broken = Assert.IsType<SettingsException>(Read(reader, [.. text, (byte)'#', 0xFF, (byte)'\n']));
        Assert.Contains($"byte {text.Length + 2} is not", broken.Message, StringComparison.Ordinal);
        var large = Assert.IsType<SettingsException>(Read(reader, [.. text, .. new byte[5 << 20]]));
        Assert.Contains("settings of at most", large.Message, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void A_file_that_is_cut_or_changed_anywhere_is_read_or_refused(string reader)
    {
        var text = Readers[reader].Text;
        for (var place = 0; place < text.Length; place++)
        {
            AssertReadOrRefused(reader, text[..place]);
            foreach (var other in "\"'[{&*!%@`|>?:-#\t\0\n")
            {
                AssertReadOrRefused(reader, text[..place] + other + text[(place + 1)..]);
                AssertReadOrRefused(reader, text[..place] + other);
            }
        }
    }

    void AssertReadOrRefused(string reader, string text)
    {
        if (Read(reader, text) is { } error and not (SettingsException or DataFileException))
        {
            Assert.Fail($"{reader}: {text}: {error}");
        }
    }
}
