using System.Globalization;
using CoPe.Cli;

namespace CoPe.Tests.Cli;

[Collection("torch")]
public sealed class PersonalizeVerbTests(TinyWorld world) : IClassFixture<TinyWorld>
{
    static readonly string[] Small =
    [
        "--set", "tam.examples=4", "--set", "tam.cut_off=400", "--set", "tam.max_words=12", "--set", "sft.epochs=1", "--set", "sft.cut_off=400", "--set", "sft.max_words=12", "--set", "negatives.max_new_tokens=4",
        "--set", "dpo.max_words=12", "--set", "decode.max_new_tokens=4", "--set", "evaluate.resamples=100", "--model", "model", "--quiet",
    ];

    [Fact]
    public void A_folder_of_texts_becomes_an_adapter_that_can_be_talked_to_and_forgotten()
    {
        var texts = Directory.CreateDirectory(Path.Combine(world.At(".").Root, "mine")).FullName;
        for (var day = 1; day <= 6; day++) File.WriteAllText(Path.Combine(texts, $"2024-01-0{day}.md"), $"# The harbour on day {day}\n\nToday, as ever, the boats went out before dawn number {day}, and came back late.");

        Assert.True(world.Cope(default, ["personalize", "--history", "mine", "--name", "Ada L.", "--run", "wrote", .. Small]) == 0, world.Error);
        Assert.Contains("cope chat wrote --user \"Ada L.\"", world.Output, StringComparison.Ordinal);
        Assert.True(Directory.Exists(world.At("wrote").DpoAdapter("Ada L.")));

        var (code, output, error) = Chat("A day at sea\n/contrast 0.3\n\n/contrast much\nAnother day\n/base off\nA third\n/quit\nnever read\n", "chat", "wrote", "--user", "Ada L.");
        Assert.True(code == 0, error);
        Assert.Equal(["base: ", "Ada L. (contrast 0.1): ", "base: ", "Ada L. (contrast 0.3): ", "Ada L. (contrast 0.3): "], output.Split('\n').Where(line => line.StartsWith("base: ", StringComparison.Ordinal) || line.StartsWith("Ada", StringComparison.Ordinal)).Select(line => line[..(line.IndexOf(": ", StringComparison.Ordinal) + 2)]));
        Assert.Contains("'/contrast much' is not understood; the command is /contrast 0.3", error, StringComparison.Ordinal);
        Assert.Contains("Ada L., contrast 0.3;", Abroad(() => Chat("/quit\n", "chat", "wrote", "--user", "Ada L.", "--contrast", "0.3")).Error, StringComparison.Ordinal);

        Assert.True(world.Cope(default, "user", "forget", "wrote", "Ada L.") == 0, world.Error);
        Assert.DoesNotContain(Directory.EnumerateFiles(world.At("wrote").Root, "*", SearchOption.AllDirectories).Where(file => Path.GetFileName(file) != ".lock"), file => File.ReadAllText(file).Contains("boats went out", StringComparison.Ordinal));
    }

    [Fact]
    public void Too_few_texts_and_a_user_without_adapter_are_refused()
    {
        Directory.CreateDirectory(Path.Combine(world.At(".").Root, "few"));
        File.WriteAllText(Path.Combine(world.At("few").Root, "a.txt"), "One text.");

        Assert.Equal(1, world.Cope(default, ["personalize", "--history", "few", "--run", "never", .. Small]));
        Assert.Contains("found 1 texts, expected 5 at least", world.Error, StringComparison.Ordinal);
        var (code, _, error) = Chat("", "chat", "undisturbed", "--user", "9");
        Assert.Equal(1, code);
        Assert.Contains("has no adapter of user '9'", error, StringComparison.Ordinal);
    }

    [Fact]
    public void Talk_with_int8_weights_begins_with_the_word_that_they_are_lossy()
    {
        var user = Path.GetFileName(Directory.GetDirectories(world.At("undisturbed").SftAdapters).Order(StringComparer.Ordinal).First());
        var (code, output, error) = Chat("A day at sea\n/quit\n", "chat", "undisturbed", "--user", user, "--decode-dtype", "int8");
        Assert.True(code == 0, error);
        Assert.StartsWith("cope: int8 weights are lossy", error, StringComparison.Ordinal);
        Assert.Contains("base: ", output, StringComparison.Ordinal);
        Assert.DoesNotContain("decode_dtype: int8", File.ReadAllText(world.At("undisturbed").Recipe), StringComparison.Ordinal);
    }

    /// <summary>Where a comma separates the decimals.</summary>
    static T Abroad<T>(Func<T> act)
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
        var code = CommandLine.Run(args, new() { Out = output, Error = error, In = input, Roots = [world.At(".").Root, AppContext.BaseDirectory] });
        return (code, output.ToString(), error.ToString());
    }
}
