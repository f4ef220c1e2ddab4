using System.Text;
using CoPe.Adapters;
using CoPe.Chat;
using CoPe.Decoding;
using CoPe.Experiments.Tasks;
using CoPe.Scoring;

namespace CoPe.Experiments.Runs.Chat;

/// <summary>
/// A conversation with a user's model of a run. Base and personalized answer are decoded in one batch over one copy of
/// the weights; each model sees its own earlier answers.
/// </summary>
public sealed class ChatSession : IDisposable
{
    readonly StageContext _context;
    readonly RunWorkspace _workspace;
    readonly AdapterBank _adapter;
    readonly PromptCache? _ownCache;
    readonly DecodingEngine _engine;
    readonly ChatPromptBuilder _prompts;
    readonly Lock _gate = new();
    readonly List<ChatTurn> _turns = [];
    int _retries;

    /// <summary>Opens a run's user.</summary>
    /// <param name="context">The run.</param>
    /// <param name="user">The user; null where the run has one.</param>
    /// <param name="cache">
    /// Keeps what was computed of a conversation from line to line, and for other sessions of the run; still the
    /// caller's. Null is one of the session's own.
    /// </param>
    /// <exception cref="RunException">The run has no adapter of that user.</exception>
    public ChatSession(StageContext context, string? user, PromptCache? cache = null)
    {
        _context = context ?? throw new ArgumentNullException(nameof(context));
        _workspace = context.Workspace;
        User = user ?? GetOnlyUser(context.Run);
        Adapter = ChatAdapter.Find(context, User);
        _prompts = new(_workspace, context.Recipe.Sft.MaxWords);
        _adapter = AdapterFile.Read(Adapter.Folder, _workspace.PredictionModel.Config).MoveTo(_workspace.Device);
        _ownCache = cache is null ? new PromptCache() : null;
        _engine = _workspace.CreateEngine(
            "chat",
            _workspace.Tam,
            _adapter,
            _workspace.PredictionModel,
            cache: cache ?? _ownCache
        );
    }

    /// <summary>The user.</summary>
    public string User { get; }

    /// <summary>The adapter in use.</summary>
    public ChatAdapter Adapter { get; }

    /// <summary>The conversation so far. An answer that was stopped is no part of it.</summary>
    public IReadOnlyList<ChatTurn> Turns => _turns;

    /// <summary>Most tokens that an answer may have, so that a prompt fits beside it.</summary>
    public int MaxNewTokensLimit => _workspace.ContextLength - 1;

    internal ConversationEncoder Encoder => _workspace.Encoder;

    /// <summary>Answers a line.</summary>
    /// <param name="line">The line.</param>
    /// <param name="options">How to answer it.</param>
    /// <param name="onText">
    /// Receives the response so far with each token, from any thread but one at a time.
    /// </param>
    /// <param name="cancellation">Stops the answer.</param>
    /// <returns>The line with the answer of each model.</returns>
    /// <exception cref="RunException">The line does not fit into the model's context.</exception>
    /// <exception cref="OperationCanceledException">
    /// The answer was stopped; what was received before remains valid.
    /// </exception>
    public ChatTurn Answer(
        string line,
        ChatSessionOptions options,
        Action<ChatModelKind, ParsedResponse>? onText = null,
        CancellationToken cancellation = default
    )
    {
        var turn = Generate(line, [.. _turns], options, retries: 0, onText, cancellation);
        _turns.Add(turn);
        _retries = 0;
        return turn;
    }

    /// <summary>Answers the last line again, with another seed; the new answer takes the old one's place.</summary>
    /// <exception cref="InvalidOperationException">Nothing was answered yet.</exception>
    /// <inheritdoc cref="Answer"/>
    public ChatTurn Retry(
        ChatSessionOptions options,
        Action<ChatModelKind, ParsedResponse>? onText = null,
        CancellationToken cancellation = default
    )
    {
        var line = GetLastTurn().Line;
        var turn = Generate(line, [.. _turns.SkipLast(1)], options, ++_retries, onText, cancellation);
        _turns[^1] = turn;
        return turn;
    }

    /// <summary>Forgets the conversation: the next line begins another one.</summary>
    public void StartConversation()
    {
        _turns.Clear();
        _retries = 0;
    }

    /// <summary>How the tokens of an answer are chosen with some options.</summary>
    public DecodingOptions CreateDecodingOptions(ChatSessionOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        var decoding = _context.Recipe.Decode.CreateOptions(_workspace.Task) with { Contrast = options.Contrast };
        decoding = decoding with
        {
            ContrastUnlessCertain = options.ContrastUnlessCertain ?? decoding.ContrastUnlessCertain,
            Plausibility = options.Plausibility ?? decoding.Plausibility,
            MaxNewTokens = options.MaxNewTokens ?? decoding.MaxNewTokens,
        };
        return options.Temperature switch
        {
            null => decoding,
            0 => decoding with { DoSample = false },
            { } temperature => decoding with { DoSample = true, Temperature = temperature },
        };
    }

    /// <summary>Why the user's model gave its last answer: every token under that model and without the user.</summary>
    /// <param name="alternatives">Most other tokens to name at each place.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <exception cref="InvalidOperationException">Nothing was answered yet.</exception>
    public IReadOnlyList<ExplainedToken> Explain(int alternatives, CancellationToken cancellation = default)
    {
        var turn = GetLastTurn();
        var answer = turn.Personalized;
        var scorer = new SequenceScorer(
            _workspace.PredictionModel,
            _workspace.Tam,
            _adapter,
            new() { Alternatives = alternatives + 1 }
        );
        var item = new ScoringItem(
            "answer",
            answer.Prompt,
            [answer.Ids],
            [_workspace.UserSelection(0), _workspace.TamSelection]
        );
        var scores = scorer.Score([item], cancellation);
        return AnswerExplanation.Create(
            _workspace.Encoder.Tokenizer,
            answer,
            scores[0],
            scores[1],
            CreateDecodingOptions(turn.Options)
        );
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _ownCache?.Dispose();
        _adapter.Dispose();
    }

    ChatTurn GetLastTurn() =>
        _turns.Count > 0 ? _turns[^1] : throw new InvalidOperationException("Nothing was answered yet.");

    ChatTurn Generate(
        string line,
        IReadOnlyList<ChatTurn> earlier,
        ChatSessionOptions options,
        int retries,
        Action<ChatModelKind, ParsedResponse>? onText,
        CancellationToken cancellation
    )
    {
        var decoding = CreateDecodingOptions(options);
        var prompts = _prompts.Build(line, options.IncludesEarlierTurns ? earlier : [], options, decoding.MaxNewTokens);
        var draw = retries == 0 ? $"{earlier.Count}" : $"{earlier.Count}/{retries}";
        var seed = SeedDerivation.Derive(options.Seed ?? _context.Recipe.Seed, "chat", draw);
        var requests = options
            .Models.Select(model => CreateRequest(model, prompts.Ids[model], decoding, onText) with { Seed = seed })
            .ToList();
        var answers = _engine
            .Generate(requests, cancellation: cancellation)
            .ToDictionary(result => Enum.Parse<ChatModelKind>(result.RequestId));
        return new()
        {
            Line = line,
            Options = options,
            Cut = prompts.Cut,
            Request = prompts.Request,
            Answers = answers.ToDictionary(pair => pair.Key, pair => CreateAnswer(prompts.Ids[pair.Key], pair.Value)),
        };
    }

    ChatAnswer CreateAnswer(int[] prompt, DecodingResult result)
    {
        var response = _workspace.Encoder.ParseResponse(result.Ids);
        var text = AnswerExtractor.Extract(response.Answer, _workspace.Task);
        return new(text, prompt, result.Ids, result.StopReason)
        {
            Reasoning = response.Reasoning,
            IsUnfinished = response.IsUnfinished,
        };
    }

    DecodingRequest CreateRequest(
        ChatModelKind model,
        int[] prompt,
        DecodingOptions decoding,
        Action<ChatModelKind, ParsedResponse>? onText
    )
    {
        var decoder = _workspace.Encoder.CreateResponseDecoder();
        var text = new StringBuilder();
        var isBase = model == ChatModelKind.Base;
        return new()
        {
            Id = model.ToString(),
            Prompt = prompt,
            Options = decoding,
            Expert = isBase ? AdapterSelection.Base : _workspace.UserSelection(0),
            Amateur = isBase || decoding.Contrast == 0 ? null : _workspace.TamSelection,
            OnToken = id =>
            {
                lock (_gate)
                {
                    text.Append(decoder.Add(id));
                    onText?.Invoke(model, _workspace.Encoder.ParseResponse(text.ToString()));
                }
            },
        };
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
