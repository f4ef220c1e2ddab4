using System.Text;
using CoPe.Cli.Hub;
using CoPe.Modeling;
using CoPe.Testing;

namespace CoPe.Cli.Tests.Hub;

[Collection("torch")]
public sealed class HubPullTests : IDisposable
{
    readonly HubFixture _world = new();

    public void Dispose() => _world.Dispose();

    [Fact]
    public async Task What_is_written_is_the_cache_that_Hugging_Face_tools_read()
    {
        var folder = await _world.Pull();

        Assert.Equal(_world.Folder.At($"hub/models--acme--tiny/snapshots/{FakeHub.Commit}"), folder);
        Assert.Equal(FakeHub.Commit, File.ReadAllText(_world.Folder.At("hub/models--acme--tiny/refs/main")));
        foreach (var (file, content) in _world.Hub.Files)
        {
            Assert.Equal(
                Path.Combine("..", "..", "blobs", FakeHub.ComputeEtag(file, content)),
                new FileInfo(Path.Combine(folder, file)).LinkTarget
            );
            Assert.Equal(content, File.ReadAllBytes(_world.BlobOf(file)));
        }
        Assert.Equal(
            _world.Hub.Files.Count,
            Directory.GetFiles(_world.Folder.At("hub/models--acme--tiny/blobs")).Length
        ); // nothing incomplete is left
        using var model = CausalLm.Load(folder);
        // And not the length of a link.
        Assert.Equal(_world.Hub.Files[HubFixture.Weights].Length, ModelInfo.Read(folder).WeightFileBytes);
    }

    [Fact]
    public async Task A_model_that_is_here_is_found_without_a_request_and_pulled_again_by_a_single_one()
    {
        Assert.Null(_world.Cache.Find(HubName.Parse(FakeHub.Repo)!));
        var folder = await _world.Pull();
        _world.Hub.Requests.Clear();
        Assert.Equal(folder, _world.Cache.Find(HubName.Parse(FakeHub.Repo)!));
        Assert.Equal(folder, _world.Cache.Find(HubName.Parse($"{FakeHub.Repo}@{FakeHub.Commit}")!));
        Assert.Empty(_world.Hub.Requests);
        Assert.Equal(folder, await _world.Pull());
        Assert.StartsWith("/api/models/", Assert.Single(_world.Hub.Requests).Path, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_the_commit_does_not_have_is_noted_where_Hugging_Face_tools_note_it()
    {
        _world.Hub.Files.TryRemove("tokenizer.json", out _);
        await _world.Pull();
        var noted = _world.Folder.At($"hub/models--acme--tiny/.no_exist/{FakeHub.Commit}");
        Assert.Equal(
            [
                "adapter_config.json",
                "added_tokens.json",
                "chat_template.jinja",
                "model.safetensors.index.json",
                "special_tokens_map.json",
                "tokenizer.json",
                "tokenizer_config.json",
            ],
            Directory.GetFiles(noted).Select(Path.GetFileName).Order(StringComparer.Ordinal)
        );
        Assert.All(Directory.GetFiles(noted), file => Assert.Equal(0, new FileInfo(file).Length));
        Assert.NotNull(_world.Cache.Find(HubName.Parse(FakeHub.Repo)!)); // nothing is left to bring
        File.Delete(Path.Combine(noted, "tokenizer.json"));
        Assert.Null(_world.Cache.Find(HubName.Parse(FakeHub.Repo)!));
    }

    [Fact]
    public async Task A_model_of_which_a_part_is_gone_is_not_found_and_only_that_part_is_brought()
    {
        await _world.Pull();
        File.Delete(_world.BlobOf(HubFixture.Weights)); // its link leads nowhere now
        Assert.Null(_world.Cache.Find(HubName.Parse(FakeHub.Repo)!));
        _world.Hub.Requests.Clear();
        await _world.Pull();
        Assert.NotNull(_world.Cache.Find(HubName.Parse(FakeHub.Repo)!));
        Assert.Equal(0, _world.Hub.ContentRequests("config.json"));
    }

    [Fact]
    public async Task The_token_goes_to_the_hub_and_never_to_where_it_redirects()
    {
        _world.Token = "hf_secret";
        await _world.Pull();
        Assert.Contains(_world.Hub.Requests, request => request.IsCdn);
        Assert.All(
            _world.Hub.Requests,
            request => Assert.Equal(request.IsCdn ? null : "Bearer hf_secret", request.Authorization)
        );
    }

    [Theory]
    [InlineData(true)] // both a single file and shards: the single one
    [InlineData(false)]
    public async Task Of_many_files_only_those_that_are_needed_are_brought(bool hasBoth)
    {
        _world.Hub.Files["model-00001-of-00001.safetensors"] = _world.WeightBytes;
        if (!hasBoth)
        {
            _world.Hub.Files.TryRemove(HubFixture.Weights, out _);
        }

        _world.Hub.Files["model.safetensors.index.json"] =
            """{"weight_map": {"a": "model-00001-of-00001.safetensors"}}"""u8.ToArray();
        foreach (
            var file in (string[])
                [
                    "LICENSE",
                    "chat_template.jinja",
                    "tokenizer_config.json",
                    "consolidated.safetensors",
                    "pytorch_model.bin",
                    "README.md",
                    "onnx/model.onnx",
                    ".gitattributes",
                ]
        )
        {
            _world.Hub.Files[file] = Encoding.ASCII.GetBytes(file);
        }

        var folder = await _world.Pull();
        Assert.Equal(
            [
                "LICENSE",
                "chat_template.jinja",
                "config.json",
                "generation_config.json",
                hasBoth ? HubFixture.Weights : "model-00001-of-00001.safetensors",
                "model.safetensors.index.json",
                "tokenizer.json",
                "tokenizer_config.json",
            ],
            Directory.GetFiles(folder).Select(Path.GetFileName).Order(StringComparer.Ordinal)
        );
    }

    [Fact]
    public async Task A_model_that_is_not_supported_is_refused_before_its_weights_are_requested()
    {
        _world.Hub.Files["config.json"] =
            """{"model_type": "mixtral", "architectures": ["MixtralForCausalLM"]}"""u8.ToArray();
        Assert.Contains(
            "mixtral is not supported",
            (await Assert.ThrowsAsync<ModelFileException>(() => _world.Pull())).Message,
            StringComparison.Ordinal
        );
        Assert.DoesNotContain(
            _world.Hub.Requests,
            request => request.Path.EndsWith(HubFixture.Weights, StringComparison.Ordinal)
        );
    }

    [Fact]
    public async Task A_repository_without_weights_that_are_read_says_so()
    {
        _world.Hub.Files.TryRemove(HubFixture.Weights, out _);
        Assert.Contains("has neither model.safetensors nor", await _world.PullError(), StringComparison.Ordinal);
        _world.Hub.Files["model.safetensors.index.json"] = """{"weight_map": {"a": "gone.safetensors"}}"""u8.ToArray();
        Assert.Contains(
            "names gone.safetensors, which the repository does not have",
            await _world.PullError(),
            StringComparison.Ordinal
        );
        _world.Hub.Files.TryRemove("config.json", out _);
        Assert.Contains("has no config.json and so is no model", await _world.PullError(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Where_links_cannot_be_made_the_files_stand_in_the_snapshot()
    {
        _world.MakeLink = (_, _) =>
            throw new UnauthorizedAccessException("A required privilege is not held by the client.");
        var folder = await _world.Pull();
        Assert.All(Directory.GetFiles(folder), file => Assert.Null(new FileInfo(file).LinkTarget));
        Assert.Equal(_world.WeightBytes, File.ReadAllBytes(Path.Combine(folder, HubFixture.Weights)));
        Assert.Equal(folder, _world.Cache.Find(HubName.Parse(FakeHub.Repo)!));
        _world.Hub.Requests.Clear();
        await _world.Pull();
        Assert.Single(_world.Hub.Requests);
    }

    [Fact]
    public async Task A_blob_that_is_here_serves_another_snapshot_linked_or_copied()
    {
        await _world.Pull();
        Directory.Delete(Path.GetDirectoryName(_world.InSnapshot("x"))!, recursive: true);
        _world.Hub.Requests.Clear();
        _world.MakeLink = (_, _) => throw new IOException("no links");
        await _world.Pull();
        Assert.Equal(0, _world.Hub.ContentRequests(HubFixture.Weights));
        Assert.Equal(_world.WeightBytes, File.ReadAllBytes(_world.InSnapshot(HubFixture.Weights)));
        Assert.True(File.Exists(_world.BlobOf(HubFixture.Weights))); // other snapshots may link to it
    }

    [Fact]
    public async Task Pulls_at_the_same_time_share_the_work()
    {
        var folders = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(() => _world.Pull())));
        Assert.Single(folders.Distinct());
        Assert.All(_world.Hub.Files.Keys, file => Assert.Equal(1, _world.Hub.ContentRequests(file)));
    }

    [Theory]
    [InlineData("acme/tiny@v1.0", "v1.0", "refs/v1.0")]
    [InlineData("acme/tiny@refs/pr/1", "refs%2Fpr%2F1", "refs/refs/pr/1")]
    public async Task A_branch_or_tag_is_remembered_with_the_commit_it_stood_for(
        string name,
        string encoded,
        string remembered
    )
    {
        await _world.Pull(name);
        Assert.Equal($"/api/models/acme/tiny/revision/{encoded}", _world.Hub.Requests.First().Path);
        Assert.Equal(FakeHub.Commit, File.ReadAllText(_world.Folder.At("hub/models--acme--tiny/" + remembered)));
        Assert.NotNull(_world.Cache.Find(HubName.Parse(name)!));
        Assert.Null(_world.Cache.Find(HubName.Parse("acme/tiny@other")!));
    }
}

[Collection("torch")]
public sealed class HubVerbTests : IClassFixture<TinyRunFixture>, IDisposable
{
    readonly TinyRunFixture _world;
    readonly TemporaryFolder _folder = new();
    readonly FakeHub _hub = new();

    public HubVerbTests(TinyRunFixture world)
    {
        _world = world;
        foreach (var file in Directory.GetFiles(world.RunAt("model").Root))
        {
            _hub.Files[Path.GetFileName(file)] = File.ReadAllBytes(file);
        }

        world.Hub = _hub.Settings(_folder);
    }

    public void Dispose()
    {
        _world.Hub = null;
        _hub.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void A_model_of_the_hub_is_scored_and_trained_on_under_its_name()
    {
        Assert.Equal(0, _world.RunCommand(default, "score", "It rains again", "--model", FakeHub.Repo));
        var scored = _world.Output;
        Assert.Contains("download: done", _world.Error, StringComparison.Ordinal);

        _hub.Requests.Clear();
        _world.Hub = _world.Hub! with { IsOffline = true };
        Assert.Equal(0, _world.RunCommand(default, "score", "It rains again", "--model", FakeHub.Repo));
        Assert.Equal((scored, ""), (_world.Output, _world.Error));
        Assert.Equal(
            0,
            _world.RunCommand(default, "train", "tam", "recipe.yaml", "--run", "hubbed", "--model", FakeHub.Repo)
        );
        Assert.Contains("model: acme/tiny", File.ReadAllText(_world.RunAt("hubbed").Recipe), StringComparison.Ordinal);
        Assert.Equal(0, _world.RunCommand(default, "status", "--run", "hubbed"));
        Assert.Contains("train tam          complete", _world.Output, StringComparison.Ordinal);
        Assert.Empty(_hub.Requests);
    }

    [Fact]
    public void Pull_prints_the_folder_and_shows_progress_beside_it()
    {
        Assert.Equal(0, _world.RunCommand(default, "model", "pull", FakeHub.Repo));
        Assert.True(File.Exists(Path.Combine(_world.Output.Trim(), "model.safetensors")));
        Assert.Contains("download: begins", _world.Error, StringComparison.Ordinal);
        Assert.Equal(0, _world.RunCommand(default, "model", "pull", FakeHub.Repo, "--quiet"));
        Assert.Equal("", _world.Error);
    }

    [Theory]
    [InlineData(2, "'tiny' is no name of a model on the hub", "model", "pull", "tiny")]
    [InlineData(1, "the hub has no model acme/other, or it is private", "model", "info", "acme/other")]
    [InlineData(
        1,
        "acme/tiny is neither a folder nor in the cache",
        "status",
        "--recipe",
        "recipe.yaml",
        "--run",
        "never",
        "--model",
        "acme/tiny"
    )]
    [InlineData(1, "model folder data/nowhere does not exist", "model", "info", "data/nowhere")]
    [InlineData(1, "model folder nowhere does not exist", "model", "info", "nowhere")]
    public void A_model_that_cannot_be_had_is_an_error_of_one_line(int code, string message, params string[] args)
    {
        Assert.Equal(code, _world.RunCommand(default, args));
        Assert.Contains(
            message,
            Assert.Single(_world.Error.Split('\n'), line => line.StartsWith("cope: error:", StringComparison.Ordinal)),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void Without_the_network_a_model_that_is_not_here_says_how_to_get_it()
    {
        _world.Hub = _world.Hub! with { IsOffline = true };
        Assert.Equal(1, _world.RunCommand(default, "model", "pull", FakeHub.Repo));
        Assert.Contains("HF_HUB_OFFLINE forbids the network", _world.Error, StringComparison.Ordinal);
        Assert.Empty(_hub.Requests);
    }
}
