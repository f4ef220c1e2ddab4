using System.CommandLine;
using CoPe.Cli.Display;
using CoPe.Negatives;
using CoPe.Runs;
using CoPe.Runs.Recipes;

namespace CoPe.Cli.Endpoint;

/// <summary>Options that send the drawing of candidates to an OpenAI-compatible endpoint.</summary>
sealed class EndpointArguments
{
    /// <summary>The variable that every client of such endpoints takes its key from.</summary>
    const string KeyVariable = "OPENAI_API_KEY";

    readonly Option<string?> url = new("--endpoint") { Description = "Draw at this OpenAI-compatible endpoint instead, for example http://localhost:8000/v1; a key is taken from " + KeyVariable + ".", HelpName = "url" };
    readonly Option<string?> model = new("--endpoint-model") { Description = "Name of the model there; with vLLM, that of the task's adapter.", HelpName = "name" };
    readonly Option<EndpointApi> api = new("--endpoint-api") { Description = "Completions sends token ids, chat sends messages to the endpoint's own template.", HelpName = "completions|chat" };
    readonly Option<int> parallel = new("--endpoint-parallel") { Description = "Requests under way at once.", HelpName = "n", DefaultValueFactory = _ => 8 };

    public void AddTo(Command command)
    {
        foreach (var option in (Option[])[url, model, api, parallel]) command.Options.Add(option);
    }

    /// <summary>The context with the endpoint as its source of candidates, where one is named.</summary>
    public StageContext Apply(ParseResult parsed, StageContext context)
    {
        if (parsed.GetValue(url) is not { } address)
            return parsed.GetValue(model) is null ? context : throw new UsageException("--endpoint-model is given without --endpoint: name the address as well, for example --endpoint http://localhost:8000/v1");
        if (!Uri.TryCreate(address, UriKind.Absolute, out var uri) || uri.Scheme is not ("http" or "https"))
            throw new UsageException($"--endpoint is '{address}'; expected an address such as http://localhost:8000/v1");
        if (context.Recipe.Negatives.Kind != NegativeKind.Pseudo)
            throw new UsageException($"--endpoint draws candidates, but negatives.kind is {context.Recipe.Negatives.Kind}, which takes other users' texts: set negatives.kind=pseudo or leave --endpoint out");
        var options = new EndpointOptions
        {
            Url = uri,
            Model = parsed.GetValue(model) ?? throw new UsageException("--endpoint needs --endpoint-model: the name under which the endpoint serves the task-adaptive model"),
            Api = parsed.GetValue(api),
            Key = Environment.GetEnvironmentVariable(KeyVariable) is { Length: > 0 } key ? key : null,
            Parallel = Math.Clamp(parsed.GetValue(parallel), 1, 1024),
        };
        var http = context.Shared.Get("endpoint", () => new HttpClient { Timeout = Timeout.InfiniteTimeSpan });
        return context with { CandidateEndpoint = new(NameOf(options), new EndpointCandidates(new EndpointClient(http, options, context.Time, context.Log), options, context.Log).Draw) };
    }

    /// <summary>The options that name the endpoint, as they are typed; without a password in the address, for the name is written down.</summary>
    static string NameOf(EndpointOptions options) =>
        $"--endpoint {options.Url.GetComponents(UriComponents.HttpRequestUrl, UriFormat.UriEscaped).TrimEnd('/')} --endpoint-model {Words.Argument(options.Model)}{(options.Api == EndpointApi.Chat ? " --endpoint-api chat" : "")}";
}
