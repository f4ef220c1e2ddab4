using CoPe.Adapters;
using CoPe.Experiments.Runs.Recipes;
using CoPe.Experiments.Settings;
using CoPe.Experiments.Tasks;

namespace CoPe.Cli.Tests.Verbs;

public sealed class RecipesVerbTests : IDisposable
{
    const string Overlay = "fast";

    readonly InProcessCommand _cope = new();

    static string Folder => Path.Combine(AppContext.BaseDirectory, "recipes");

    public void Dispose() => _cope.Dispose();

    [Fact]
    public void Shipped_recipes_are_listed_with_their_first_line()
    {
        Assert.Equal(0, _cope.Run("recipes", "ls"));
        Assert.Equal("first  The first recipe.\n", _cope.Output);
    }

    [Fact]
    public void A_shipped_recipe_is_copied_once()
    {
        Assert.Equal(0, _cope.Run("recipes", "cp", "first", "mine.yaml"));
        Assert.StartsWith("# The first recipe.", File.ReadAllText(_cope.At("mine.yaml")), StringComparison.Ordinal);

        Assert.Equal(2, _cope.Run("recipes", "cp", "first", "mine.yaml"));
        Assert.Contains("is there already", _cope.Error, StringComparison.Ordinal);
        Assert.Equal(0, _cope.Run("recipes", "cp", "first", "mine.yaml", "--force"));
    }

    public static TheoryData<string> Shipped =>
        [
            .. Directory
                .EnumerateFiles(Folder, "*.yaml")
                .Select(path => Path.GetFileNameWithoutExtension(path))
                .Where(name => name != Overlay),
        ];

    [Theory]
    [MemberData(nameof(Shipped))]
    public void Every_shipped_recipe_is_read(string name)
    {
        var recipe = Recipe.Read(Path.Combine(Folder, name + ".yaml"));

        if (name is not ("demo" or "personalize"))
        {
            Assert.Equal(name, recipe.Task);
        }

        Assert.Contains(recipe.Task, LampTasks.All.Select(task => task.Name));
    }

    [Theory]
    [MemberData(nameof(Shipped))]
    public void The_shipped_overlay_fits_every_shipped_recipe(string name)
    {
        var recipe = Recipe.Read(
            Path.Combine(Folder, name + ".yaml"),
            SettingsFile.ReadOverrides<Recipe>(Path.Combine(Folder, Overlay + ".yaml"))
        );

        Assert.Equal(ActivePositions.Answer, recipe.Sft.Lora.Active);
    }

    [Fact]
    public void Keys_of_overlays_are_put_over_the_recipe_and_below_what_is_set()
    {
        _cope.Write(
            "here/one.yaml",
            "sft:\n  epochs: 3\n  learning_rate: 0.5\n  lora: { target_modules: [q_proj, o_proj] }\n"
        );
        _cope.Write("here/two.yaml", "sft: { learning_rate: 0.25 }\npredict: [base]\nprompts: ~\n");

        var code = _cope.Run("run", "first", "--with", "one.yaml", "--with", "two.yaml", "--set", "sft.epochs=4");

        Assert.True(code == 0, _cope.Error);
        var recipe = Recipe.Read(_cope.At("runs/first/recipe.yaml"));
        Assert.Equal(4, recipe.Sft.Training.Epochs);
        Assert.Equal(.25, recipe.Sft.Training.LearningRate);
        Assert.Equal(["q_proj", "o_proj"], recipe.Sft.Lora.TargetModules);
        Assert.Equal(["base"], recipe.Predict);
        Assert.Null(recipe.Prompts);
    }

    [Theory]
    [InlineData("sft:\n  epoch: 3\n", "line 2: unknown key 'sft.epoch'; did you mean 'sft.epochs'?")]
    [InlineData("sft: [1]\n", "line 1: 'sft' is a section of keys")]
    [InlineData("- a\n", "line 1: expected 'key: value' lines, found a list")]
    public void A_fault_of_an_overlay_is_told_with_its_line(string yaml, string message)
    {
        _cope.Write("here/mine.yaml", yaml);

        Assert.Equal(2, _cope.Run("run", "first", "--with", "mine.yaml"));

        Assert.Contains($"mine.yaml {message}", Assert.Single(_cope.ErrorLines), StringComparison.Ordinal);
    }

    [Fact]
    public void An_overlay_that_is_not_there_is_named()
    {
        Assert.Equal(2, _cope.Run("run", "first", "--with", "frist"));
        Assert.Contains("recipe frist does not exist; did you mean 'first'?", _cope.Error, StringComparison.Ordinal);
    }
}
