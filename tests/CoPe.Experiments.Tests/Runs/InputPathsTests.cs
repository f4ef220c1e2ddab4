using CoPe.Experiments.Runs;
using CoPe.Experiments.Runs.Recipes;
using CoPe.Experiments.Settings;
using CoPe.Testing;

namespace CoPe.Experiments.Tests.Runs;

public sealed class InputPathsTests : IDisposable
{
    readonly TemporaryFolder _folder = new();

    public InputPathsTests()
    {
        _folder.Write("here/data/t/user_others.json", "[]");
        _folder.Write("shipped/models/m/config.json", "{}");
        _folder.Write("shipped/tasks/t.yaml", "");
    }

    public void Dispose() => _folder.Dispose();

    InputPaths Find(params string[] overrides) =>
        InputPaths.Find(
            SettingsFile.Parse<Recipe>("{task: t, model: models/m}", "r.yaml", overrides),
            [_folder.At("here"), _folder.At("shipped")]
        );

    [Fact]
    public void A_path_is_looked_up_here_and_then_beside_the_program()
    {
        var paths = Find();

        Assert.Equal(
            (_folder.At("shipped/models/m"), _folder.At("here/data/t"), _folder.At("shipped/tasks/t.yaml")),
            (paths.Model, paths.Data, paths.TaskPath)
        );
    }

    [Fact]
    public void The_data_folder_may_be_the_tasks_own() =>
        Assert.Equal(_folder.At("here/data/t"), Find("data=data/t").Data);

    [Theory]
    [InlineData("model=models/n", "model folder models/n does not exist")]
    [InlineData("data=nowhere", "data folder nowhere does not exist")]
    [InlineData("task=tt", "task file tasks/tt.yaml does not exist")]
    [InlineData("prompts=data", "t.yaml does not exist")]
    public void What_is_not_there_is_named(string pair, string message) =>
        Assert.Contains(message, Assert.Throws<RunException>(() => Find(pair)).Message, StringComparison.Ordinal);

    [Fact]
    public void Files_are_named_without_their_place() =>
        Assert.Equal(
            ["model config.json", "data user_others.json", "task t.yaml"],
            Find().ListFiles(InputKinds.Files).Select(file => file.Label)
        );

    [Fact]
    public void The_users_files_and_the_others_are_kinds_of_their_own()
    {
        _folder.Write("here/data/t/user_top_100_history.json", "[]");
        _folder.Write("here/data/t/user_top_100_history_label.json", "{}");

        Assert.Equal(
            ["data user_top_100_history.json", "data user_top_100_history_label.json"],
            Find().ListFiles(InputKinds.Users).Select(file => file.Label)
        );
        Assert.Equal(["data user_others.json"], Find().ListFiles(InputKinds.Others).Select(file => file.Label));
    }
}
