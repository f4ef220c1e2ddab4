using System.Security.Cryptography;
using System.Text.Json.Nodes;

namespace CoPe.Cli.Tests.Verbs;

/// <summary>A finished run and commands that name something it cannot be built from.</summary>
[Collection("torch")]
public sealed class PreflightTests(TinyRunFixture world) : IClassFixture<TinyRunFixture>, IDisposable
{
    public static TheoryData<string, string> WrongInputs =>
        new()
        {
            { "--model .", "config.json" },
            { "--model no-weights", "has neither model.safetensors nor model.safetensors.index.json" },
            { "--model cut-weights", "it is truncated" },
            { "--model cut-header", "it is truncated or no safetensors file" },
            { "--model other-architecture", "falcon" },
            { "--model other-shape", "config.json implies" },
            { "--model more-layers", "no weights file has this tensor" },
            { "--model no-tokenizer", "tokenizer.json" },
            { "--model bad-tokenizer", "tokenizer.json" },
            { "--model bad-template", "template" },
            { "--set sft.lora.target_modules=[foo_proj]", "/model: target module 'foo_proj'" },
            { "--set sft.lora.target_modules=[q_prjo]", "did you mean 'q_proj'?" },
            { "--set tam.lora.target_modules=[foo_proj]", "/model: target module 'foo_proj'" },
            { "--set sft.lora.rank=64", "rank" },
            { "--model no-template --set sft.lora.active=answer", "sft.lora.active is answer" },
            { "--set sft.lora.active=question", "everywhere" },
            { "--set data=half-data", "half-data" },
            { "--set data=no-others", "user_others.json" },
            { "--set data=elsewhere", "elsewhere" },
            { "--set task=./bad-task.yaml", "bad-task.yaml" },
            { "--set task=./no-task.yaml", "no-task.yaml" },
            { "--set prompts=bad-prompts", "bad-prompts" },
            { "--set prompts=no-prompts", "no-prompts" },
            { "--set decode.max_new_tokens=5000", "no prompt fits beside 5000 new tokens" },
            { "--set negatives.max_new_tokens=5000", "no prompt fits beside 5000 new tokens" },
            { "--set sft.lora.rank=0", "rank" },
            { "--set predict=[nope]", "nope" },
        };

    [Theory]
    [MemberData(nameof(WrongInputs))]
    public void What_cannot_be_used_is_named_and_a_finished_run_keeps_every_byte(string options, string named)
    {
        WriteWrongInputs();
        var before = HashFiles("undisturbed");
        foreach (var verb in (string[])["run recipe.yaml", "run"])
        {
            string[] line = [.. verb.Split(' '), "--run", "undisturbed", "--quiet", .. options.Split(' ')];

            var code = world.RunCommand(default, line);

            Assert.True(code is 1 or 2, $"{code}: {world.Error}");
            var error = Assert.Single(world.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries), IsError);
            Assert.Contains(named, error, StringComparison.Ordinal);
            Assert.Equal(before, HashFiles("undisturbed"));
        }
    }

    [Theory]
    [InlineData("train tam", "--model no-weights")]
    [InlineData("train sft", "--set sft.lora.target_modules=[foo_proj]")]
    [InlineData("train sft", "--again --set sft.lora.rank=64")]
    [InlineData("negatives sample", "--again --set negatives.max_new_tokens=5000")]
    [InlineData("predict", "--set decode.max_new_tokens=5000")]
    [InlineData("evaluate", "--set data=half-data")]
    public void So_it_is_where_a_stage_runs_alone(string verb, string options)
    {
        WriteWrongInputs();
        var before = HashFiles("undisturbed");

        var code = world.RunCommand(
            default,
            [.. verb.Split(' '), "--run", "undisturbed", "--quiet", .. options.Split(' ')]
        );

        Assert.True(code is 1 or 2, $"{code}: {world.Error}");
        Assert.Equal(before, HashFiles("undisturbed"));
    }

    [Fact]
    public void A_sweep_checks_every_value_before_its_first_run()
    {
        Assert.Equal(
            1,
            world.RunCommand(default, "sweep", "recipe.yaml", "--run", "swept", "--over", "sft.lora.rank=2,64")
        );

        Assert.Contains("rank", world.Error, StringComparison.Ordinal);
        Assert.False(Directory.Exists(world.RunAt("swept").Root));
    }

    static bool IsError(string line) => line.StartsWith("cope: error: ", StringComparison.Ordinal);

    SortedDictionary<string, string> HashFiles(string run) =>
        new(
            Directory
                .EnumerateFiles(world.RunAt(run).Root, "*", SearchOption.AllDirectories)
                .Where(file => Path.GetFileName(file) != ".lock")
                .ToDictionary(
                    file => Path.GetRelativePath(world.RunAt(run).Root, file),
                    file => Convert.ToHexString(SHA256.HashData(File.ReadAllBytes(file)))
                ),
            StringComparer.Ordinal
        );

    void WriteWrongInputs()
    {
        if (Directory.Exists(world.PathOf("no-weights")))
        {
            return;
        }

        File.Delete(Path.Combine(CopyModel("no-weights"), "model.safetensors"));
        var weights = File.ReadAllBytes(world.PathOf("model/model.safetensors"));
        File.WriteAllBytes(Path.Combine(CopyModel("cut-weights"), "model.safetensors"), weights[..^1000]);
        File.WriteAllBytes(Path.Combine(CopyModel("cut-header"), "model.safetensors"), weights[..20]);
        EditConfig("other-architecture", text => ReplaceValue(text, "model_type", "\"falcon\""));
        EditConfig("other-shape", text => ReplaceValue(text, "intermediate_size", "65"));
        EditConfig("more-layers", text => ReplaceValue(text, "num_hidden_layers", "2"));
        File.Delete(Path.Combine(CopyModel("no-tokenizer"), "tokenizer.json"));
        File.WriteAllText(Path.Combine(CopyModel("bad-tokenizer"), "tokenizer.json"), "{\"version\": ");
        var plain = Path.Combine(CopyModel("no-template"), "tokenizer_config.json");
        var tokenizer = JsonNode.Parse(File.ReadAllText(plain))!.AsObject();
        Assert.True(tokenizer.Remove("chat_template"));
        File.WriteAllText(plain, tokenizer.ToJsonString());
        var template = CopyModel("bad-template");
        File.WriteAllText(Path.Combine(template, "chat_template.jinja"), "{% for message in messages %}");

        CopyFolder("data", "half-data");
        var users = Directory.EnumerateFiles(world.PathOf("half-data"), "user_top*", SearchOption.AllDirectories);
        foreach (var file in users.ToList())
        {
            File.WriteAllBytes(file, File.ReadAllBytes(file)[..200]);
        }

        CopyFolder("data", "no-others");
        foreach (
            var file in Directory
                .EnumerateFiles(world.PathOf("no-others"), "user_others.json", SearchOption.AllDirectories)
                .ToList()
        )
        {
            File.Delete(file);
        }

        File.WriteAllText(world.PathOf("bad-task.yaml"), "name: [");
        Directory.CreateDirectory(world.PathOf("bad-prompts"));
        File.WriteAllText(world.PathOf("bad-prompts/news_headline.yaml"), "query: [");
        Directory.CreateDirectory(world.PathOf("no-prompts"));
    }

    string CopyModel(string name) => CopyFolder("model", name);

    string CopyFolder(string from, string to)
    {
        foreach (var file in Directory.EnumerateFiles(world.PathOf(from), "*", SearchOption.AllDirectories))
        {
            var target = Path.Combine(world.PathOf(to), Path.GetRelativePath(world.PathOf(from), file));
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.Copy(file, target);
        }

        return world.PathOf(to);
    }

    void EditConfig(string model, Func<string, string> edit)
    {
        var config = Path.Combine(CopyModel(model), "config.json");
        var text = File.ReadAllText(config);
        Assert.NotEqual(text, edit(text));
        File.WriteAllText(config, edit(text));
    }

    static string ReplaceValue(string json, string key, string value) =>
        System.Text.RegularExpressions.Regex.Replace(json, $"\"{key}\": [^,\\n]+", $"\"{key}\": {value}");

    public void Dispose() => AtomicFile.BeforeOperation = null;
}
