using CoPe.Experiments.Runs;
using CoPe.Experiments.Runs.Artifacts;

namespace CoPe.Cli.Tests.Verbs;

/// <summary>What a run's stages have written is not read where it is out of date, unless the person says so.</summary>
[Collection("torch")]
public sealed class StaleOutputTests(TinyRunFixture world) : IClassFixture<TinyRunFixture>
{
    [Fact]
    public void Adapters_that_are_out_of_date_are_refused_with_the_command_that_mends_them()
    {
        var run = TrainSftAnew("stale-score");

        Assert.Equal(1, Score(run));
        Assert.Contains("'train dpo' is out of date", world.Error, StringComparison.Ordinal);
        Assert.Contains("'train sft' has other inputs", world.Error, StringComparison.Ordinal);
        Assert.Contains($"cope run --run {run}", world.Error, StringComparison.Ordinal);
        Assert.Contains("--allow-stale", world.Error, StringComparison.Ordinal);

        Assert.Equal(0, Score(run, "--allow-stale"));
        Assert.Contains("dpo", world.Output, StringComparison.Ordinal);
        Assert.Contains("warning: out of date", world.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("chat")]
    [InlineData("write")]
    public void Nobody_answers_with_an_adapter_that_is_out_of_date_unasked(string verb)
    {
        var run = TrainSftAnew($"stale-{verb}");
        string[] line = verb == "chat" ? ["chat", run, "--user", "1"] : ["write", run, "Rain again", "--user", "1"];
        world.Input = "Rain again\n";

        Assert.Equal(1, world.RunCommand(default, line));
        Assert.Contains("'train dpo' is out of date", world.Error, StringComparison.Ordinal);
        Assert.Equal(0, world.RunCommand(default, [.. line, "--allow-stale"]));
        Assert.Contains("warning: out of date", world.Error, StringComparison.Ordinal);
        world.Input = null;
    }

    [Fact]
    public void Answers_and_figures_that_are_out_of_date_are_refused()
    {
        var run = TrainSftAnew("stale-export");
        string[] export = ["export", run, "--zip", "answers.zip"];
        string[] compare = ["compare", "undisturbed", run];

        Assert.Equal(1, world.RunCommand(default, export));
        Assert.Contains("'predict cope' is out of date", world.Error, StringComparison.Ordinal);
        Assert.False(File.Exists(world.PathOf("answers.zip")));
        Assert.Equal(0, world.RunCommand(default, [.. export, "--allow-stale"]));

        Assert.Equal(1, world.RunCommand(default, compare));
        Assert.Contains("'evaluate' is out of date", world.Error, StringComparison.Ordinal);
        Assert.Equal(0, world.RunCommand(default, [.. compare, "--allow-stale"]));
        Assert.Equal(0, world.RunCommand(default, "compare", "undisturbed", "undisturbed"));
    }

    [Fact]
    public void An_adapter_named_by_its_folder_is_judged_as_part_of_its_run()
    {
        var run = TrainSftAnew("stale-merge");
        var folder = world.RunAt(run).DpoAdapter("1");
        string[] merge = ["model", "merge", "model", world.RunAt(run).TamAdapter, folder, "--output", "merged-stale"];

        Assert.Equal(1, world.RunCommand(default, merge));
        Assert.Contains("'train dpo' is out of date", world.Error, StringComparison.Ordinal);
        Assert.False(Directory.Exists(world.PathOf("merged-stale")));
        Assert.Equal(1, world.RunCommand(default, "score", "Rain", "--model", "model", "--adapter", folder));
        Assert.Equal(0, world.RunCommand(default, [.. merge, "--allow-stale"]));
    }

    [Fact]
    public void The_library_opens_the_adapters_of_a_run_by_the_same_rule()
    {
        var run = world.RunAt(TrainSftAnew("stale-library"));
        string FindModel(string _) => world.PathOf("model");

        var adapters = RunAdapters.Open(run.Root, findModel: FindModel);
        Assert.Equal(run.TamAdapter, adapters.FindTam());
        Assert.Contains(
            "'train dpo' is out of date",
            Assert.Throws<RunException>(() => adapters.FindUser("1")).Message,
            StringComparison.Ordinal
        );
        var stale = RunAdapters.Open(run.Root, allowStale: true, FindModel);
        Assert.Equal(run.DpoAdapter("1"), stale.FindUser("1").Folder);
        Assert.Single(stale.Warnings);
        Assert.Throws<RunException>(() => adapters.FindUser("nobody"));
    }

    [Fact]
    public void Where_the_recipe_trains_no_DPO_adapters_those_left_from_another_are_left_alone()
    {
        var run = world.RunAt(TrainSftAnew("abandoned", "predict=sft"));

        var adapters = RunAdapters.Open(run.Root, findModel: _ => world.PathOf("model"));
        Assert.Equal(run.SftAdapter("1"), adapters.FindUser("1").Folder);
        Assert.Contains("DPO", Assert.Single(adapters.Warnings), StringComparison.Ordinal);
    }

    int Score(string run, params string[] options) =>
        world.RunCommand(default, ["score", "Rain again", "--run", run, "--user", "1", .. options]);

    /// <summary>A complete run whose SFT adapters were then trained at another rate.</summary>
    string TrainSftAnew(string name, params string[] settings)
    {
        CopyFolder(world.RunAt("undisturbed").Root, world.RunAt(name).Root);
        string[] all = ["sft.learning_rate=0.02", .. settings];
        var sets = all.SelectMany(setting => (string[])["--set", setting]);
        Assert.True(world.RunCommand(default, ["train", "sft", "--run", name, .. sets]) == 0, world.Error);
        return name;
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
