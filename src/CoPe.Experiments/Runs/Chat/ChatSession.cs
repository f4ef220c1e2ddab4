using CoPe.Adapters;
using CoPe.Decoding;
using CoPe.Experiments.Runs.Stages;
using CoPe.Experiments.Tasks;

namespace CoPe.Experiments.Runs.Chat;

/// <summary>
/// A chat with a user's model of a run. Every line is a request by itself, as in training; base and personalized answer
/// are decoded in one batch over one copy of the weights.
/// </summary>
public sealed class ChatSession : IDisposable
{
    readonly StageContext _context;
    readonly RunWorkspace _workspace;
    readonly AdapterBank _adapter;
    readonly Lock _gate = new();
    long _requestCount;

    /// <summary>Opens a run's user.</summary>
    /// <exception cref="RunException">The run has no adapter of that user.</exception>
    public ChatSession(StageContext context, string? user)
    {
        _context = context ?? throw new ArgumentNullException(nameof(context));
        _workspace = context.Workspace;
        User = user ?? GetOnlyUser(context.Run);
        var folder = FindAdapter(context.Run, User);
        if (!Directory.Exists(context.Run.TamAdapter))
        {
            throw new RunException(
                $"{context.Run.Name} has no task-adaptive model: run 'cope run --run {context.Run.Name}' first"
            );
        }

        _adapter = AdapterFile.Read(folder, _workspace.PredictionModel.Config).MoveTo(_workspace.Device);
    }

    /// <summary>The user.</summary>
    public string User { get; }

    /// <summary>Answers a line.</summary>
    /// <param name="line">The line.</param>
    /// <param name="options">How to answer it.</param>
    /// <param name="onText">
    /// Receives each piece of text as it is decoded, from any thread but one at a time.
    /// </param>
    /// <param name="cancellation">Stops the answer.</param>
    /// <returns>The answer of each model, extracted as in a prediction.</returns>
    /// <exception cref="OperationCanceledException">
    /// The answer was stopped; the pieces received before remain valid.
    /// </exception>
    public IReadOnlyDictionary<ChatModelKind, string> Answer(
        string line,
        ChatSessionOptions options,
        Action<ChatModelKind, string>? onText = null,
        CancellationToken cancellation = default
    )
    {
        ArgumentNullException.ThrowIfNull(options);
        var engine = _workspace.CreateEngine("chat", _workspace.Tam, _adapter, _workspace.PredictionModel);
        ChatModelKind[] models = options.IncludesBase
            ? [ChatModelKind.Base, ChatModelKind.Personalized]
            : [ChatModelKind.Personalized];
        var seed = SeedDerivation.Derive(_context.Recipe.Seed, "chat", $"{_requestCount++}");
        var requests = models
            .Select(model => CreateRequest(model, line, options, onText) with { Seed = seed })
            .ToList();
        return engine
            .Generate(requests, cancellation: cancellation)
            .ToDictionary(
                result => Enum.Parse<ChatModelKind>(result.RequestId),
                result => AnswerExtractor.Extract(_workspace.Encoder.DecodeResponse(result.Ids), _workspace.Task)
            );
    }

    /// <inheritdoc/>
    public void Dispose() => _adapter.Dispose();

    DecodingRequest CreateRequest(
        ChatModelKind model,
        string line,
        ChatSessionOptions options,
        Action<ChatModelKind, string>? onText
    )
    {
        var decoder = _workspace.Encoder.Tokenizer.CreateStreamingDecoder();
        var decoding = _context.Recipe.Decode.CreateOptions(_workspace.Task) with { Contrast = options.Contrast };
        if (options.MaxNewTokens is { } maxNewTokens)
        {
            decoding = decoding with { MaxNewTokens = maxNewTokens };
        }

        var isBase = model == ChatModelKind.Base;
        return new()
        {
            Id = model.ToString(),
            Prompt = new ExampleEncoder(_workspace, _context.Recipe.Sft).EncodePrompt(
                CreateQuery(line, options),
                decoding.MaxNewTokens
            ),
            Options = decoding,
            Expert = isBase ? AdapterSelection.Base : _workspace.UserSelection(0),
            Amateur = isBase ? null : _workspace.TamSelection,
            OnToken = id =>
            {
                lock (_gate)
                {
                    onText?.Invoke(model, decoder.Add(id));
                }
            },
        };
    }

    LampQuery CreateQuery(string line, ChatSessionOptions options)
    {
        if (!options.UsesTaskPrompt || _workspace.Task.InputFields is not [var field])
        {
            return new() { Id = "chat", Input = line };
        }

        var item = new HistoryItem
        {
            Id = "chat",
            Fields = new Dictionary<string, string> { [field] = line },
        };
        return new() { Id = "chat", Input = _workspace.Template.FormatHistoryItem(item) };
    }

    static string FindAdapter(RunDirectory run, string user)
    {
        string[] folders = [run.DpoAdapter(user), run.SftAdapter(user)];
        if (folders.FirstOrDefault(Directory.Exists) is { } folder)
        {
            return folder;
        }

        var trained = TrainedUsers.List(run);
        throw new RunException(
            $"{run.Name} has no adapter of user '{user}'{NearestName.Hint(user, trained)} "
                + $"(there are {string.Join(", ", trained.Take(10))}): name another with --user, or train one"
        );
    }

    static string GetOnlyUser(RunDirectory run) =>
        TrainedUsers.List(run) switch
        {
            [var one] => one,
            [] => throw new RunException(
                $"{run.Name} has no users' adapters: name the folder of a run that has trained some"
            ),
            var many => throw new RunException(
                $"{run.Name} has {many.Count} users: name one with --user, for example --user {many[0]}"
            ),
        };
}

/// <summary>How a chat answers a line.</summary>
public sealed record ChatSessionOptions
{
    /// <summary>Weight of the task-adaptive model's log-probability, as in <c>decode.contrast</c>.</summary>
    public double Contrast
    {
        get;
        init =>
            field = value is >= 0 and <= 10
                ? value
                : throw new ArgumentOutOfRangeException(
                    nameof(Contrast),
                    value,
                    $"contrast is {value}, expected 0 to 10."
                );
    } = 0.1;

    /// <summary>Maximum tokens of an answer; null takes the run's.</summary>
    public int? MaxNewTokens { get; init; }

    /// <summary>
    /// Words a line as the task words a history item, which is what the adapter was trained on; otherwise the line is
    /// the whole request.
    /// </summary>
    public bool UsesTaskPrompt { get; init; } = true;

    /// <summary>The base model answers too.</summary>
    public bool IncludesBase { get; init; } = true;
}

/// <summary>The models that answer in a chat.</summary>
public enum ChatModelKind
{
    /// <summary>The model without any adapter.</summary>
    Base,

    /// <summary>The user's model, contrasted with the task-adaptive model.</summary>
    Personalized,
}
