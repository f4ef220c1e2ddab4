using System.Diagnostics;
using System.Diagnostics.Metrics;
using CoPe.Decoding;
using Microsoft.Extensions.Logging;

namespace CoPe.Serving;

/// <summary>
/// What an engine says of itself: metrics of the meter, traces of the activity source, and log messages. None of them
/// holds a text, a prompt or a token.
/// </summary>
sealed partial class ServingTelemetry : IDisposable
{
    /// <summary>Name of the meter and of the activity source.</summary>
    public const string Name = "CoPe.Serving";

    const double Decay = .9;

    static readonly ActivitySource Activities = new(Name);

    readonly Meter _meter;
    readonly ILogger _logger;
    readonly Counter<long> _requests;
    readonly Counter<long> _promptTokens;
    readonly Counter<long> _generatedTokens;
    readonly Histogram<double> _duration;
    readonly Histogram<double> _queueTime;
    readonly Histogram<double> _firstToken;
    readonly Histogram<double> _tokenTime;
    readonly Lock _gate = new();
    double _secondsPerRequest;

    public ServingTelemetry(IMeterFactory? meters, ILogger logger)
    {
        _meter = meters?.Create(Name) ?? new Meter(Name);
        _logger = logger;
        _requests = _meter.CreateCounter<long>("cope.requests", "{request}", "Requests that have ended, by outcome.");
        _promptTokens = _meter.CreateCounter<long>("cope.prompt_tokens", "{token}", "Tokens of prompts.");
        _generatedTokens = _meter.CreateCounter<long>("cope.generation_tokens", "{token}", "Tokens generated.");
        _duration = CreateHistogram("gen_ai.server.request.duration", "From taking a request to its end.");
        _queueTime = CreateHistogram("cope.request_queue_time", "From taking a request to its joining the batch.");
        _firstToken = CreateHistogram("gen_ai.server.time_to_first_token", "From taking a request to its first token.");
        _tokenTime = CreateHistogram("gen_ai.server.time_per_output_token", "Time of a token after the first.");
    }

    Histogram<double> CreateHistogram(string name, string description) =>
        _meter.CreateHistogram<double>(name, "s", description);

    /// <summary>Lets the meter ask for what there is at the moment.</summary>
    public void Observe(Func<(int Waiting, int Running)> requests, AdapterResidency residency)
    {
        _meter.CreateObservableGauge("cope.requests_waiting", () => requests().Waiting, "{request}");
        _meter.CreateObservableGauge("cope.requests_running", () => requests().Running, "{request}");
        _meter.CreateObservableGauge("cope.adapters_resident", () => residency.Count, "{adapter}");
        _meter.CreateObservableGauge("cope.adapter_bytes", () => residency.Bytes, "By");
        _meter.CreateObservableCounter("cope.adapters_read", () => residency.Totals.Read, "{adapter}");
        _meter.CreateObservableCounter("cope.adapters_evicted", () => residency.Totals.Evicted, "{adapter}");
    }

    /// <summary>The span of one request; null where nobody listens.</summary>
    public static Activity? StartActivity(ServingRequest request)
    {
        var activity = Activities.StartActivity("generate", ActivityKind.Internal);
        activity?.SetTag("gen_ai.operation.name", "generate");
        activity?.SetTag("gen_ai.request.model", request.Model);
        activity?.SetTag("gen_ai.usage.input_tokens", request.Prompt.Count);
        return activity;
    }

    public static void Describe(Activity? activity, int tokens, StopReason? reason)
    {
        activity?.SetTag("gen_ai.usage.output_tokens", tokens);
        activity?.SetTag("gen_ai.response.finish_reasons", reason is null ? null : new[] { FinishName(reason.Value) });
    }

    /// <summary>OpenAI's word for why an answer ended.</summary>
    public static string FinishName(StopReason reason) =>
        reason is StopReason.StopToken or StopReason.StopString ? "stop" : "length";

    /// <summary>How long so many waiting requests may take, from those that have ended; at least a second.</summary>
    public TimeSpan EstimateWait(int waiting)
    {
        lock (_gate)
        {
            return TimeSpan.FromSeconds(Math.Clamp(waiting * _secondsPerRequest, 1, 60));
        }
    }

    public void Rejected(PersonalModel model, ServingException error)
    {
        _requests.Add(1, new KeyValuePair<string, object?>("outcome", "rejected"));
        LogRejected(_logger, error.Error, model.Name);
    }

    /// <summary>Counts a request that has ended.</summary>
    public void Finish(PendingRequest request, Exception? failure)
    {
        var outcome = failure switch
        {
            null => FinishName(request.Sequence!.StopReason!.Value),
            OperationCanceledException => "cancelled",
            _ => "failed",
        };
        _requests.Add(1, new KeyValuePair<string, object?>("outcome", outcome));
        _promptTokens.Add(request.Request.Prompt.Count);
        _generatedTokens.Add(request.TokenCount);
        var age = request.Age;
        _duration.Record(age.TotalSeconds);
        if (request.Queued is { } queued)
        {
            _queueTime.Record(queued.TotalSeconds);
            RememberDuration(age - queued);
        }

        if (request.FirstToken is { } first)
        {
            _firstToken.Record(first.TotalSeconds);
            if (request.TokenCount > 1)
            {
                _tokenTime.Record((age - first).TotalSeconds / (request.TokenCount - 1));
            }
        }

        if (outcome == "failed")
        {
            LogFailed(_logger, request.Id, failure);
        }
        else
        {
            LogEnded(_logger, request.Id, outcome, request.Request.Prompt.Count, request.TokenCount, age.TotalSeconds);
        }
    }

    void RememberDuration(TimeSpan duration)
    {
        lock (_gate)
        {
            _secondsPerRequest = Decay * _secondsPerRequest + (1 - Decay) * duration.TotalSeconds;
        }
    }

    [LoggerMessage(LogLevel.Debug, "{Request} ended ({Outcome}): {Prompt} + {Generated} tokens in {Seconds:f2} s")]
    static partial void LogEnded(
        ILogger logger,
        string request,
        string outcome,
        int prompt,
        int generated,
        double seconds
    );

    [LoggerMessage(LogLevel.Error, "{Request} failed")]
    static partial void LogFailed(ILogger logger, string request, Exception? error);

    [LoggerMessage(LogLevel.Warning, "A request to '{Model}' was rejected: {Reason}")]
    static partial void LogRejected(ILogger logger, ServingError reason, string model);

    public void Dispose() => _meter.Dispose();
}
