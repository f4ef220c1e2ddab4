using CoPe.Cli.Failures;
using CoPe.Cli.Hub;
using CoPe.Experiments.Runs;
using CoPe.Testing;

namespace CoPe.Cli.Tests.Hub;

public sealed class HubSettingsTests : IDisposable
{
    readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    HubSettings Of(params (string Name, string Value)[] variables)
    {
        var known = variables
            .Prepend(("HOME", _folder.Path))
            .ToDictionary(variable => variable.Item1, variable => variable.Item2);
        return HubSettings.ReadFrom(name => known.GetValueOrDefault(name));
    }

    [Theory]
    [InlineData(".cache/huggingface/hub")]
    [InlineData("x/huggingface/hub", "XDG_CACHE_HOME=~/x")]
    [InlineData("h/hub", "HF_HOME=~/h", "XDG_CACHE_HOME=~/x")]
    [InlineData("h/hub", "HF_HOME=$HOME/h")]
    [InlineData("old", "HUGGINGFACE_HUB_CACHE=~/old", "HF_HOME=~/h")]
    [InlineData("c", "HF_HUB_CACHE=${HOME}/c", "HUGGINGFACE_HUB_CACHE=~/old", "HF_HOME=~/h")]
    [InlineData(".cache/huggingface/hub", "HF_HOME=")]
    public void The_cache_is_where_Hugging_Face_tools_have_it(string expected, params string[] variables) =>
        Assert.Equal(
            _folder.At(expected),
            Of([.. variables.Select(pair => (pair.Split('=')[0], pair.Split('=')[1]))]).CacheFolder
        );

    [Fact]
    public void The_token_is_that_of_the_variable_or_else_of_the_file()
    {
        Assert.Null(Of().Token);
        _folder.Write(".cache/huggingface/token", "hf_file\r\n");
        Assert.Equal("hf_file", Of().Token);
        Assert.Equal(_folder.At(".cache/huggingface/token"), Of().TokenSource);
        _folder.Write("elsewhere", " hf_elsewhere ");
        Assert.Equal("hf_elsewhere", Of(("HF_TOKEN_PATH", "~/elsewhere")).Token);
        Assert.Equal(
            ("hf_variable", "HF_TOKEN"),
            (Of(("HF_TOKEN", "hf_variable\n")).Token, Of(("HF_TOKEN", "hf_variable")).TokenSource)
        );
        Assert.Equal("hf_old", Of(("HUGGING_FACE_HUB_TOKEN", "hf_old")).Token);
        Assert.Null(Of(("HF_HUB_DISABLE_IMPLICIT_TOKEN", "1"), ("HF_TOKEN", "hf_variable")).Token);
    }

    [Fact]
    public void A_token_that_cannot_be_one_is_refused_unseen()
    {
        var message = Assert.Throws<RunException>(() => Of(("HF_TOKEN", "hf_a b"))).Message;
        Assert.Contains("HF_TOKEN", message, StringComparison.Ordinal);
        Assert.DoesNotContain("hf_a", message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("1", true)]
    [InlineData("true", true)]
    [InlineData("YES", true)]
    [InlineData("0", false)]
    [InlineData("", false)]
    public void Offline_is_a_flag(string value, bool expected)
    {
        Assert.Equal(expected, Of(("HF_HUB_OFFLINE", value)).IsOffline);
        Assert.Equal(expected, Of(("TRANSFORMERS_OFFLINE", value)).IsOffline);
    }

    [Fact]
    public void The_endpoint_is_an_address()
    {
        Assert.Equal("https://huggingface.co/", Of().Endpoint.AbsoluteUri);
        Assert.Equal("http://mirror:8080/hub/", Of(("HF_ENDPOINT", "http://mirror:8080/hub")).Endpoint.AbsoluteUri);
        Assert.Throws<UsageException>(() => Of(("HF_ENDPOINT", "mirror")));
    }

    [Theory]
    [InlineData("acme/tiny", "acme/tiny", "main")]
    [InlineData("Qwen/Qwen2.5-1.5B-Instruct@v1", "Qwen/Qwen2.5-1.5B-Instruct", "v1")]
    [InlineData("acme/tiny@refs/pr/12", "acme/tiny", "refs/pr/12")]
    public void A_name_has_a_repository_and_a_revision(string text, string repo, string revision) =>
        Assert.Equal(new HubName(repo, revision), HubName.Parse(text));

    [Theory]
    [InlineData("tiny")]
    [InlineData("./acme/tiny")]
    [InlineData("../tiny")]
    [InlineData("/acme/tiny")]
    [InlineData("acme/tiny/more")]
    [InlineData("acme/tiny@")]
    [InlineData("acme/tiny@../../x")]
    [InlineData("acme/ti--ny")]
    [InlineData("acme/tiny?x")]
    [InlineData("acme/tiny\n")]
    [InlineData("C:\\acme")]
    public void What_is_no_name_is_not_taken_for_one(string text) => Assert.Null(HubName.Parse(text));
}
