using System.Globalization;
using CoPe.Experiments.Runs;
using CoPe.Experiments.Runs.Recipes;
using CoPe.Experiments.Runs.Results;

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
        "sft.learning_rate=0.01",
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
                [
                    "personalize",
                    "--history",
                    "mine",
                    "--name",
                    "Ada L.",
                    "--run",
                    "wrote",
                    "--set",
                    "predict=base,sft,cope",
                    .. Small,
                ]
            ) == 0,
            world.Error
        );
        Assert.Contains("cope chat wrote --user \"Ada L.\"", world.Output, StringComparison.Ordinal);
        Assert.Contains("Ada L.: learned from 5 texts; 1 text held out", world.Output, StringComparison.Ordinal);
        Assert.False(Directory.Exists(world.RunAt("wrote").TamAdapter));
        Assert.Contains("boats went out", File.ReadAllText(world.RunAt("wrote").PersonPage), StringComparison.Ordinal);
        Assert.True(Directory.Exists(world.RunAt("wrote").DpoAdapter("Ada L.")));

        var (code, output, error) = Chat("A day at sea\n/quit\n", "chat", "wrote", "--user", "Ada L.");
        Assert.True(code == 0, error);
        Assert.NotEmpty(output.Trim());
        Assert.Contains("user Ada L.", error, StringComparison.Ordinal);
        Assert.Contains(
            "contrast 0.3",
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
            "--data",
            "data",
            "--task",
            "news_headline",
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
        Assert.Contains("found 1 text, expected 2 at least", world.Error, StringComparison.Ordinal);
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
        Assert.NotEmpty(output.Trim());
        Assert.DoesNotContain(
            "decode_dtype: int8",
            File.ReadAllText(world.RunAt("undisturbed").Recipe),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void Rate_epochs_and_length_are_chosen_once_and_stay_when_a_text_is_added()
    {
        WriteNotes("notes", 8);
        Assert.True(world.RunCommand(default, Line("notes", "chosen")) == 0, world.Error);
        var run = world.RunAt("chosen");
        var choice = TrainingChoice.Read(run)!;
        var recipe = Recipe.Read(run.Recipe);
        Assert.True(choice.Trials.Count > 1);
        Assert.Equal((6, 1), (choice.Texts, choice.HeldOut));
        Assert.Equal(
            (choice.Best()!.LearningRate, choice.Best()!.Epochs),
            (recipe.Sft.Training.LearningRate, recipe.Sft.Training.Epochs)
        );
        Assert.Equal(0, recipe.Decode.MaxNewTokens % 16);
        Assert.Contains(choice.Describe(), world.Output, StringComparison.Ordinal);

        Assert.True(world.RunCommand(default, Line("notes", "chosen-again")) == 0, world.Error);
        Assert.Equal(world.HashArtifacts("chosen"), world.HashArtifacts("chosen-again"));

        WriteNotes("notes", 9);
        Assert.True(world.RunCommand(default, Line("notes", "chosen")) == 0, world.Error);
        Assert.Equal(recipe.Sft.Training, Recipe.Read(run.Recipe).Sft.Training);
        Assert.Equal(choice.Trials, TrainingChoice.Read(run)!.Trials);
        Assert.Contains("me: learned from 8 texts", world.Output, StringComparison.Ordinal);

        Assert.True(world.RunCommand(default, [.. Line("notes", "chosen"), "--choose"]) == 0, world.Error);
        Assert.Equal(8, TrainingChoice.Read(run)!.Texts + TrainingChoice.Read(run)!.HeldOut);
    }

    [Fact]
    public void An_interrupted_choice_resumes_with_the_same_result()
    {
        WriteNotes("cut-notes", 7);
        Assert.True(world.RunCommand(default, Line("cut-notes", "uncut")) == 0, world.Error);
        var trials = 0;
        AtomicFile.BeforeOperation = operation =>
        {
            if (operation.EndsWith("trials.json", StringComparison.Ordinal) && ++trials == 8)
            {
                throw new IOException("no space left");
            }
        };
        Assert.Equal(1, world.RunCommand(default, [.. Line("cut-notes", "cut"), "--set", "dpo.beta=0.02"]));
        AtomicFile.BeforeOperation = null;
        Assert.Null(TrainingChoice.Read(world.RunAt("cut")));

        Assert.True(world.RunCommand(default, Line("cut-notes", "cut")) == 0, world.Error);

        Assert.Equal(
            TrainingChoice.Read(world.RunAt("uncut"))!.Trials,
            TrainingChoice.Read(world.RunAt("cut"))!.Trials
        );
        Assert.Equal(world.HashArtifacts("uncut"), world.HashArtifacts("cut"));
        Assert.Empty(
            Directory.Exists(world.RunAt("cut").CheckpointsFolder)
                ? Directory.EnumerateFiles(world.RunAt("cut").CheckpointsFolder, "*", SearchOption.AllDirectories)
                : []
        );
    }

    [Fact]
    public void Given_keys_are_taken_and_nothing_is_tried()
    {
        WriteNotes("given-notes", 6);
        Assert.True(
            world.RunCommand(
                default,
                [.. Line("given-notes", "given"), "--set", "sft.learning_rate=0.02", "--set", "sft.epochs=3"]
            ) == 0,
            world.Error
        );

        Assert.Null(TrainingChoice.Read(world.RunAt("given")));
        var training = Recipe.Read(world.RunAt("given").Recipe).Sft.Training;
        Assert.Equal((0.02, 3), (training.LearningRate, training.Epochs));
    }

    [Fact]
    public void Two_texts_are_enough_and_the_usual_values_are_said_to_be_taken()
    {
        WriteNotes("two-notes", 2);
        Assert.True(world.RunCommand(default, Line("two-notes", "two")) == 0, world.Error);

        Assert.Empty(TrainingChoice.Read(world.RunAt("two"))!.Trials);
        Assert.Contains("the usual ones, as 1 text is too few", world.Output, StringComparison.Ordinal);
        Assert.Contains("me: learned from 1 text; 1 text held out", world.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_in_place_of_the_folder_and_public_data_of_several_tasks_are_refused()
    {
        File.WriteAllText(world.PathOf("all.txt"), "One text.");
        Assert.Equal(1, world.RunCommand(default, Line("all.txt", "never")));
        Assert.Contains("found a file, expected a folder", world.Error, StringComparison.Ordinal);

        WriteNotes("some-notes", 3);
        Directory.CreateDirectory(world.PathOf("several/topic_writing"));
        Directory.CreateDirectory(world.PathOf("several/scholarly_title"));
        Assert.Equal(2, world.RunCommand(default, [.. Line("some-notes", "never"), "--data", "several"]));
        Assert.Contains("scholarly_title, topic_writing", world.Error, StringComparison.Ordinal);
        Assert.False(Directory.Exists(world.RunAt("never").Data));
    }

    void WriteNotes(string folder, int count)
    {
        Directory.CreateDirectory(world.PathOf(folder));
        for (var day = 1; day <= count; day++)
        {
            File.WriteAllText(
                Path.Combine(world.PathOf(folder), $"2024-03-0{day}.md"),
                $"# Day {day}\n\nRight then, day {day} was no worse than the {day - 1} before it. More tomorrow!"
            );
        }
    }

    static string[] Line(string history, string run) =>
        [
            "personalize",
            "--history",
            history,
            "--run",
            run,
            "--model",
            "model",
            "--set",
            "sft.cut_off=64",
            "--set",
            "sft.lora.rank=2",
            "--set",
            "evaluate.resamples=100",
            "--quiet",
        ];

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
