using CoPe.Data;

namespace CoPe.Tests.Cli;

public sealed class DataImportVerbTests : IDisposable
{
    readonly CopeProcess cope = new();

    public DataImportVerbTests() => File.WriteAllText(cope.At("mails.csv"), "who,body\n" + string.Concat(Enumerable.Range(0, 8).Select(i => $"Ada,Mail number {i} that I write\n")) + "Bob,Another mail by somebody else\n");

    public void Dispose() => cope.Dispose();

    [Fact]
    public void What_is_imported_is_fit_for_a_run_and_its_recipe_runs()
    {
        Assert.Equal(0, cope.Run("data", "import", "mails.csv", "--name", "mails", "--author", "who", "--output", "body"));
        Assert.Contains("test      1 user, 7 history items (7 to 7 a user), 1 query", cope.Output, StringComparison.Ordinal);

        Assert.Equal(0, cope.Run("data", "check", "data/mails"));
        Directory.CreateDirectory(cope.At("models/cope-tiny"));
        Assert.Equal(0, cope.Run("run", "data/mails/recipe.yaml", "--run", "r", "--quiet"));
        Assert.Contains("models/cope-tiny knows only the invented world of 'cope data sample'", cope.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Ids_are_hashed_under_a_key_that_is_kept()
    {
        string[] args = ["data", "import", "mails.csv", "--author", "who", "--output", "body", "--hash-ids"];
        Assert.Equal(0, cope.Run(args));
        var first = File.ReadAllText(cope.At("data/imported/" + LampFiles.UsersFile));
        Assert.DoesNotContain("Ada", first, StringComparison.Ordinal);
        Assert.True(File.Exists(cope.At("data/hash-key")));

        Assert.Equal(0, cope.Run(args));
        Assert.Equal(first, File.ReadAllText(cope.At("data/imported/" + LampFiles.UsersFile)));
    }

    [Fact]
    public void A_column_that_is_not_named_or_not_there_is_said()
    {
        Assert.Equal(2, cope.Run("data", "import", "mails.csv", "--output", "body"));
        Assert.Contains("with --author", cope.Error, StringComparison.Ordinal);
        Assert.Equal(1, cope.Run("data", "import", "mails.csv", "--author", "whom", "--output", "body"));
        Assert.Contains("The nearest is \"who\"", cope.Error, StringComparison.Ordinal);
    }
}
