using System.Globalization;
using CoPe.Experiments.Runs;

namespace CoPe.Cli.Tests.Verbs;

[Collection("torch")]
public sealed class PersonalizeVerbTests(TinyRunFixture world) : IClassFixture<TinyRunFixture>
{
    static readonly string[] Small =
    [
        "--set",
        "tam.examples=4",
        "--set",
        "tam.cut_off=400",
        "--set",
        "tam.max_words=12",
        "--set",
        "sft.epochs=1",
        "--set",
        "sft.cut_off=400",
        "--set",
        "sft.max_words=12",
        "--set",
        "negatives.max_new_tokens=4",
        "--set",
        "dpo.max_words=12",
        "--set",
        "decode.max_new_tokens=4",
        "--set",
        "evaluate.resamples=100",
        "--model",
        "model",
        "--quiet",
    ];

    [Fact]
    public void A_folder_of_texts_becomes_an_adapter_for_chat_that_can_be_forgotten()
    {
        var texts = Directory.CreateDirectory(Path.Combine(world.RunAt(".").Root, "mine")).FullName;
        for (var day = 1; day <= 6; day++)
        {
            File.WriteAllText(
                Path.Combine(texts, $"2024-01-0{day}.md"),
                $"# The harbor on day {day}\n\n"
                    + $"Today, as ever, the boats went out before dawn number {day}, and came back late."
            );
        }

        Assert.True(
            world.RunCommand(
                default,
                ["personalize", "--history", "mine", "--name", "Ada L.", "--run", "wrote", .. Small]
            ) == 0,
            world.Error
        );
        Assert.Contains("cope chat wrote --user \"Ada L.\"", world.Output, StringComparison.Ordinal);
        Assert.True(Directory.Exists(world.RunAt("wrote").DpoAdapter("Ada L.")));

        var (code, output, error) = Chat(
            "A day at sea\n/contrast 0.3\n\n/contrast much\nAnother day\n/base off\nA third\n/quit\nnever read\n",
            "chat",
            "wrote",
            "--user",
            "Ada L."
        );
        Assert.True(code == 0, error);
        Assert.Equal(
            ["base: ", "Ada L. (contrast 0.1): ", "base: ", "Ada L. (contrast 0.3): ", "Ada L. (contrast 0.3): "],
            output
                .Split('\n')
                .Where(line =>
                    line.StartsWith("base: ", StringComparison.Ordinal)
                    || line.StartsWith("Ada", StringComparison.Ordinal)
                )
                .Select(line => line[..(line.IndexOf(": ", StringComparison.Ordinal) + 2)])
        );
        Assert.Contains(
            "'/contrast much' is not understood; the command is /contrast 0.3",
            error,
            StringComparison.Ordinal
        );
        Assert.Contains(
            "Ada L., contrast 0.3;",
            InGermanCulture(() => Chat("/quit\n", "chat", "wrote", "--contrast", "0.3")).Error,
            StringComparison.Ordinal
        );

        Assert.True(world.RunCommand(default, "user", "forget", "wrote", "Ada L.") == 0, world.Error);
        Assert.False(AnyFileContains("wrote", "boats went out"));
        Assert.Equal(
            1,
            world.RunCommand(
                default,
                ["personalize", "--history", "mine", "--name", "Ada L.", "--run", "wrote", .. Small]
            )
        );
        Assert.Contains(
            "wrote has forgotten 'Ada L.', and their texts do not come back there",
            world.Error,
            StringComparison.Ordinal
        );
        Assert.False(AnyFileContains("wrote", "boats went out"));
    }

    [Fact]
    public void Data_that_would_discard_a_costly_stage_are_refused_and_the_task_adaptive_model_stays()
    {
        var texts = Directory.CreateDirectory(world.PathOf("letters")).FullName;
        for (var day = 1; day <= 6; day++)
        {
            File.WriteAllText(
                Path.Combine(texts, $"2024-02-0{day}.md"),
                $"# The garden on day {day}\n\n"
                    + $"The frost came back in the night, and number {day} of the beds is lost to it."
            );
        }

        string[] line =
        [
            "personalize",
            "--history",
            "letters",
            "--run",
            "letters-run",
            "--set",
            "predict=tam,sft",
            .. Small,
        ];
        Assert.True(world.RunCommand(default, line) == 0, world.Error);
        var run = world.RunAt("letters-run");
        (StageMarker.Read(run.Marker(StageId.TrainSft))! with { Seconds = 3600 }).Write(run.Marker(StageId.TrainSft));
        File.WriteAllText(
            Path.Combine(texts, "2024-02-07.md"),
            "# The garden on day 7\n\nA seventh letter, from a spring that came late."
        );

        Assert.Equal(1, world.RunCommand(default, line));

        Assert.Contains(" would be rebuilt, 60 minutes of work", world.Error, StringComparison.Ordinal);
        Assert.False(AnyFileContains("letters-run", "A seventh letter"));
        // Complete as before.
        Assert.True(world.RunCommand(default, "run", "--run", "letters-run", "--quiet") == 0, world.Error);
        var tam = File.GetLastWriteTimeUtc(run.Marker(StageId.TrainTam));
        Assert.True(world.RunCommand(default, [.. line, "--restart"]) == 0, world.Error);
        Assert.True(AnyFileContains("letters-run/data", "A seventh letter"));
        Assert.Equal(tam, File.GetLastWriteTimeUtc(run.Marker(StageId.TrainTam)));
        Assert.False(Directory.Exists(run.Data + ".part"));
    }

    [Fact]
    public void Too_few_texts_and_a_user_without_adapter_are_refused()
    {
        Directory.CreateDirectory(Path.Combine(world.RunAt(".").Root, "few"));
        File.WriteAllText(Path.Combine(world.RunAt("few").Root, "a.txt"), "One text.");

        Assert.Equal(1, world.RunCommand(default, ["personalize", "--history", "few", "--run", "never", .. Small]));
        Assert.Contains("found 1 texts, expected 5 at least", world.Error, StringComparison.Ordinal);
        var (code, _, error) = Chat("", "chat", "undisturbed", "--user", "9");
        Assert.Equal(1, code);
        Assert.Contains("has no adapter of user '9'", error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_chat_with_int8_weights_begins_with_a_warning_that_they_are_lossy()
    {
        var user = Path.GetFileName(
            Directory.GetDirectories(world.RunAt("undisturbed").SftAdapters).Order(StringComparer.Ordinal).First()
        );
        var (code, output, error) = Chat(
            "A day at sea\n/quit\n",
            "chat",
            "undisturbed",
            "--user",
            user,
            "--decode-dtype",
            "int8"
        );
        Assert.True(code == 0, error);
        Assert.StartsWith("cope: int8 weights are lossy", error, StringComparison.Ordinal);
        Assert.Contains("base: ", output, StringComparison.Ordinal);
        Assert.DoesNotContain(
            "decode_dtype: int8",
            File.ReadAllText(world.RunAt("undisturbed").Recipe),
            StringComparison.Ordinal
        );
    }

    bool AnyFileContains(string folder, string text) =>
        Directory
            .EnumerateFiles(world.RunAt(folder).Root, "*", SearchOption.AllDirectories)
            .Where(file => Path.GetFileName(file) != ".lock")
            .Any(file => File.ReadAllText(file).Contains(text, StringComparison.Ordinal));

    /// <summary>Where a comma separates the decimals.</summary>
    static T InGermanCulture<T>(Func<T> act)
    {
        var before = CultureInfo.CurrentCulture;
        try
        {
            CultureInfo.CurrentCulture = CultureInfo.GetCultureInfo("de-DE");
            return act();
        }
        finally
        {
            CultureInfo.CurrentCulture = before;
        }
    }

    (int Code, string Output, string Error) Chat(string said, params string[] args)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        using var input = new StringReader(said);
        var code = CommandLine.Run(
            args,
            new()
            {
                Out = output,
                Error = error,
                In = input,
                SearchFolders = [world.RunAt(".").Root, AppContext.BaseDirectory],
            }
        );
        return (code, output.ToString(), error.ToString());
    }
}
