using System.Diagnostics.Metrics;
using System.Runtime.CompilerServices;
using CoPe.Adapters;
using CoPe.Chat;
using CoPe.Decoding;
using CoPe.Modeling;
using CoPe.Scoring;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace CoPe.Serving;

/// <summary>
/// Answers requests of many users as they come, from any thread: all share one running batch over one frozen model.
/// Users' adapters are read when they are first needed, and leave memory when others need it.
/// </summary>
/// <example>
/// <code>
/// var users = new AdapterFolders("runs/demo/dpo", taskAdapter: "runs/demo/tam/adapter");
/// await using var engine = ServingEngine.Load("models/cope-tiny", users);
/// var prompt = engine.Encoder.EncodePrompt([new ChatMessage("user", "Write a headline")]);
/// await foreach (var token in engine.GenerateAsync(new ServingRequest { Model = "7", Prompt = prompt }))
/// {
///     output.Write(token.Text);
/// }
/// </code>
/// </example>
/// <remarks>
/// What a request is answered does not depend on the requests beside it, on their order, or on whether an adapter was
/// in memory: in float32 to the bit of every chosen token; in bf16, where few rows are summed in another order than
/// many, up to near ties.
/// </remarks>
public sealed class ServingEngine : IAsyncDisposable, IDisposable
{
    readonly CausalLm _model;
    readonly IModelCatalog _catalog;
    readonly AdapterResidency _residency;
    readonly ServingTelemetry _telemetry;
    readonly ServingLoop _loop;
    readonly SemaphoreSlim _scoring = new(1);
    readonly bool _ownsModel;

    /// <summary>An engine over a model that stays the caller's.</summary>
    /// <param name="model">The frozen model.</param>
    /// <param name="encoder">Its tokenizer and chat template.</param>
    /// <param name="catalog">The personal models.</param>
    /// <param name="options">Limits.</param>
    /// <param name="loggers">Where to log; null is nowhere. No message holds a user's text.</param>
    /// <param name="meters">Creates the meter, <c>CoPe.Serving</c>; null is a meter of its own.</param>
    /// <exception cref="Tokens.Pipeline.TokenizerException">Nothing says how an answer ends.</exception>
    public ServingEngine(
        CausalLm model,
        ConversationEncoder encoder,
        IModelCatalog catalog,
        ServingOptions? options = null,
        ILoggerFactory? loggers = null,
        IMeterFactory? meters = null
    )
        : this(model, encoder, catalog, options, loggers, meters, ownsModel: false) { }

    ServingEngine(
        CausalLm model,
        ConversationEncoder encoder,
        IModelCatalog catalog,
        ServingOptions? options,
        ILoggerFactory? loggers,
        IMeterFactory? meters,
        bool ownsModel
    )
    {
        options ??= new ServingOptions();
        (_model, Encoder, _catalog, _ownsModel) = (model, encoder, catalog, ownsModel);
        _residency = new AdapterResidency(model.Config, model.Device, options.AdapterBytes, options.ParallelReads);
        _telemetry = new ServingTelemetry(
            meters,
            (loggers ?? NullLoggerFactory.Instance).CreateLogger<ServingEngine>()
        );
        _loop = new ServingLoop(model, encoder, _residency, options, _telemetry);
        _telemetry.Observe(() => _loop.Counts, _residency);
    }

    /// <summary>An engine with a model of its own.</summary>
    /// <param name="modelFolder">A model folder in Hugging Face's layout.</param>
    /// <param name="catalog">The personal models.</param>
    /// <param name="options">Limits.</param>
    /// <param name="loggers">Where to log; null is nowhere. No message holds a user's text.</param>
    /// <param name="meters">Creates the meter; null is a meter of its own.</param>
    /// <exception cref="ModelFileException">The model cannot be read.</exception>
    /// <exception cref="Tokens.Pipeline.TokenizerException">Its tokenizer cannot, or belongs to another.</exception>
    public static ServingEngine Load(
        string modelFolder,
        IModelCatalog catalog,
        ServingOptions? options = null,
        ILoggerFactory? loggers = null,
        IMeterFactory? meters = null
    )
    {
        var encoder = ConversationEncoder.Load(modelFolder);
        var model = CausalLm.Load(modelFolder);
        TokenizerFit.Check(modelFolder, encoder, model.Config);
        return new ServingEngine(model, encoder, catalog, options, loggers, meters, ownsModel: true);
    }

    /// <summary>Tokenizer and chat template of the model.</summary>
    public ConversationEncoder Encoder { get; }

    /// <summary>The personal models.</summary>
    public IModelCatalog Catalog => _catalog;

    /// <summary>The model's shape.</summary>
    internal DecoderConfig Config => _model.Config;

    /// <summary>The adapters in memory.</summary>
    internal AdapterResidency Residency => _residency;

    /// <summary>Requests that wait, and those that run.</summary>
    internal (int Waiting, int Running) Counts => _loop.Counts;

    /// <summary>
    /// Answers a request, token by token. Where the reading stops, by <c>break</c> or cancellation, its rows are free
    /// at the next step; a slow reader holds up nobody.
    /// </summary>
    /// <param name="request">The request.</param>
    /// <param name="cancellation">Ends it, also while it waits.</param>
    /// <exception cref="ArgumentException">The prompt cannot be continued by the model.</exception>
    /// <exception cref="ServingException">It is refused, or an adapter cannot be used.</exception>
    /// <exception cref="NonFiniteLogitsException">The model gave NaN.</exception>
    /// <exception cref="OperationCanceledException">Cancelled, or the engine was disposed of.</exception>
    public async IAsyncEnumerable<ServedToken> GenerateAsync(
        ServingRequest request,
        [EnumeratorCancellation] CancellationToken cancellation = default
    )
    {
        ArgumentNullException.ThrowIfNull(request);
        cancellation.ThrowIfCancellationRequested();
        using var activity = ServingTelemetry.StartActivity(request);
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancellation, _loop.Stopped);
        await using var noticing = ending.Token.Register(_loop.NoticeCancelled);
        var pending = Submit(request, ending.Token);
        StopReason? reason = null;
        try
        {
            var text = new AnswerText(Encoder, request.Options.StopStrings);
            await foreach (var token in pending.ReadAsync(cancellation).ConfigureAwait(false))
            {
                reason = token.StopReason;
                yield return CreateToken(token, text);
            }
        }
        finally
        {
            if (reason is null)
            {
                await ending.CancelAsync().ConfigureAwait(false);
            }

            ServingTelemetry.Describe(activity, pending.TokenCount, reason);
        }
    }

    /// <summary>A chat client that answers as one personal model.</summary>
    /// <param name="user">Name of the personal model; a request's <c>ModelId</c> names another.</param>
    /// <returns>A client that is safe to share between threads; disposing of it leaves the engine as it is.</returns>
    public IChatClient AsChatClient(string user) => new PersonalChatClient(this, user);

    /// <summary>Takes no more requests and waits for those there are.</summary>
    /// <param name="cancellation">Ends those that are not answered by then.</param>
    public Task StopAsync(CancellationToken cancellation = default) => _loop.StopAsync(cancellation);

    /// <summary>Log-probabilities of a given text under a personal model, beside the answers under way.</summary>
    internal async Task<ScoredResponse> ScoreAsync(
        string name,
        IReadOnlyList<int> prompt,
        IReadOnlyList<int> response,
        int alternatives,
        CancellationToken cancellation
    )
    {
        var model = FindModel(name);
        new DecodingRequest { Id = name, Prompt = [.. prompt, .. response] }.CheckPrompt(Config);
        await _scoring.WaitAsync(cancellation).ConfigureAwait(false);
        try
        {
            using var adapters = await _residency.AcquireAsync(model, cancellation).ConfigureAwait(false);
            var options = new ScoringOptions { Alternatives = alternatives };
            var scorer = new SequenceScorer(_model, adapters.Task, adapters.User, options);
            var selection = AdapterSelection.Create(adapters.Task is not null, adapters.User is null ? null : 0);
            var item = new ScoringItem(name, prompt, [response], [selection]);
            return await Task.Run(() => scorer.Score([item], cancellation)[0], cancellation).ConfigureAwait(false);
        }
        finally
        {
            _scoring.Release();
        }
    }

    PersonalModel FindModel(string name) => _catalog.Find(name) ?? throw CreateUnknownModel(name);

    PendingRequest Submit(ServingRequest request, CancellationToken cancelled)
    {
        var model = FindModel(request.Model);
        var pending = new PendingRequest(request, model, cancelled);
        new DecodingRequest
        {
            Id = pending.Id,
            Prompt = request.Prompt,
            Options = request.Options,
        }.CheckPrompt(Config);
        try
        {
            _loop.Submit(pending);
        }
        catch (ServingException error)
        {
            _telemetry.Rejected(model, error);
            throw;
        }

        return pending;
    }

    static ServingException CreateUnknownModel(string name) =>
        new(
            ServingError.UnknownModel,
            $"There is no personal model '{MessageText.Shorten(MessageText.ToOneLine(name), 100)}'; expected the name "
                + "of a user who has an adapter."
        );

    static ServedToken CreateToken(ChosenToken token, AnswerText text) =>
        new(token.Id, text.Add(token.Id, token.StopReason is not null))
        {
            StopReason = token.StopReason,
            LogProb = token.Scores?.LogProb,
            ImplicitReward = token.Scores?.LogProb - token.Scores?.Amateur?.LogProb,
            WithoutContrast = token.Scores?.Amateur?.WithoutContrast ?? false,
            Alternatives = token.Scores?.Alternatives ?? [],
            AlternativeRewards = token.Scores is { Amateur: { } amateur } scores
                ? [.. scores.Alternatives.Zip(amateur.Alternatives, (one, other) => one.LogProb - other)]
                : [],
        };

    /// <inheritdoc/>
    public void Dispose() => DisposeAsync().AsTask().GetAwaiter().GetResult();

    /// <summary>Ends all requests, and what belongs to the engine.</summary>
    public async ValueTask DisposeAsync()
    {
        await _loop.DisposeAsync().ConfigureAwait(false);
        _residency.Dispose();
        _telemetry.Dispose();
        _scoring.Dispose();
        if (_ownsModel)
        {
            _model.Dispose();
        }
    }
}
