using CoPe.Experiments.Runs;
using CoPe.Experiments.Runs.Recipes;
using CoPe.Experiments.Settings;
using CoPe.Testing;

namespace CoPe.Experiments.Tests.Runs.Recipes;

public sealed class RecipeTests : IDisposable
{
    readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    string Error(string text) =>
        Assert.Throws<SettingsException>(() => Recipe.Read(_folder.Write("r.yaml", text))).Message;

    [Theory]
    [InlineData("seed: 1", "'task' is missing")]
    [InlineData("task: newsheadline", "unknown task 'newsheadline'; did you mean 'news_headline'?")]
    [InlineData("task: news_headline\npredict: []", "'predict' is empty")]
    [InlineData("task: news_headline\npredict: [tam, coep]", "unknown method 'coep'; did you mean 'cope'?")]
    [InlineData("task: news_headline\ndecode: { runs: 3 }", "'decode.runs' is 3, but without decode.do_sample")]
    [InlineData(
        "task: news_headline\ndpo: { loss: ipo, label_smoothing: 0.1 }",
        "'dpo.label_smoothing' belongs to dpo.loss: sigmoid"
    )]
    [InlineData("task: news_headline\nsft: { lora: { rank: 0 } }", "'sft.lora.rank' is 0; it must be at least 1")]
    [InlineData(
        "task: news_headline\nsft: { lora: { dropout: 1 } }",
        "'sft.lora.dropout' is 1; it must be at least 0 and less than 1"
    )]
    [InlineData("task: news_headline\ntam: { lora: { target_modules: [] } }", "'tam.lora.target_modules' is empty")]
    [InlineData(
        "task: news_headline\nsft: { lora: { modules_to_save: [norm] } }",
        "'sft.lora.modules_to_save' names 'norm'; it can name embed_tokens, lm_head"
    )]
    public void What_does_not_fit_together_is_named(string text, string message)
    {
        var error = Error(text);

        Assert.Contains("r.yaml", error, StringComparison.Ordinal);
        Assert.Contains(message, error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_device_that_is_not_there_is_an_error_and_auto_takes_the_one_that_is()
    {
        Assert.SkipWhen(TorchSharp.torch.cuda.is_available(), "this machine has a GPU");
        Assert.Equal(TorchSharp.DeviceType.CPU, DeviceSelector.Select(new()).type);
        Assert.Contains(
            "torch finds no GPU: build with -p:TorchBackend=cuda",
            Assert.Throws<RunException>(() => DeviceSelector.Select(new() { Device = ComputeDevice.Cuda })).Message,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void A_recipe_that_does_not_exist_is_named() =>
        Assert.Contains(
            "nowhere.yaml does not exist",
            Assert.Throws<SettingsException>(() => Recipe.Read("nowhere.yaml")).Message,
            StringComparison.Ordinal
        );

    [Fact]
    public void Methods_come_in_the_order_of_the_table() =>
        Assert.Equal(
            ["TAM", "CoPe"],
            Recipe
                .Read(_folder.Write("r.yaml", "task: news_headline\npredict: [cope, tam]"))
                .Methods()
                .Select(method => method.Title)
        );
}

public class PredictionMethodTests
{
    [Fact]
    public void Names_stand_in_table_order_and_unknown_ones_behind_it_by_name() =>
        Assert.Equal(
            ["base", "rag", "sft+cd", "cope", "alpha", "zeta"],
            PredictionMethod.SortByTableOrder(["zeta", "cope", "alpha", "sft+cd", "rag", "base"])
        );

    [Fact]
    public void A_method_that_is_not_known_is_headed_by_its_name()
    {
        Assert.Equal("CoPe", PredictionMethod.GetTitle("cope"));
        Assert.Equal("my model", PredictionMethod.GetTitle("my model"));
    }
}
