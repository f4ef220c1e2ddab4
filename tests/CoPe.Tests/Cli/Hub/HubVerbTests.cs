namespace CoPe.Tests.Cli.Hub;

[Collection("torch")]
public sealed class HubVerbTests : IClassFixture<TinyWorld>, IDisposable
{
    readonly TinyWorld world;
    readonly TemporaryFolder folder = new();
    readonly SmallHub hub = new();

    public HubVerbTests(TinyWorld world)
    {
        this.world = world;
        foreach (var file in Directory.GetFiles(world.At("model").Root)) hub.Files[Path.GetFileName(file)] = File.ReadAllBytes(file);
        world.Hub = hub.Settings(folder);
    }

    public void Dispose()
    {
        world.Hub = null;
        hub.Dispose();
        folder.Dispose();
    }

    [Fact]
    public void A_model_of_the_hub_is_scored_and_trained_on_under_its_name()
    {
        Assert.Equal(0, world.Cope(default, "score", "It rains again", "--model", SmallHub.Repo));
        var scored = world.Output;
        Assert.Contains("download: done", world.Error, StringComparison.Ordinal);

        hub.Requests.Clear();
        world.Hub = world.Hub! with { IsOffline = true };
        Assert.Equal(0, world.Cope(default, "score", "It rains again", "--model", SmallHub.Repo));
        Assert.Equal((scored, ""), (world.Output, world.Error));
        Assert.Equal(0, world.Cope(default, "train", "tam", "recipe.yaml", "--run", "hubbed", "--model", SmallHub.Repo));
        Assert.Contains("model: acme/tiny", File.ReadAllText(world.At("hubbed").Recipe), StringComparison.Ordinal);
        Assert.Equal(0, world.Cope(default, "status", "--run", "hubbed"));
        Assert.Contains("train tam          complete", world.Output, StringComparison.Ordinal);
        Assert.Empty(hub.Requests);
    }

    [Fact]
    public void Pull_prints_the_folder_and_shows_progress_beside_it()
    {
        Assert.Equal(0, world.Cope(default, "model", "pull", SmallHub.Repo));
        Assert.True(File.Exists(Path.Combine(world.Output.Trim(), "model.safetensors")));
        Assert.Contains("download: begins", world.Error, StringComparison.Ordinal);
        Assert.Equal(0, world.Cope(default, "model", "pull", SmallHub.Repo, "--quiet"));
        Assert.Equal("", world.Error);
    }

    [Theory]
    [InlineData(2, "'tiny' is no name of a model on the hub", "model", "pull", "tiny")]
    [InlineData(1, "the hub has no model acme/other, or it is private", "model", "info", "acme/other")]
    [InlineData(1, "acme/tiny is neither a folder nor in the cache", "status", "recipe.yaml", "--run", "never", "--model", "acme/tiny")]
    [InlineData(1, "model folder data/nowhere does not exist", "model", "info", "data/nowhere")]
    [InlineData(1, "model folder nowhere does not exist", "model", "info", "nowhere")]
    public void A_model_that_cannot_be_had_is_an_error_of_one_line(int code, string message, params string[] args)
    {
        Assert.Equal(code, world.Cope(default, args));
        Assert.Contains(message, Assert.Single(world.Error.Split('\n'), line => line.StartsWith("cope: error:", StringComparison.Ordinal)), StringComparison.Ordinal);
    }

    [Fact]
    public void Without_the_network_a_model_that_is_not_here_says_how_to_get_it()
    {
        world.Hub = world.Hub! with { IsOffline = true };
        Assert.Equal(1, world.Cope(default, "model", "pull", SmallHub.Repo));
        Assert.Contains("HF_HUB_OFFLINE forbids the network", world.Error, StringComparison.Ordinal);
        Assert.Empty(hub.Requests);
    }
}
