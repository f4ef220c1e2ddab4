using CoPe.Experiments.Runs;
using CoPe.Experiments.Runs.Recipes;
using CoPe.Experiments.Settings;
using CoPe.Testing;

namespace CoPe.Experiments.Tests.Runs;

public sealed class RunManifestTests : IDisposable
{
    readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_run_leaves_its_recipe_files_and_times()
    {
        _folder.Write("model/config.json", "{}");
        _folder.Write("data/t/user_others.json", "[]");
        _folder.Write("tasks/t.yaml", "");
        var recipe = SettingsFile.Parse<Recipe>("{task: t, model: model}", "r.yaml", []);
        var inputs = InputPaths.Find(recipe, [_folder.Path]);
        using var workspace = new RunWorkspace(recipe, new(_folder.At("run")), inputs);
        var context = new StageContext { Workspace = workspace };

        new Pipeline([new ToyStage(StageId.TrainTam, ["tam"])]).Run(context);

        var manifest = RunManifest.Read(context.Run.Manifest);
        Assert.Equal("0.01", manifest.Recipe["dpo.beta"]);
        Assert.Equal(64, manifest.Files["data user_others.json"].Length);
        var stage = Assert.Single(manifest.Stages);
        Assert.Equal("train tam", stage.Stage);
        Assert.True(stage.Finished >= stage.Started);
    }

    [Fact]
    public void What_is_no_manifest_is_named() =>
        Assert.Contains(
            "none.json is no manifest",
            Assert.Throws<RunException>(() => RunManifest.Read(_folder.At("none.json"))).Message,
            StringComparison.Ordinal
        );
}
