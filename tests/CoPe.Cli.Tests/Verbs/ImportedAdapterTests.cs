using CoPe.Experiments.Runs;
using CoPe.Experiments.Runs.Recipes;

namespace CoPe.Cli.Tests.Verbs;

/// <summary>Runs that take adapters made elsewhere: <c>tam.adapter</c> and <c>users.adapters</c>.</summary>
[Collection("torch")]
public sealed class ImportedAdapterTests(TinyRunFixture world) : IClassFixture<TinyRunFixture>
{
    [Fact]
    public void Adapters_made_elsewhere_are_copied_as_they_are_and_DPO_stands_on_them()
    {
        var (tam, users) = CopyAdapters("made");
        Assert.True(Run("imported", $"tam.adapter={tam}", $"users.adapters={users}") == 0, world.Error);

        var (run, source) = (world.RunAt("imported"), world.RunAt("undisturbed"));
        AssertSameAdapter(source.TamAdapter, run.TamAdapter);
        AssertSameAdapter(source.SftAdapter("2"), run.SftAdapter("2"));
        // The same SFT adapters on the same TAM: so are the pairs and what DPO makes of them.
        AssertSameAdapter(source.DpoAdapter("1"), run.DpoAdapter("1"));
        Assert.Equal(File.ReadAllText(source.Predictions("cope")), File.ReadAllText(run.Predictions("cope")));
        var marker = StageMarker.Read(run.Marker(StageId.TrainSft))!;
        Assert.Equal(["1", "2"], marker.Users!.Keys);
        var task = StageMarker.Read(run.Marker(StageId.TrainTam))!;
        Assert.Contains(task.Inputs, input => input.Label == "adapter adapter_model.safetensors");

        // A number of training that is not done changes nothing, and what was copied may go.
        Directory.Delete(world.PathOf("made"), recursive: true);
        Assert.Equal(0, world.RunCommand(default, "run", "--run", "imported", "--set", "sft.learning_rate=0.5"));
        Assert.DoesNotContain("begins", world.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void An_adapter_that_changed_since_is_copied_again()
    {
        var (tam, _) = CopyAdapters("changing");
        string[] keys = [$"tam.adapter={tam}", "predict=tam"];
        Assert.Equal(0, Run("changing-run", keys));
        CopyFolder(world.RunAt("undisturbed").SftAdapter("1"), world.PathOf(tam));

        Assert.Equal(0, Run("changing-run", keys));

        AssertSameAdapter(world.RunAt("undisturbed").SftAdapter("1"), world.RunAt("changing-run").TamAdapter);
    }

    [Theory]
    [InlineData("\"peft_type\": \"LORA\"", "\"peft_type\": \"IA3\"", "peft_type")]
    [InlineData("\"use_dora\": false", "\"use_dora\": true", "use_dora")]
    [InlineData("\"use_dora\": false", "\"use_novel_kind\": 3", "use_novel_kind")]
    [InlineData("\"r\": 16", "\"r\": 4", "rank 4")]
    [InlineData("\"q_proj\"", "\"foo_proj\"", "q_proj")]
    public void An_adapter_that_does_not_fit_is_refused_and_a_finished_run_stays_as_it_is(
        string found,
        string changed,
        string message
    )
    {
        var (tam, _) = CopyAdapters("wrong");
        var config = Path.Combine(world.PathOf(tam), "adapter_config.json");
        var text = File.ReadAllText(config);
        Assert.Contains(found, text, StringComparison.Ordinal);
        File.WriteAllText(config, text.Replace(found, changed, StringComparison.Ordinal));
        CopyFolder(world.RunAt("undisturbed").Root, world.RunAt("finished").Root);
        var before = HashAll("finished");

        Assert.Equal(1, Run("finished", $"tam.adapter={tam}"));

        Assert.Contains(message, world.Error, StringComparison.Ordinal);
        Assert.Equal(before, HashAll("finished"));
    }

    [Fact]
    public void Users_without_an_adapter_are_named()
    {
        var (_, users) = CopyAdapters("lacking");
        Directory.Delete(Path.Combine(world.PathOf(users), "2"), recursive: true);

        Assert.Equal(1, Run("lacking-run", $"users.adapters={users}"));

        Assert.Contains("no adapter of 1 of 2 users (2)", world.Error, StringComparison.Ordinal);
        Assert.False(File.Exists(world.RunAt("lacking-run").Recipe));
    }

    [Fact]
    public void Weights_that_are_not_finite_are_refused()
    {
        var (_, users) = CopyAdapters("wrecked");
        WreckWeights(Path.Combine(world.PathOf(users), "1", "adapter_model.safetensors"));

        Assert.Equal(1, Run("wrecked-run", $"users.adapters={users}"));
        Assert.Contains("NaN or infinite", world.Error, StringComparison.Ordinal);

        string[] merge = ["model", "merge", "model", $"{users}/1", "--output", "wrecked-model"];
        Assert.Equal(1, world.RunCommand(default, merge));
        Assert.Contains("NaN or infinite", world.Error, StringComparison.Ordinal);
        Assert.False(Directory.Exists(world.PathOf("wrecked-model")));
    }

    [Fact]
    public void An_adapter_that_a_person_put_into_the_run_is_not_overwritten()
    {
        var own = world.RunAt("own");
        CopyFolder(world.RunAt("undisturbed").SftAdapter("1"), own.TamAdapter);
        var before = HashAll("own");
        Assert.Equal(1, Run("own"));
        Assert.Contains("holds an adapter that 'train tam' did not make", world.Error, StringComparison.Ordinal);
        Assert.Equal(before, HashAll("own"));

        // Also where a stage of the run had made another one there, and the person says that work may go.
        CopyFolder(world.RunAt("undisturbed").Root, world.RunAt("replaced").Root);
        CopyFolder(world.RunAt("undisturbed").TamAdapter, world.RunAt("replaced").DpoAdapter("1"));
        string[] line = ["run", "recipe.yaml", "--run", "replaced", "--restart", "--set", "dpo.beta=0.3"];
        Assert.Equal(1, world.RunCommand(default, line));
        Assert.Contains("dpo/1 holds an adapter that 'train dpo' did not make", world.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Each_adapter_says_what_it_stands_on_and_how_PEFT_loads_it()
    {
        var run = world.RunAt("undisturbed");
        var user = File.ReadAllText(Path.Combine(run.DpoAdapter("1"), "README.md"));

        Assert.StartsWith("---\nbase_model: \"", user, StringComparison.Ordinal);
        Assert.Contains("/model\"\nlibrary_name: peft\n", user, StringComparison.Ordinal);
        Assert.Contains(
            "PeftModel.from_pretrained(model, \"tam/adapter\", adapter_name=\"tam\")\n"
                + "model.load_adapter(\"dpo/1\", adapter_name=\"user\")\n"
                + "model.base_model.set_adapter([\"tam\", \"user\"])",
            user,
            StringComparison.Ordinal
        );
        var task = File.ReadAllText(Path.Combine(run.TamAdapter, "README.md"));
        Assert.DoesNotContain("set_adapter", task, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("users: 3", 3, null)]
    [InlineData("users: { limit: 3 }", 3, null)]
    [InlineData("users: { adapters: made/users }", null, "made/users")]
    [InlineData("users:\n  limit: 3\n  adapters: made/users", 3, "made/users")]
    public void Users_are_a_number_or_a_section(string yaml, int? users, string? adapters)
    {
        world.RunAt("keys");
        var file = world.PathOf("keys.yaml");
        File.WriteAllText(file, "task: news_headline\n" + yaml + "\n");

        var recipe = Recipe.Read(file);
        Assert.Equal((users, adapters), (recipe.Users, recipe.UserAdapters));
        File.WriteAllText(file, recipe.ToYaml());
        Assert.Equal(recipe.Values(), Recipe.Read(file).Values());
        Assert.Equal(users, Recipe.Read(file, ["users.adapters=x"]).Users);
        Assert.Equal(adapters, Recipe.Read(file, ["users=7"]).UserAdapters);
    }

    int Run(string run, params string[] settings) =>
        world.RunCommand(
            default,
            ["run", "recipe.yaml", "--run", run, .. settings.SelectMany(key => (string[])["--set", key])]
        );

    /// <summary>The adapters of the undisturbed run in folders as another program would leave them.</summary>
    (string Tam, string Users) CopyAdapters(string name)
    {
        var run = world.RunAt("undisturbed");
        CopyFolder(run.TamAdapter, world.PathOf($"{name}/task"));
        CopyFolder(run.SftAdapters, world.PathOf($"{name}/users"));
        return ($"{name}/task", $"{name}/users");
    }

    SortedDictionary<string, string> HashAll(string run)
    {
        var root = world.RunAt(run).Root;
        var files = Directory
            .EnumerateFiles(root, "*", SearchOption.AllDirectories)
            .Where(file => Path.GetFileName(file) != ".lock");
        return new(
            files.ToDictionary(
                file => Path.GetRelativePath(root, file),
                file => StableHash.Sha256Hex(Convert.ToHexString(File.ReadAllBytes(file)))
            ),
            StringComparer.Ordinal
        );
    }

    static void AssertSameAdapter(string expected, string actual)
    {
        foreach (var file in (string[])["adapter_config.json", "adapter_model.safetensors"])
        {
            Assert.Equal(
                File.ReadAllBytes(Path.Combine(expected, file)),
                File.ReadAllBytes(Path.Combine(actual, file))
            );
        }
    }

    /// <summary>Makes the last number of a file NaN.</summary>
    static void WreckWeights(string path)
    {
        var bytes = File.ReadAllBytes(path);
        BitConverter.GetBytes(float.NaN).CopyTo(bytes, bytes.Length - sizeof(float));
        File.WriteAllBytes(path, bytes);
    }

    static void CopyFolder(string from, string to)
    {
        foreach (var file in Directory.EnumerateFiles(from, "*", SearchOption.AllDirectories))
        {
            var copy = Path.Combine(to, Path.GetRelativePath(from, file));
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            File.Copy(file, copy, overwrite: true);
        }
    }
}
