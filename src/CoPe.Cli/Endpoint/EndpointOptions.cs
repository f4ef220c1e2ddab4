using System.CommandLine;
using CoPe.Cli.Display;
using CoPe.Cli.Failures;
using CoPe.Cli.Hosting;
using CoPe.Cli.Http;
using CoPe.Experiments.Negatives;
using CoPe.Experiments.Runs;

namespace CoPe.Cli.Endpoint;

/// <summary>An OpenAI-compatible endpoint, and the limits of requests to it.</summary>
sealed record EndpointOptions
{
    /// <summary>Its address.</summary>
    public required EndpointAddress Address { get; init; }

    /// <summary>Name of the model there: with vLLM, that of the task's adapter.</summary>
    public required string Model { get; init; }

    public EndpointApi Api { get; init; } = EndpointApi.Completions;

    /// <summary>Sent as a bearer token, to Azure as <c>api-key</c>; null where there is none.</summary>
    public string? ApiKey { get; init; }

    /// <summary>The environment variable of the key.</summary>
    public string KeyVariable { get; init; } = EndpointCommandOptions.KeyVariable;

    /// <summary>Requests in flight at once.</summary>
    public int MaxParallel { get; init; } = 8;

    /// <summary>Attempts of one request before the run stops.</summary>
    public int Attempts { get; init; } = 6;

    /// <summary>
    /// Delay before the second attempt; doubled before each further one, up to a minute. What the endpoint says takes
    /// precedence (<c>Retry-After</c>).
    /// </summary>
    public TimeSpan InitialDelay { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Longest delay of the endpoint's that is waited for.</summary>
    public TimeSpan MaxRetryAfter { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>Longest time for one reply.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromMinutes(5);
}

/// <summary>Which of an endpoint's two interfaces is used.</summary>
enum EndpointApi
{
    /// <summary><c>/completions</c> with the prompt's ids: the very tokens of training, template included.</summary>
    Completions,

    /// <summary><c>/chat/completions</c> with the messages: the endpoint applies its own template.</summary>
    Chat,
}

/// <summary>Options to sample candidates at an OpenAI-compatible endpoint.</summary>
sealed class EndpointCommandOptions
{
    /// <summary>The environment variable from which clients of such endpoints conventionally read the key.</summary>
    public const string KeyVariable = "OPENAI_API_KEY";

    const string AzureKeyVariable = "AZURE_OPENAI_API_KEY";

    readonly Option<string?> _url = new("--endpoint")
    {
        Description =
            "Sample at this OpenAI-compatible endpoint instead, for example http://localhost:8000/v1; "
            + $"its key is read from {KeyVariable}, Azure's from {AzureKeyVariable} too.",
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
        Description = "Requests in flight at once.",
        HelpName = "n",
        DefaultValueFactory = _ => 8,
    };

    /// <summary>One for the process, as it keeps its connections.</summary>
    static readonly HttpClient Http = new(EndpointClient.CreateHandler()) { Timeout = Timeout.InfiniteTimeSpan };

    public void AddTo(Command command) => command.AddOptions(_url, _model, _api, _parallel);

    /// <summary>The context with the endpoint as its source of candidates, where the command line names one.</summary>
    /// <exception cref="UsageException">The options contradict each other or the recipe.</exception>
    public StageContext Apply(ParseResult parsed, StageContext context)
    {
        if (parsed.GetValue(_url) is not { } address)
        {
            return parsed.GetValue(_model) is null
                ? context
                : throw new UsageException(
                    "--endpoint-model is given without --endpoint: "
                        + "name the address as well, for example --endpoint http://localhost:8000/v1"
                );
        }

        var options = Read(parsed, address);
        var kind = context.Recipe.Negatives.Kind;
        if (kind != NegativeKind.Pseudo)
        {
            throw new UsageException(
                $"--endpoint samples candidates, but negatives.kind is {kind}, which takes other users' texts: "
                    + "set negatives.kind=pseudo or leave --endpoint out"
            );
        }

        IEnumerable<CandidateTexts> Sample(
            IReadOnlyList<CandidateRequest> items,
            NegativesOptions wanted,
            long seed,
            CancellationToken cancellation
        )
        {
            var dialect = new EndpointDialect(options, context.Log);
            var client = new EndpointClient(Http, options, dialect, context.Time, context.Log);
            var reasoning = context.Workspace.Encoder.Reasoning;
            return new EndpointSampler(client, options, reasoning, context.Log).Sample(
                items,
                wanted,
                seed,
                cancellation
            );
        }

        return context with
        {
            CandidateEndpoint = new(DescribeEndpoint(options), Sample),
            Command = context.Command?.Replace(address, options.Address.ToString(), StringComparison.Ordinal),
        };
    }

    EndpointOptions Read(ParseResult parsed, string address)
    {
        var parsedAddress = EndpointAddress.Parse(address);
        if (parsed.GetValue(_model) is not { } model)
        {
            throw new UsageException(
                "--endpoint needs --endpoint-model: the name under which the endpoint serves the task-adaptive model"
            );
        }

        var azureKey = parsedAddress.HasApiVersion ? Environment.GetEnvironmentVariable(AzureKeyVariable) : null;
        var variable = string.IsNullOrEmpty(azureKey) ? KeyVariable : AzureKeyVariable;
        return new()
        {
            Address = parsedAddress,
            Model = model,
            Api = parsed.GetValue(_api),
            ApiKey = Secret.Clean(Environment.GetEnvironmentVariable(variable), variable),
            KeyVariable = variable,
            MaxParallel = Math.Clamp(parsed.GetValue(_parallel), 1, 1024),
        };
    }

    /// <summary>The options that name the endpoint, as they are typed. It is written into the run.</summary>
    static string DescribeEndpoint(EndpointOptions options)
    {
        var model = DisplayFormat.ShellArgument(options.Model);
        var api = options.Api == EndpointApi.Chat ? " --endpoint-api chat" : "";
        var address = $"{options.Address}";
        var argument = address.Contains('?', StringComparison.Ordinal) ? DisplayFormat.ShellArgument(address) : address;
        return $"--endpoint {argument} --endpoint-model {model}{api}";
    }
}
