using System.Text.Json;
using System.Text.RegularExpressions;
using CoPe.Cli.Tests.Endpoint;
using CoPe.Experiments.Data;
using CoPe.Experiments.Runs;
using CoPe.Experiments.Tasks;
using static System.StringComparison;

namespace CoPe.Cli.Tests.Erasure;

/// <summary>
/// After a user is forgotten, no byte of the run's folder holds a word of theirs: whatever the run is of, whatever they
/// are called, wherever it lies, and wherever it was interrupted. Every text of theirs has words that nobody else has.
/// </summary>
[Collection("torch")]
public sealed class PrivacyTests(TinyRunFixture world) : IClassFixture<TinyRunFixture>, IDisposable
{
    const string Quick = "evaluate.resamples=100";

    /// <summary>
    /// Their texts, whole, cut to a few words or shorter than any search: each begins with one of these.
    /// </summary>
    static readonly string[] Words = ["Zqvarlo", "Zqminth", "Zqübel", "Zqtarn", "Zqortim"];

    static readonly string[] Small =
    [
        .. (
            (string[])
                [
                    "sft.epochs=1",
                    "sft.learning_rate=0.01",
                    "sft.cut_off=400",
                    "sft.max_words=12",
                    "negatives.max_new_tokens=4",
                    "dpo.max_words=12",
                    "decode.max_new_tokens=4",
                    "predict=base,sft,cope",
                    Quick,
                ]
        ).SelectMany(key => (string[])["--set", key]),
        "--model",
        "model",
        "--quiet",
    ];

    public void Dispose() => AtomicFile.BeforeOperation = null;

    /// <summary>
    /// How a run is made, the id of the user, and what happens to the run before and while they are forgotten.
    /// </summary>
    public static TheoryData<string, string, string> Cases =>
        new()
        {
            { "recipe", "zq-user", "" },
            { "recipe", "Zq User/Ä1%41", "moved" },
            { "random", "zquser.part", "" },
            { "similar", "ZQUSER", "linked" },
            { "random of an earlier version", "zquser", "" },
            { "random cut short", "zquser-1cbec737", "" },
            { "baselines", "../zquser", "absolute" },
            { "development", "zquser/b", "" },
            { "seeds", "zquser", "" },
            { "sweep", "Zquser", "" },
            { "added", "Zq Ada", "" },
            { "updated", "zqada", "data" },
            { "import", "zquser", "" },
            { "recipe", "Zquser", "run killed" },
            { "random", "Zquser", "erasure killed" },
            { "recipe", "zquser", "data" },
            { "own data", "zquser", "moved" },
            { "own data", "Zquser", "erasure killed" },
            { "personalize", "Zq Ada", "linked" },
            { "endpoint", "zquser", "" },
            { "endpoint", "Zq User", "erasure killed" },
        };

    [Theory]
    [MemberData(nameof(Cases))]
    public void No_byte_of_a_run_holds_a_word_of_a_user_who_was_forgotten(string made, string user, string what)
    {
        var name = $"privacy {made} {what}".Replace(' ', '-');
        var data = made == "own data" ? $"{name}/data" : $"{name}-data";
        WriteData(data, user, isUserAdded: made is "added");
        Make(made, name, user, isKilled: what == "run killed");
        Assert.True(what == "run killed" || FindWords(world.RunAt(name).Root, user).Any());

        var run = Move(name, what);
        Forget(run, user, what);

        Assert.Equal([], FindWords(world.RunAt(run).Root, user));
        if (what == "data")
        {
            Assert.Equal([], FindWords(world.PathOf(data), user));
        }

        // A person's run has nobody left, a sweep is no run, and one that was moved is told first where its model is.
        if (made is not ("personalize" or "sweep") && what != "moved")
        {
            Cope("run", "--run", run);
            Assert.Equal([], FindWords(world.RunAt(run).Root, user));
        }
    }

    [Fact]
    public void A_run_of_the_demo_keeps_nothing_of_a_user_but_what_it_names()
    {
        string[] few = ["--users", "2", "--set", "predict=base,sft,cope", "--set", "negatives.candidates=2"];
        Cope(["demo", "--run", "demo", .. Small, .. few]);
        var data = LampFiles.Read(world.PathOf("demo/data"), LampTasks.NewsHeadline);
        var user = data.Users[0];
        var others = data.Users.Skip(1).Concat(data.Others).SelectMany(UserIdentity.ListTexts).ToHashSet();
        string[] theirs =
        [
            .. UserIdentity.ListTexts(user).Where(text => text.Length >= 12 && !others.Contains(text)).Distinct(),
            .. user.Queries.SelectMany(query =>
                (string[])[$"\"id\": \"{query.Id}\"", $"\"id\":\"{query.Id}\"", $"\"query\":\"{query.Id}\""]
            ),
        ];
        Assert.True(theirs.Length > 30);
        Assert.NotEmpty(EveryByte.FindTexts(world.RunAt("demo").Root, theirs));

        Cope("user", "forget", "demo", user.Id);

        Assert.Equal([], EveryByte.FindTexts(world.RunAt("demo").Root, theirs));
        Assert.DoesNotContain(
            LampFiles.Read(world.PathOf("demo/data"), LampTasks.NewsHeadline).Users,
            other => other.Id == user.Id
        );
        string?[] otherTasks =
        [
            .. Directory
                .GetDirectories(world.PathOf("demo/data"))
                .Where(folder => File.Exists(Path.Combine(folder, LampFiles.UsersFile)))
                .Select(Path.GetFileName)
                .Where(name => name != "news_headline"),
        ];
        Assert.Equal(4, otherTasks.Length);
        Assert.All(
            otherTasks,
            name => Assert.Contains($"demo/data/{name} (has a user {user.Id}, of an", world.Output, Ordinal)
        );
    }

    [Fact]
    public void Exports_and_conversations_are_not_written_into_a_run()
    {
        Assert.Equal(2, world.RunCommand(default, "export", "undisturbed", "--zip", "undisturbed/a.zip"));
        Assert.Contains("name a file elsewhere", world.Error, Ordinal);
        world.Input = "Write a headline\n/save undisturbed/chat.json\n/quit\n";
        world.RunCommand(default, "chat", "undisturbed", "--user", "1");
        world.Input = null;
        Assert.Contains("name a file elsewhere", world.Error, Ordinal);
        Assert.False(
            File.Exists(world.PathOf("undisturbed/a.zip")) || File.Exists(world.PathOf("undisturbed/chat.json"))
        );
    }

    void Make(string made, string name, string user, bool isKilled)
    {
        string[] run = ["run", "recipe.yaml", "--run", name, "--set", $"data={name}-data", "--set", Quick];
        string[] quick = ["--set", "predict=base,sft", "--set", "evaluate.likelihood=false"];
        switch (made)
        {
            case "random" or "similar":
                Cope([.. run, "--set", $"negatives.kind={made}"]);
                break;
            case "random cut short":
                Cope([
                    .. run,
                    "--set",
                    "negatives.kind=random",
                    "--set",
                    "sft.max_words=2",
                    "--set",
                    "dpo.max_words=2",
                ]);
                break;
            case "random of an earlier version":
                Cope([.. run, "--set", "negatives.kind=random"]);
                RemoveOwners(world.RunAt(name));
                break;
            case "baselines":
                string[] methods = ["base", "recent", "rag", "pag", "tam-all", "cope-sft", "cope"];
                Cope([.. run, "--set", $"predict={string.Join(',', methods)}", "--set", "context.profile_tokens=4"]);
                break;
            case "development":
                Cope([.. run, .. quick, "--set", "development_items=1"]);
                break;
            case "seeds":
                Cope([.. run, .. quick, "--seeds", "2"]);
                break;
            case "sweep":
                Cope(["sweep", .. run[1..], .. quick, "--over", "decode.contrast=0.1,0.5", "--items", "1"]);
                break;
            case "added" or "updated":
                Cope([.. run, .. quick]);
                WriteHistory($"{name}.jsonl");
                Cope("user", made == "added" ? "add" : "update", name, "--history", $"{name}.jsonl", "--name", user);
                break;
            case "own data":
                Cope([.. run[..4], "--set", $"data={name}/data", "--set", Quick]);
                break;
            case "personalize":
                WriteTexts($"{name}-texts");
                Cope(["personalize", "--history", $"{name}-texts", "--name", user, "--run", name, .. Small]);
                break;
            case "endpoint":
                MakeWithEndpoint(run, quick);
                break;
            case "import":
                Cope([.. run, .. quick, "--set", "predict=base"]);
                WriteNegatives($"{name}-negatives.json", user);
                Cope("train", "tam", "--run", name);
                Cope("train", "sft", "--run", name);
                Cope("negatives", "import", $"{name}-negatives.json", "--run", name);
                break;
            default:
                ToyCommands.FailOperation(isKilled ? 120 : 0);
                world.RunCommand(default, run);
                AtomicFile.BeforeOperation = null;
                break;
        }
    }

    /// <summary>
    /// With candidates of a chat endpoint, which repeats the user's word, thinks aloud of it, and fails once.
    /// </summary>
    void MakeWithEndpoint(string[] run, string[] quick)
    {
        using var endpoint = new LocalEndpoint(failing: request => request == 1)
        {
            Answer = (_, body) =>
            {
                var word = Words.FirstOrDefault(word => body.Contains(word, Ordinal)) ?? "Ships";
                var message = new
                {
                    role = "assistant",
                    content = $"{word} at sea",
                    reasoning_content = $"Of {word}?",
                };
                return JsonSerializer.Serialize(new { choices = new[] { new { message }, new { message } } });
            },
        };
        Cope(["train", "tam", .. run[1..], .. quick]);
        string[] sample =
        [
            .. (string[])["negatives", "sample", "--run", run[3], "--endpoint", endpoint.Url],
            .. (string[])["--endpoint-model", "tam", "--endpoint-api", "chat", "--endpoint-parallel", "1"],
        ];
        Assert.Equal(1, world.RunCommand(default, sample));
        Cope(sample);
        Assert.Contains("at sea", File.ReadAllText(world.RunAt(run[3]).Candidates), Ordinal);
        Cope("run", "--run", run[3]);
    }

    /// <summary>Makes the borrowed texts of a run those of a version that did not note whose they are.</summary>
    static void RemoveOwners(RunDirectory run)
    {
        foreach (var (file, stage) in new[] { (run.Candidates, "sample"), (run.Pairs, "select") })
        {
            File.WriteAllText(file, Regex.Replace(File.ReadAllText(file), ",\"borrowed_from\":\"[^\"]*\"", ""));
            var marker = Path.Combine(run.Root, "stages", $"negatives-{stage}.json");
            var size = $"\"negatives/{Path.GetFileName(file)}\": {new FileInfo(file).Length}";
            var path = $"\"negatives/{Path.GetFileName(file)}\": [0-9]+";
            File.WriteAllText(marker, Regex.Replace(File.ReadAllText(marker), path, size));
        }
    }

    string Move(string name, string what)
    {
        switch (what)
        {
            case "moved":
                Directory.CreateDirectory(world.PathOf("elsewhere"));
                Directory.Move(world.PathOf(name), world.PathOf($"elsewhere/{name}"));
                return $"elsewhere/{name}";
            case "linked":
                Directory.CreateSymbolicLink(world.PathOf(name + "-link"), world.PathOf(name));
                return name + "-link";
            case "absolute":
                return world.PathOf(name);
            default:
                return name;
        }
    }

    void Forget(string run, string user, string what)
    {
        string[] forget = ["user", "forget", run, user, .. what == "data" ? (string[])["--data"] : []];
        if (what == "erasure killed")
        {
            foreach (var operation in (int[])[2, 9, 23, 41])
            {
                ToyCommands.FailOperation(operation);
                Assert.Equal(1, world.RunCommand(default, forget));
                AtomicFile.BeforeOperation = null;
            }
        }

        Cope(forget);
    }

    void Cope(params string[] args) =>
        Assert.True(world.RunCommand(default, args) == 0, $"{string.Join(' ', args)}: {world.Error}");

    /// <summary>The sample data with one user more, whose texts have the words.</summary>
    void WriteData(string folder, string user, bool isUserAdded)
    {
        var sample = LampFiles.Read(world.PathOf("data"), LampTasks.NewsHeadline);
        var marked = new LampUser
        {
            Id = user,
            History = [.. Words.Index().Select(one => CreateItem($"zqitem{one.Index}", one.Item))],
            Queries =
            [
                new()
                {
                    Id = "zqquery1",
                    Input = "Zqtarn asks for a headline",
                    Gold = "Zqminth has the \"answer\" & more",
                },
                new()
                {
                    Id = "zqquery2",
                    Input = "Zqortim?",
                    Gold = "Zqortim!",
                },
            ],
        };
        LampFiles.Write(
            world.PathOf(folder),
            sample with
            {
                Users = isUserAdded ? sample.Users : [marked, .. sample.Users],
            }
        );
    }

    static HistoryItem CreateItem(string id, string word) =>
        new()
        {
            Id = id,
            Fields = new Dictionary<string, string>
            {
                ["text"] =
                    $"{word} wrote an article, \"quoted\" & long, about the harbor and the sea and the {word} boats",
                ["title"] = word == "Zqortim" ? word : $"{word} sails <b>home</b> again",
            },
        };

    void WriteHistory(string file) =>
        File.WriteAllLines(
            world.PathOf(file),
            Words.Select(word => JsonSerializer.Serialize(CreateItem("zq-" + word, word).Fields))
        );

    void WriteTexts(string folder)
    {
        Directory.CreateDirectory(world.PathOf(folder));
        foreach (var (day, word) in Words.Index())
        {
            File.WriteAllText(
                world.PathOf($"{folder}/2024-01-0{day + 1}.md"),
                $"# {word} on a day\n\n{word} went out before dawn, and {word} came back late."
            );
        }
    }

    /// <summary>The user's history with answers that some model gave for it, as the reference writes it.</summary>
    void WriteNegatives(string file, string user)
    {
        var items = Words
            .Index()
            .Select(one => new { id = $"zqitem{one.Index}", pseudo_negative = new[] { "Zqvarlo it is" } });
        File.WriteAllText(
            world.PathOf(file),
            JsonSerializer.Serialize(new[] { new { user_id = user, profile = items } })
        );
    }

    /// <summary>Files of a folder with a word, or the name, of the user, in their content or their own name.</summary>
    static IEnumerable<string> FindWords(string folder, string user)
    {
        string[] names = [user, RunDirectory.SafeName(user), FormerUserNames.Create(user), "zqquery", "zqitem"];
        return EveryByte.FindTexts(folder, [.. Words, .. names]);
    }
}
