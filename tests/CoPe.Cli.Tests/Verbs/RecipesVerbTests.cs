using CoPe.Experiments.Runs.Recipes;
using CoPe.Experiments.Tasks;

namespace CoPe.Cli.Tests.Verbs;

public sealed class RecipesVerbTests : IDisposable
{
    readonly InProcessCommand _cope = new();

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
                .EnumerateFiles(Path.Combine(AppContext.BaseDirectory, "recipes"), "*.yaml")
                .Select(path => Path.GetFileNameWithoutExtension(path))
                .Where(name => !name.StartsWith("pretrain", StringComparison.Ordinal)),
        ];

    [Theory]
    [MemberData(nameof(Shipped))]
    public void Every_shipped_recipe_is_read(string name)
    {
        var recipe = Recipe.Read(Path.Combine(AppContext.BaseDirectory, "recipes", name + ".yaml"));

        if (name is not ("demo" or "personalize"))
        {
            Assert.Equal(name, recipe.Task);
        }

        Assert.Contains(recipe.Task, LampTasks.All.Select(task => task.Name));
    }
}
