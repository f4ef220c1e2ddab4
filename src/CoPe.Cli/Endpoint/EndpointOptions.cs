using System.CommandLine;
using CoPe.Cli.Display;
using CoPe.Experiments.Negatives;
using CoPe.Experiments.Runs;

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
    public string? ApiKey { get; init; }

    /// <summary>Requests under way at once.</summary>
    public int MaxParallel { get; init; } = 8;

    /// <summary>How often one request is sent before the run stops.</summary>
    public int Attempts { get; init; } = 6;

    /// <summary>
    /// Wait before the second attempt; doubled before each further one, up to a minute. What the endpoint asks for goes
    /// before.
    /// </summary>
    public TimeSpan InitialDelay { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>How long one answer may take.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromMinutes(5);
}

/// <summary>Which of an endpoint's two ways to answer is asked.</summary>
enum EndpointApi
{
    /// <summary><c>/completions</c> with the prompt's ids: the very tokens of training, template included.</summary>
    Completions,

    /// <summary><c>/chat/completions</c> with the messages: the endpoint applies its own template.</summary>
    Chat,
}

/// <summary>Options that send the drawing of candidates to an OpenAI-compatible endpoint.</summary>
sealed class EndpointCommandOptions
{
    /// <summary>The variable that every client of such endpoints takes its key from.</summary>
    const string KeyVariable = "OPENAI_API_KEY";

    readonly Option<string?> _url = new("--endpoint")
    {
        Description =
            "Draw at this OpenAI-compatible endpoint instead, for example http://localhost:8000/v1; a key is taken from "
            + KeyVariable
            + ".",
        HelpName = "url",
    };
    readonly Option<string?> _model = new("--endpoint-model")
    {
        Description = "Name of the model there; with vLLM, that of the task's adapter.",
        HelpName = "name",
    };
    readonly Option<EndpointApi> _api = new("--endpoint-api")
    {
        Description = "Completions sends token ids, chat sends messages to the endpoint's own template.",
        HelpName = "completions|chat",
    };
    readonly Option<int> _parallel = new("--endpoint-parallel")
    {
        Description = "Requests under way at once.",
        HelpName = "n",
        DefaultValueFactory = _ => 8,
    };

    public void AddTo(Command command)
    {
        foreach (var option in (Option[])[_url, _model, _api, _parallel])
        {
            command.Options.Add(option);
        }
    }

    /// <summary>The context with the endpoint as its source of candidates, where one is named.</summary>
    public StageContext Apply(ParseResult parsed, StageContext context)
    {
        if (parsed.GetValue(_url) is not { } address)
        {
            return parsed.GetValue(_model) is null
                ? context
                : throw new UsageException(
                    "--endpoint-model is given without --endpoint: name the address as well, for example --endpoint http://localhost:8000/v1"
                );
        }

        if (!Uri.TryCreate(address, UriKind.Absolute, out var uri) || uri.Scheme is not ("http" or "https"))
        {
            throw new UsageException(
                $"--endpoint is '{address}'; expected an address such as http://localhost:8000/v1"
            );
        }

        if (context.Recipe.Negatives.Kind != NegativeKind.Pseudo)
        {
            throw new UsageException(
                $"--endpoint draws candidates, but negatives.kind is {context.Recipe.Negatives.Kind}, which takes other users' texts: set negatives.kind=pseudo or leave --endpoint out"
            );
        }

        var options = new EndpointOptions
        {
            Url = uri,
            Model =
                parsed.GetValue(_model)
                ?? throw new UsageException(
                    "--endpoint needs --endpoint-model: the name under which the endpoint serves the task-adaptive model"
                ),
            Api = parsed.GetValue(_api),
            ApiKey = Environment.GetEnvironmentVariable(KeyVariable) is { Length: > 0 } key ? key : null,
            MaxParallel = Math.Clamp(parsed.GetValue(_parallel), 1, 1024),
        };
        var http = context.Shared.Get("endpoint", () => new HttpClient { Timeout = Timeout.InfiniteTimeSpan });
        return context with
        {
            CandidateEndpoint = new(
                DescribeEndpoint(options),
                new EndpointSampler(
                    new EndpointClient(http, options, context.Time, context.Log),
                    options,
                    context.Log
                ).Sample
            ),
        };
    }

    /// <summary>
    /// The options that name the endpoint, as they are typed; without a password in the address, for the name is
    /// written down.
    /// </summary>
    static string DescribeEndpoint(EndpointOptions options) =>
        $"--endpoint {options.Url.GetComponents(UriComponents.HttpRequestUrl, UriFormat.UriEscaped).TrimEnd('/')} --endpoint-model {DisplayFormat.ShellArgument(options.Model)}{(options.Api == EndpointApi.Chat ? " --endpoint-api chat" : "")}";
}
