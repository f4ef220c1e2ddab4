using CoPe.Runs.Recipes;

namespace CoPe.Tests.Cli;

public sealed class RecipesVerbTests : IDisposable
{
    readonly CopeProcess cope = new();

    public void Dispose() => cope.Dispose();

    [Fact]
    public void Shipped_recipes_are_listed_with_their_first_line()
    {
        Assert.Equal(0, cope.Run("recipes", "ls"));
        Assert.Equal("first  The first recipe.\n", cope.Output);
    }

    [Fact]
    public void A_shipped_recipe_is_copied_once()
    {
        Assert.Equal(0, cope.Run("recipes", "cp", "first", "mine.yaml"));
        Assert.StartsWith("# The first recipe.", File.ReadAllText(cope.At("mine.yaml")), StringComparison.Ordinal);

        Assert.Equal(2, cope.Run("recipes", "cp", "first", "mine.yaml"));
        Assert.Contains("is there already", cope.Error, StringComparison.Ordinal);
        Assert.Equal(0, cope.Run("recipes", "cp", "first", "mine.yaml", "--force"));
    }

    public static TheoryData<string> Shipped => [.. Directory.EnumerateFiles(Path.Combine(AppContext.BaseDirectory, "recipes"), "*.yaml").Select(path => Path.GetFileNameWithoutExtension(path)).Where(name => !name.StartsWith("pretrain", StringComparison.Ordinal))];

    [Theory]
    [MemberData(nameof(Shipped))]
    public void Every_shipped_recipe_is_read(string name)
    {
        var recipe = Recipe.Read(Path.Combine(AppContext.BaseDirectory, "recipes", name + ".yaml"));

        if (name is not ("demo" or "personalize")) Assert.Equal(name, recipe.Task);
        Assert.Contains(recipe.Task, CoPe.Data.LampTasks.All.Select(task => task.Name));
    }
}
