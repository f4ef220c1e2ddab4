using System.Text.Json.Nodes;
using CoPe.Experiments.Data;
using CoPe.Experiments.Data.Samples;
using CoPe.Experiments.Runs;

namespace CoPe.Cli.Tests.Verbs;

/// <summary>Users who come, change and go touch their own part of a run and nobody else's.</summary>
[Collection("torch")]
public sealed class UsersComeAndGoTests : IClassFixture<TinyRunFixture>, IDisposable
{
    readonly TinyRunFixture _world;

    public UsersComeAndGoTests(TinyRunFixture world)
    {
        _world = world;
        if (!Directory.Exists(world.PathOf("three")))
        {
            var options = new SampleOptions
            {
                Users = 3,
                OtherUsers = 4,
                MinHistory = 3,
                MaxHistory = 3,
                OtherHistory = 0,
                QueriesPerUser = 2,
                Documents = 0,
                Instructions = 0,
            };
            SampleData.Write(world.PathOf("three"), options);
        }
    }

    public void Dispose() => AtomicFile.BeforeOperation = null;

    [Fact]
    public void A_user_more_and_one_less_end_in_the_bytes_of_a_run_that_always_had_them()
    {
        Run("whole", "--users", "3", "--isolate");
        Run("grown", "--users", "2", "--isolate");
        var two = _world.HashArtifacts("grown");
        var others = ReadMade("grown");

        Run("grown", "--users", "3", "--isolate");

        Assert.Contains("user '3' is new: 1 of 3 users", _world.Error, StringComparison.Ordinal);
        Assert.Equal(_world.HashArtifacts("whole"), _world.HashArtifacts("grown"));
        Assert.Equal(others, ReadMade("grown").Where(user => user.Key != "3"));

        Run("grown", "--users", "2", "--isolate");

        Assert.Contains("user '3' is gone", _world.Error, StringComparison.Ordinal);
        Assert.Equal(two, _world.HashArtifacts("grown"));
        Assert.False(Directory.Exists(_world.RunAt("grown").SftAdapter("3")));
    }

    [Fact]
    public void Whichever_write_fails_while_a_user_comes_the_run_after_it_ends_with_the_same_bytes()
    {
        const int stride = 29;
        Run("expected", "--users", "3", "--isolate");
        Run("before", "--users", "2", "--isolate");
        var expected = _world.HashArtifacts("expected");
        var failing = 1;
        for (var hasFailed = true; hasFailed; failing += stride)
        {
            Copy(_world.RunAt("before").Root, _world.RunAt("nth").Root);
            var count = 0;
            AtomicFile.BeforeOperation = operation =>
            {
                if (++count == failing)
                {
                    throw new IOException("cannot " + operation);
                }
            };
            hasFailed = TryRun("nth", "--users", "3", "--isolate") != 0;
            AtomicFile.BeforeOperation = null;
            Assert.True(hasFailed == count >= failing, $"operation {failing} of {count}: {_world.Error}");
            var code = TryRun("nth", "--users", "3", "--isolate");
            Assert.True(code == 0, $"after operation {failing} failed: {_world.Error}");
            Assert.Equal(expected, _world.HashArtifacts("nth"));
            Directory.Delete(_world.RunAt("nth").Root, recursive: true);
        }

        Assert.True(failing > 2 * stride);
    }

    [Fact]
    public void A_longer_history_a_query_more_and_a_user_more_in_the_data_touch_those_users_alone()
    {
        Copy(_world.PathOf("three"), _world.PathOf("living"));
        Run("living-run", "--set", "data=living", "--users", "2");
        var adapter = ReadAdapters("living-run");

        EditUser(0, user => user["profile"]!.AsArray().Add(user["profile"]![0]!.DeepClone()));
        EditUser(0, user => user["profile"]!.AsArray()[^1]!["id"] = "more");
        Resume();

        Assert.Contains("user '1' changed: 1 of 2 users", _world.Error, StringComparison.Ordinal);
        var longer = ReadAdapters("living-run");
        Assert.NotEqual(adapter["1"], longer["1"]);
        Assert.Equal(adapter["2"], longer["2"]);

        EditUser(1, user => user["query"]![0]!["input"] = "Another request");
        Resume();

        Assert.Equal(longer, ReadAdapters("living-run"));
        Assert.DoesNotContain("train sft: begins", _world.Error, StringComparison.Ordinal);
        Assert.Contains("predict base: begins", _world.Error, StringComparison.Ordinal);

        Resume("--users", "3");

        Assert.Equal(longer, ReadAdapters("living-run").Where(user => user.Key != "3"));
        Assert.Equal(3, ReadAdapters("living-run").Count);

        void Resume(params string[] more) =>
            Assert.True(_world.RunCommand(default, ["run", "--run", "living-run", .. more]) == 0, _world.Error);

        void EditUser(int place, Action<JsonObject> edit)
        {
            var file = Path.Combine(_world.PathOf("living"), "news_headline", LampFiles.UsersFile);
            var users = JsonNode.Parse(File.ReadAllText(file))!.AsArray();
            edit(users[place]!.AsObject());
            File.WriteAllText(file, users.ToJsonString());
        }
    }

    [Fact]
    public void A_user_is_added_updated_forgotten_and_taken_back_in_the_run_alone()
    {
        var data = File.ReadAllBytes(Path.Combine(_world.PathOf("three"), "news_headline", LampFiles.UsersFile));
        Run("added", "--users", "2");
        var others = ReadAdapters("added");
        File.WriteAllLines(
            _world.PathOf("ada.jsonl"),
            Enumerable
                .Range(1, 6)
                .Select(n => $$"""{"text": "An article about the number {{n}}.", "title": "Number {{n}} of Ada"}""")
        );

        User("add", "added", "--history", "ada.jsonl", "--queries", "2");

        Assert.Contains("added    ada: 4 history items, 2 queries", _world.Output, StringComparison.Ordinal);
        Assert.Contains("user 'ada' is new: 1 of 3 users", _world.Error, StringComparison.Ordinal);
        Assert.Equal(others, ReadAdapters("added").Where(user => user.Key != "ada"));
        Assert.Equal(1, _world.RunCommand(default, "user", "add", "added", "--history", "ada.jsonl"));
        Assert.Contains("has a user 'ada' already", _world.Error, StringComparison.Ordinal);

        File.AppendAllText(_world.PathOf("ada.jsonl"), """{"text": "One more article.", "title": "One more"}""" + "\n");
        User("update", "added", "--history", "ada.jsonl");

        // The two texts that answer queries are not learned from.
        Assert.Contains("updated  ada: 5 history items, 2 queries", _world.Output, StringComparison.Ordinal);
        Assert.Equal(0, _world.RunCommand(default, "user", "show", "added", "ada"));
        Assert.Contains("users/ada.json", _world.Output, StringComparison.Ordinal);

        User("forget", "added", "ada");

        Assert.DoesNotContain("Number 2 of Ada", ReadEverything("added"), StringComparison.Ordinal);
        Assert.Equal(0, _world.RunCommand(default, "run", "--run", "added"));
        Assert.DoesNotContain("begins", _world.Error, StringComparison.Ordinal);
        Assert.Equal(1, _world.RunCommand(default, "user", "add", "added", "--history", "ada.jsonl"));
        Assert.Contains("--take-back", _world.Error, StringComparison.Ordinal);

        User("add", "added", "--history", "ada.jsonl", "--take-back");

        Assert.True(Directory.Exists(_world.RunAt("added").SftAdapter("ada")));
        Assert.Equal(others, ReadAdapters("added").Where(user => user.Key != "ada"));
        Assert.Equal(
            data,
            File.ReadAllBytes(Path.Combine(_world.PathOf("three"), "news_headline", LampFiles.UsersFile))
        );
    }

    [Fact]
    public void A_user_who_cannot_be_taken_in_leaves_the_run_as_it_was()
    {
        Run("untouched", "--users", "2");
        File.WriteAllText(_world.PathOf("wrong.jsonl"), """{"body": "No field of the task"}""" + "\n");
        var before = ReadEverything("untouched");

        (string[], string)[] refused =
        [
            (["add", "untouched", "--history", "wrong.jsonl"], "no usable text"),
            (["add", "untouched", "--history", "nowhere"], "no such file or folder"),
            (["update", "untouched", "--history", "wrong.jsonl", "--name", "nobody"], "no usable text"),
            (["add", "untouched", "--take-back", "--name", "3"], "has not forgotten '3'"),
        ];
        foreach (var (args, message) in refused)
        {
            Assert.Equal(1, _world.RunCommand(default, ["user", .. args]));
            Assert.Contains(message, _world.Error, StringComparison.Ordinal);
            Assert.Equal(before, ReadEverything("untouched"));
        }
    }

    int TryRun(string run, params string[] more) =>
        _world.RunCommand(default, ["run", "recipe.yaml", "--run", run, "--set", "data=three", .. more]);

    void Run(string run, params string[] more) => Assert.True(TryRun(run, more) == 0, _world.Error);

    void User(params string[] args) => Assert.True(_world.RunCommand(default, ["user", .. args]) == 0, _world.Error);

    Dictionary<string, string> ReadAdapters(string run) =>
        Directory
            .GetDirectories(_world.RunAt(run).SftAdapters)
            .ToDictionary(
                folder => Path.GetFileName(folder)!,
                folder => Convert.ToHexString(File.ReadAllBytes(Path.Combine(folder, "adapter_model.safetensors")))
            );

    /// <summary>When each user's SFT adapter was made.</summary>
    Dictionary<string, DateTimeOffset> ReadMade(string run) =>
        StageMarker
            .Read(_world.RunAt(run).Marker(StageId.TrainSft))!
            .Users!.ToDictionary(user => user.Key, user => user.Value.Made);

    string ReadEverything(string run) =>
        string.Concat(
            Directory
                .EnumerateFiles(_world.RunAt(run).Root, "*", SearchOption.AllDirectories)
                .Where(file => Path.GetFileName(file) is not (".lock" or "manifest.json" or "file-hashes.json"))
                .Order(StringComparer.Ordinal)
                .Select(file => Path.GetFileName(file) + File.ReadAllText(file))
        );

    static void Copy(string from, string to)
    {
        foreach (var file in Directory.EnumerateFiles(from, "*", SearchOption.AllDirectories))
        {
            var target = Path.Combine(to, Path.GetRelativePath(from, file));
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.Copy(file, target, overwrite: true);
        }
    }
}
