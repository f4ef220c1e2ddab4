using System.Diagnostics;
using System.Threading.Channels;
using CoPe.Adapters;
using CoPe.Decoding;

namespace CoPe.Serving;

/// <summary>A request from when it is taken to when its answer has ended.</summary>
sealed class PendingRequest
{
    static long _last;

    // Never longer than an answer: a slow reader holds up nobody.
    readonly Channel<ChosenToken> _tokens = Channel.CreateUnbounded<ChosenToken>(
        new UnboundedChannelOptions { SingleReader = true, SingleWriter = true }
    );

    readonly long _taken = Stopwatch.GetTimestamp();

    /// <summary>A request that is taken now.</summary>
    /// <param name="request">The request.</param>
    /// <param name="model">What its model's name stands for.</param>
    /// <param name="cancelled">Set when nobody wants the answer any more.</param>
    public PendingRequest(ServingRequest request, PersonalModel model, CancellationToken cancelled)
    {
        (Request, Model) = (request, model);
        Id = $"request {Interlocked.Increment(ref _last)} to '{model.Name}'";
        Cancelled = cancelled;
    }

    public ServingRequest Request { get; }

    /// <summary>What the name of the request's model stood for when it was taken.</summary>
    public PersonalModel Model { get; }

    /// <summary>Names the request in errors; nobody's text.</summary>
    public string Id { get; }

    /// <summary>Whose request it is, for fairness.</summary>
    public string Client => Request.Client ?? Request.Model;

    /// <summary>Whether an amateur is decoded beside the expert: for the contrast, or to score tokens by.</summary>
    public bool HasAmateur =>
        Model.UserAdapter is not null && (Request.Options.Contrast > 0 || Request.Alternatives is not null);

    public int RowCount => HasAmateur ? 2 : 1;

    /// <summary>Set when nobody wants the answer any more.</summary>
    public CancellationToken Cancelled { get; }

    /// <summary>Its adapters, from when they are in memory until its rows are gone.</summary>
    public AdapterLease? Adapters { get; set; }

    /// <summary>Its rows, from when it has joined the running batch.</summary>
    public RunningSequence? Sequence { get; private set; }

    public TimeSpan Age => Stopwatch.GetElapsedTime(_taken);

    /// <summary>How long it had waited when its rows joined the batch.</summary>
    public TimeSpan? Queued { get; private set; }

    /// <summary>How old it was when its first token was chosen.</summary>
    public TimeSpan? FirstToken { get; private set; }

    public int TokenCount => Sequence?.Generated.Count ?? 0;

    /// <summary>The tokens as they are chosen, to be read once; throws what the request failed for.</summary>
    public IAsyncEnumerable<ChosenToken> ReadAsync(CancellationToken cancellation) =>
        _tokens.Reader.ReadAllAsync(cancellation);

    /// <summary>Creates its rows, with the adapters that it holds.</summary>
    public RunningSequence Join(Func<DecodingRequest, StopCondition> createStop)
    {
        Queued = Age;
        // Without contrast all of the expert's tokens may be drawn, whether or not an amateur scores them.
        var options = Request.Options.Contrast > 0 ? Request.Options : Request.Options with { Plausibility = 0 };
        var decoding = new DecodingRequest
        {
            Id = Id,
            Prompt = Request.Prompt,
            Options = options,
            Seed = Request.Seed,
            Amateur = HasAmateur ? AdapterSelection.Base : null,
        };
        var (task, user) = (Find(Adapters!.Task), Find(Adapters.User));
        Sequence = new RunningSequence(
            decoding,
            Request.Sample,
            new PromptAdapters(task, user),
            new PromptAdapters(HasAmateur ? task : null, null),
            createStop(decoding)
        )
        {
            ScoredAlternatives = Request.Alternatives,
            OnToken = Publish,
        };
        return Sequence;
    }

    ActingAdapter? Find(AdapterBank? bank) => bank is null ? null : ActingAdapter.Find(bank, 0, Request.Prompt);

    void Publish(int id, TokenScores? scores)
    {
        FirstToken ??= Age;
        _tokens.Writer.TryWrite(new ChosenToken(id, Sequence!.StopReason, scores));
    }

    /// <summary>Ends the answer: after all of its tokens, or with what went wrong.</summary>
    public void Complete(Exception? failure = null) => _tokens.Writer.TryComplete(failure);
}

/// <summary>A token as it leaves the decoding loop.</summary>
readonly record struct ChosenToken(int Id, StopReason? StopReason, TokenScores? Scores);
