// An application with three people. Each signs in with a key of the application's own and gets headlines in their own
// style, as a stream; beside that, OpenAI's API for programs. All of them share one model in memory.
using System.Runtime.CompilerServices;
using CoPe.Server;
using CoPe.Serving;
using Microsoft.Extensions.AI;

var builder = WebApplication.CreateBuilder(args);
var modelFolder = builder.Configuration["model"] ?? "models/cope-tiny";
var runFolder = builder.Configuration["run"] ?? "runs/demo";

// Who they are to the application, and to the run that was trained on what they wrote.
(string Key, string Name, string User)[] people =
[
    ("key-of-ada", "Ada", "1"),
    ("key-of-ben", "Ben", "2"),
    ("key-of-cleo", "Cleo", "3"),
];

builder.Services.AddCoPe(options =>
{
    options.ModelFolder = modelFolder;
    options.Catalog = RunCatalog.Open(runFolder);
});
builder.Services.AddCoPeServer();
foreach (var person in people)
{
    builder.Services.AddPersonalChatClient(person.User, serviceKey: person.Key);
}

var app = builder.Build();

app.MapPost(
    "/headline",
    (HeadlineRequest request, HttpContext context) =>
    {
        var key = context.Request.Headers.Authorization.ToString().Replace("Bearer ", "", StringComparison.Ordinal);
        return people.Any(person => person.Key == key)
            ? Results.ServerSentEvents(WriteHeadlineAsync(key, request.Article, context.RequestAborted))
            : Results.Unauthorized();
    }
);

// OpenAI's API, for programs on this machine: http://localhost:5000/openai/v1 is the base address of a client.
app.MapGroup("/openai").MapCoPe().RequireHost("localhost", "127.0.0.1");
app.Run();

async IAsyncEnumerable<string> WriteHeadlineAsync(
    string key,
    string article,
    [EnumeratorCancellation] CancellationToken cancellation
)
{
    var client = app.Services.GetRequiredKeyedService<IChatClient>(key);
    var options = new ChatOptions
    {
        MaxOutputTokens = 40,
        AdditionalProperties = new() { ["contrast"] = 0.3 },
    };
    var prompt = $"Write a headline for: {article}";
    await foreach (var update in client.GetStreamingResponseAsync(prompt, options, cancellation))
    {
        yield return update.Text;
    }
}

sealed record HeadlineRequest(string Article);
