using System.Text;
using CoPe.Cli.Hub;
using CoPe.Modeling;

namespace CoPe.Tests.Cli.Hub;

[Collection("torch")]
public sealed class HubPullTests : IDisposable
{
    readonly HubWorld world = new();

    public void Dispose() => world.Dispose();

    [Fact]
    public async Task What_is_written_is_the_cache_that_Hugging_Face_tools_read()
    {
        var folder = await world.Pull();

        Assert.Equal(world.Folder.At($"hub/models--acme--tiny/snapshots/{SmallHub.Commit}"), folder);
        Assert.Equal(SmallHub.Commit, File.ReadAllText(world.Folder.At("hub/models--acme--tiny/refs/main")));
        foreach (var (file, content) in world.Hub.Files)
        {
            Assert.Equal(Path.Combine("..", "..", "blobs", SmallHub.EtagOf(file, content)), new FileInfo(Path.Combine(folder, file)).LinkTarget);
            Assert.Equal(content, File.ReadAllBytes(world.BlobOf(file)));
        }
        Assert.Equal(world.Hub.Files.Count, Directory.GetFiles(world.Folder.At("hub/models--acme--tiny/blobs")).Length); // nothing incomplete is left
        using var model = CausalLm.Load(folder);
        Assert.Equal(world.Hub.Files[HubWorld.Weights].Length, ModelInfo.Read(folder).FileBytes); // and not the length of a link
    }

    [Fact]
    public async Task A_model_that_is_here_is_found_without_a_request_and_pulled_again_by_a_single_one()
    {
        Assert.Null(world.Cache.Find(HubName.Parse(SmallHub.Repo)!));
        var folder = await world.Pull();
        world.Hub.Requests.Clear();
        Assert.Equal(folder, world.Cache.Find(HubName.Parse(SmallHub.Repo)!));
        Assert.Equal(folder, world.Cache.Find(HubName.Parse($"{SmallHub.Repo}@{SmallHub.Commit}")!));
        Assert.Empty(world.Hub.Requests);
        Assert.Equal(folder, await world.Pull());
        Assert.StartsWith("/api/models/", Assert.Single(world.Hub.Requests).Path, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_the_commit_does_not_have_is_noted_where_Hugging_Face_tools_note_it()
    {
        world.Hub.Files.TryRemove("tokenizer.json", out _);
        await world.Pull();
        var noted = world.Folder.At($"hub/models--acme--tiny/.no_exist/{SmallHub.Commit}");
        Assert.Equal(["adapter_config.json", "added_tokens.json", "chat_template.jinja", "model.safetensors.index.json", "special_tokens_map.json", "tokenizer.json", "tokenizer_config.json"],
            Directory.GetFiles(noted).Select(Path.GetFileName).Order(StringComparer.Ordinal));
        Assert.All(Directory.GetFiles(noted), file => Assert.Equal(0, new FileInfo(file).Length));
        Assert.NotNull(world.Cache.Find(HubName.Parse(SmallHub.Repo)!)); // nothing is left to bring
        File.Delete(Path.Combine(noted, "tokenizer.json"));
        Assert.Null(world.Cache.Find(HubName.Parse(SmallHub.Repo)!));
    }

    [Fact]
    public async Task A_model_of_which_a_part_is_gone_is_not_found_and_only_that_part_is_brought()
    {
        await world.Pull();
        File.Delete(world.BlobOf(HubWorld.Weights)); // its link leads nowhere now
        Assert.Null(world.Cache.Find(HubName.Parse(SmallHub.Repo)!));
        world.Hub.Requests.Clear();
        await world.Pull();
        Assert.NotNull(world.Cache.Find(HubName.Parse(SmallHub.Repo)!));
        Assert.Equal(0, world.Hub.ContentRequests("config.json"));
    }

    [Fact]
    public async Task The_token_goes_to_the_hub_and_never_to_where_it_redirects()
    {
        world.Token = "hf_secret";
        await world.Pull();
        Assert.Contains(world.Hub.Requests, request => request.IsCdn);
        Assert.All(world.Hub.Requests, request => Assert.Equal(request.IsCdn ? null : "Bearer hf_secret", request.Authorization));
    }

    [Theory]
    [InlineData(true)] // both a single file and shards: the single one
    [InlineData(false)]
    public async Task Of_many_files_only_those_that_are_needed_are_brought(bool hasBoth)
    {
        world.Hub.Files["model-00001-of-00001.safetensors"] = world.WeightBytes;
        if (!hasBoth) world.Hub.Files.TryRemove(HubWorld.Weights, out _);
        world.Hub.Files["model.safetensors.index.json"] = """{"weight_map": {"a": "model-00001-of-00001.safetensors"}}"""u8.ToArray();
        foreach (var file in (string[])["LICENSE", "chat_template.jinja", "tokenizer_config.json", "consolidated.safetensors", "pytorch_model.bin", "README.md", "onnx/model.onnx", ".gitattributes"]) world.Hub.Files[file] = Encoding.ASCII.GetBytes(file);
        var folder = await world.Pull();
        Assert.Equal(["LICENSE", "chat_template.jinja", "config.json", "generation_config.json", hasBoth ? HubWorld.Weights : "model-00001-of-00001.safetensors", "model.safetensors.index.json", "tokenizer.json", "tokenizer_config.json"],
            Directory.GetFiles(folder).Select(Path.GetFileName).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task A_model_that_is_not_supported_is_refused_before_its_weights_are_asked_for()
    {
        world.Hub.Files["config.json"] = """{"model_type": "mixtral", "architectures": ["MixtralForCausalLM"]}"""u8.ToArray();
        Assert.Contains("mixtral is not supported", (await Assert.ThrowsAsync<ModelFileException>(() => world.Pull())).Message, StringComparison.Ordinal);
        Assert.DoesNotContain(world.Hub.Requests, request => request.Path.EndsWith(HubWorld.Weights, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_repository_without_weights_that_are_read_says_so()
    {
        world.Hub.Files.TryRemove(HubWorld.Weights, out _);
        Assert.Contains("has neither model.safetensors nor", await world.Refusal(), StringComparison.Ordinal);
        world.Hub.Files["model.safetensors.index.json"] = """{"weight_map": {"a": "gone.safetensors"}}"""u8.ToArray();
        Assert.Contains("names gone.safetensors, which the repository does not have", await world.Refusal(), StringComparison.Ordinal);
        world.Hub.Files.TryRemove("config.json", out _);
        Assert.Contains("has no config.json and so is no model", await world.Refusal(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Where_links_cannot_be_made_the_files_stand_in_the_snapshot()
    {
        world.MakeLink = (_, _) => throw new UnauthorizedAccessException("A required privilege is not held by the client.");
        var folder = await world.Pull();
        Assert.All(Directory.GetFiles(folder), file => Assert.Null(new FileInfo(file).LinkTarget));
        Assert.Equal(world.WeightBytes, File.ReadAllBytes(Path.Combine(folder, HubWorld.Weights)));
        Assert.Equal(folder, world.Cache.Find(HubName.Parse(SmallHub.Repo)!));
        world.Hub.Requests.Clear();
        await world.Pull();
        Assert.Single(world.Hub.Requests);
    }

    [Fact]
    public async Task A_blob_that_is_here_serves_another_snapshot_linked_or_copied()
    {
        await world.Pull();
        Directory.Delete(Path.GetDirectoryName(world.InSnapshot("x"))!, recursive: true);
        world.Hub.Requests.Clear();
        world.MakeLink = (_, _) => throw new IOException("no links");
        await world.Pull();
        Assert.Equal(0, world.Hub.ContentRequests(HubWorld.Weights));
        Assert.Equal(world.WeightBytes, File.ReadAllBytes(world.InSnapshot(HubWorld.Weights)));
        Assert.True(File.Exists(world.BlobOf(HubWorld.Weights))); // other snapshots may link to it
    }

    [Fact]
    public async Task Pulls_at_the_same_time_share_the_work()
    {
        var folders = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(() => world.Pull())));
        Assert.Single(folders.Distinct());
        Assert.All(world.Hub.Files.Keys, file => Assert.Equal(1, world.Hub.ContentRequests(file)));
    }

    [Theory]
    [InlineData("acme/tiny@v1.0", "v1.0", "refs/v1.0")]
    [InlineData("acme/tiny@refs/pr/1", "refs%2Fpr%2F1", "refs/refs/pr/1")]
    public async Task A_branch_or_tag_is_remembered_with_the_commit_it_stood_for(string name, string asked, string remembered)
    {
        await world.Pull(name);
        Assert.Equal($"/api/models/acme/tiny/revision/{asked}", world.Hub.Requests.First().Path);
        Assert.Equal(SmallHub.Commit, File.ReadAllText(world.Folder.At("hub/models--acme--tiny/" + remembered)));
        Assert.NotNull(world.Cache.Find(HubName.Parse(name)!));
        Assert.Null(world.Cache.Find(HubName.Parse("acme/tiny@other")!));
    }
}
