namespace CoPe.Cli.Endpoint;

/// <summary>An OpenAI-compatible endpoint and how patiently it is asked.</summary>
sealed record EndpointOptions
{
    /// <summary>Its address up to and including the version, for example <c>http://localhost:8000/v1</c>.</summary>
    public required Uri Url { get; init; }

    /// <summary>Name of the model there: with vLLM, that of the task's adapter.</summary>
    public required string Model { get; init; }

    public EndpointApi Api { get; init; } = EndpointApi.Completions;

    /// <summary>Sent as a bearer token, where there is one.</summary>
    public string? Key { get; init; }

    /// <summary>Requests under way at once.</summary>
    public int Parallel { get; init; } = 8;

    /// <summary>How often one request is sent before the run stops.</summary>
    public int Attempts { get; init; } = 6;

    /// <summary>Wait before the second attempt; doubled before each further one, up to a minute. What the endpoint asks for goes before.</summary>
    public TimeSpan FirstDelay { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>How long one answer may take.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromMinutes(5);
}
