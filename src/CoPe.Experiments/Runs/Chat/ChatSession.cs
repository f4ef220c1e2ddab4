using CoPe.Adapters;
using CoPe.Decoding;
using CoPe.Experiments.Runs.Stages;
using CoPe.Experiments.Tasks;

namespace CoPe.Experiments.Runs.Chat;

/// <summary>
/// Talks to a user's model of a run. Every line is a request by itself, as in training; base and personal answer are
/// decoded in one batch over one copy of the weights.
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
        _workspace = new(context);
        User = user ?? GetOnlyUser(context.Run);
        var folder =
            new[] { context.Run.DpoAdapter(User), context.Run.SftAdapter(User) }.FirstOrDefault(Directory.Exists)
            ?? throw new RunException(
                $"{context.Run.Name} has no adapter of user '{User}'{NearestName.Hint(User, TrainedUsers.List(context.Run))} (there are {string.Join(", ", TrainedUsers.List(context.Run).Take(10))}): name another with --user, or train one"
            );
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

    /// <summary>
    /// Answers a line. <paramref name="heard"/> is told of each piece of text as it comes, from any thread but one at a
    /// time.
    /// </summary>
    /// <returns>The answers as a prediction would have them, by side.</returns>
    /// <exception cref="OperationCanceledException">It was stopped; what was heard stands.</exception>
    public IReadOnlyDictionary<ChatModelKind, string> Answer(
        string line,
        ChatSessionOptions options,
        Action<ChatModelKind, string>? heard = null,
        CancellationToken cancellation = default
    )
    {
        ArgumentNullException.ThrowIfNull(options);
        var engine = _workspace.CreateEngine("chat", _workspace.Tam, _adapter, _workspace.PredictionModel);
        var sides = options.IncludesBase
            ? new[] { ChatModelKind.Base, ChatModelKind.Personalized }
            : [ChatModelKind.Personalized];
        var seed = SeedDerivation.Derive(_context.Recipe.Seed, "chat", $"{_requestCount++}");
        var asked = sides.Select(side => CreateRequest(side, line, options, heard) with { Seed = seed }).ToList();
        return engine
            .Generate(asked, cancellation: cancellation)
            .ToDictionary(
                result => Enum.Parse<ChatModelKind>(result.RequestId),
                result => AnswerExtractor.Extract(_workspace.Encoder.DecodeResponse(result.Ids), _workspace.Task)
            );
    }

    /// <inheritdoc/>
    public void Dispose() => _adapter.Dispose();

    DecodingRequest CreateRequest(
        ChatModelKind side,
        string line,
        ChatSessionOptions options,
        Action<ChatModelKind, string>? heard
    )
    {
        var decoder = _workspace.Encoder.Tokenizer.CreateStreamingDecoder();
        var decoding = PredictStage.CreateDecodingOptions(_context.Recipe.Decode, _workspace.Task) with
        {
            Contrast = options.Contrast,
        };
        if (options.MaxNewTokens is { } most)
        {
            decoding = decoding with { MaxNewTokens = most };
        }

        return new()
        {
            Id = side.ToString(),
            Prompt = new ExampleEncoder(_workspace, _context.Recipe.Sft).EncodePrompt(
                CreateQuery(line, options),
                decoding.MaxNewTokens
            ),
            Options = decoding,
            Expert = side == ChatModelKind.Base ? AdapterSelection.Base : new(true, User: 0),
            Amateur = side == ChatModelKind.Base ? null : AdapterSelection.TaskOnly,
            OnToken = id =>
            {
                lock (_gate)
                {
                    heard?.Invoke(side, decoder.Add(id));
                }
            },
        };
    }

    LampQuery CreateQuery(string line, ChatSessionOptions options)
    {
        var isWorded = options.UsesTaskPrompt && _workspace.Task.InputFields.Count == 1;
        var item = new HistoryItem
        {
            Id = "chat",
            Fields = new Dictionary<string, string> { [_workspace.Task.InputFields.FirstOrDefault("")] = line },
        };
        return new() { Id = "chat", Input = isWorded ? _workspace.Template.FormatHistoryItem(item) : line };
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

/// <summary>How a chat answers; may change from line to line.</summary>
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

    /// <summary>Most tokens of an answer; null takes those of the run.</summary>
    public int? MaxNewTokens { get; init; }

    /// <summary>
    /// Words a line as the task words a history item, which is what the adapter was trained on; otherwise the line is
    /// the whole request.
    /// </summary>
    public bool UsesTaskPrompt { get; init; } = true;

    /// <summary>The base model answers too.</summary>
    public bool IncludesBase { get; init; } = true;
}

/// <summary>Who answers in a chat.</summary>
public enum ChatModelKind
{
    /// <summary>The model without any adapter.</summary>
    Base,

    /// <summary>The user's model, contrasted with the task-adaptive model.</summary>
    Personalized,
}
