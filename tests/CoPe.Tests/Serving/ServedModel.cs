using System.Diagnostics;
using System.Runtime.CompilerServices;
using CoPe.Adapters;
using CoPe.Chat;
using CoPe.Decoding;
using CoPe.Modeling;
using CoPe.Serving;
using CoPe.Testing;
using static TorchSharp.torch;

namespace CoPe.Tests.Serving;

/// <summary>The embedded model in float32, with a task's adapter and random users' on disk.</summary>
sealed class ServedModel : IDisposable
{
    static readonly LoraConfig Lora = new()
    {
        Rank = 2,
        Alpha = 4,
        TargetModules = ["q_proj", "v_proj", "down_proj"],
        Dropout = 0,
    };

    readonly TemporaryFolder _folder = new();

    public ServedModel(params ReadOnlySpan<string> users)
    {
        Model = CausalLm.Load(ModelFolder, ScalarType.Float32);
        Encoder = ConversationEncoder.Load(ModelFolder);
        Directory.CreateDirectory(Users);
        WriteAdapter(TaskAdapter, seed: 1);
        foreach (var (index, user) in users.ToArray().Index())
        {
            WriteUser(user, seed: 100 + index);
        }
    }

    public static string ModelFolder { get; } =
        Path.GetFullPath(Path.Combine(Path.GetDirectoryName(ThisFile())!, "..", "..", "..", "models", "cope-tiny"));

    public CausalLm Model { get; }

    public ConversationEncoder Encoder { get; }

    public string Users => _folder.At("users");

    public string TaskAdapter => _folder.At("tam");

    public AdapterFolders Catalog => new(Users, TaskAdapter);

    /// <summary>Memory of one adapter, in bytes.</summary>
    public long AdapterBytes => sizeof(float) * Lora.CountParameters(Model.Config);

    public string FolderOf(string user) => Path.Combine(Users, user);

    public void WriteUser(string user, int seed) => WriteAdapter(FolderOf(user), seed);

    void WriteAdapter(string folder, int seed)
    {
        Directory.CreateDirectory(folder);
        using var adapter = CreateAdapter(seed);
        AdapterFile.Write(folder, adapter, 0, "cope-tiny");
    }

    AdapterBank CreateAdapter(int seed)
    {
        var bank = AdapterBank.Create(Model.Config, Lora, [seed]);
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        using var generator = new Generator((ulong)seed, CPU);
        foreach (var layer in bank.LayerNames)
        {
            bank.Pairs[layer].B.copy_(randn(bank.Pairs[layer].B.shape, generator: generator) * .2);
        }

        return bank;
    }

    public ServingEngine Serve(ServingOptions? options = null) => new(Model, Encoder, Catalog, options);

    public ServingRequest CreateRequest(string user, string text, int tokens = 12, long seed = 0) =>
        new()
        {
            Model = user,
            Prompt = Encoder.EncodePrompt([new ChatMessage("user", text)]),
            Seed = seed,
            Options = new DecodingOptions { MaxNewTokens = tokens },
        };

    /// <summary>What the decoding engine answers to a request that is alone, with what lies on disk now.</summary>
    public int[] AnswerAlone(ServingRequest request)
    {
        var model = Catalog.Find(request.Model)!;
        using var task = model.TaskAdapter is null ? null : AdapterFile.Read(model.TaskAdapter, Model.Config);
        using var user = model.UserAdapter is null ? null : AdapterFile.Read(model.UserAdapter, Model.Config);
        var engine = new DecodingEngine(
            Model,
            task,
            user,
            StopTokens.Find(Model.Config, Encoder),
            new EngineOptions { Detokenize = ids => Encoder.Tokenizer.Decode(ids) }
        );
        var hasAmateur = user is not null && request.Options.Contrast > 0;
        var decoding = new DecodingRequest
        {
            Id = "alone",
            Prompt = request.Prompt,
            Options = request.Options,
            Seed = request.Seed,
            FirstSample = request.Sample,
            Expert = AdapterSelection.Create(task is not null, user is null ? null : 0),
            Amateur = hasAmateur ? AdapterSelection.Create(task is not null, null) : null,
        };
        return [.. engine.InOrder([decoding]).Single().Ids];
    }

    public void Dispose()
    {
        Model.Dispose();
        _folder.Dispose();
    }

    static string ThisFile([CallerFilePath] string path = "") => path;
}

static class ServedAnswers
{
    static CancellationToken Stop => TestContext.Current.CancellationToken;

    /// <summary>The whole answer.</summary>
    public static async Task<IReadOnlyList<ServedToken>> AnswerAsync(this ServingEngine engine, ServingRequest request)
    {
        var tokens = new List<ServedToken>();
        await foreach (var token in engine.GenerateAsync(request, Stop))
        {
            tokens.Add(token);
        }

        return tokens;
    }

    public static async Task<int[]> AnswerIdsAsync(this ServingEngine engine, ServingRequest request) =>
        [.. (await engine.AnswerAsync(request)).Select(token => token.Id)];

    /// <summary>Waits until something is so; a minute is far more than it takes.</summary>
    public static async Task WaitUntil(
        Func<bool> condition,
        [CallerArgumentExpression(nameof(condition))] string what = ""
    )
    {
        var began = Stopwatch.GetTimestamp();
        while (!condition())
        {
            Assert.True(Stopwatch.GetElapsedTime(began) < TimeSpan.FromMinutes(1), $"It never came about: {what}");
            await Task.Delay(1, Stop);
        }
    }
}
