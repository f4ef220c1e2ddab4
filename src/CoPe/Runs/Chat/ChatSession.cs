using CoPe.Adapters;
using CoPe.Data;
using CoPe.Decoding;
using CoPe.Prompts;
using CoPe.Runs.Recipes;
using CoPe.Runs.Stages;

namespace CoPe.Runs.Chat;

/// <summary>Talks to a user's model of a run. Every line is a request by itself, as in training; base and personal answer are decoded in one batch over one copy of the weights.</summary>
public sealed class ChatSession : IDisposable
{
    readonly StageContext context;
    readonly RunWorkspace workspace;
    readonly AdapterBank adapter;
    readonly Lock gate = new();
    long requests;

    /// <summary>Opens a run's user.</summary>
    /// <exception cref="RunException">The run has no adapter of that user.</exception>
    public ChatSession(StageContext context, string? user)
    {
        this.context = context ?? throw new ArgumentNullException(nameof(context));
        workspace = new(context);
        User = user ?? Only(context.Run);
        var folder = new[] { context.Run.DpoAdapter(User), context.Run.SftAdapter(User) }.FirstOrDefault(Directory.Exists)
            ?? throw new RunException($"{context.Run.Name} has no adapter of user '{User}'{NearestName.Hint(User, TrainedUsers.Of(context.Run))} (there are {string.Join(", ", TrainedUsers.Of(context.Run).Take(10))}): name another with --user, or train one");
        if (!Directory.Exists(context.Run.TamAdapter)) throw new RunException($"{context.Run.Name} has no task-adaptive model: run 'cope run --run {context.Run.Name}' first");
        adapter = AdapterFile.Read(folder, workspace.PredictionModel.Config).MovedTo(workspace.Device);
    }

    /// <summary>The user.</summary>
    public string User { get; }

    /// <summary>Answers a line. <paramref name="heard"/> is told of each piece of text as it comes, from any thread but one at a time.</summary>
    /// <returns>The answers as a prediction would have them, by side.</returns>
    /// <exception cref="OperationCanceledException">It was stopped; what was heard stands.</exception>
    public IReadOnlyDictionary<ChatSide, string> Answer(string line, ChatOptions options, Action<ChatSide, string>? heard = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        var engine = workspace.Engine("chat", workspace.Tam, adapter, workspace.PredictionModel);
        var sides = options.ShowsBase ? new[] { ChatSide.Base, ChatSide.Personal } : [ChatSide.Personal];
        var seed = SeedOf.Part(context.Recipe.Seed, "chat", $"{requests++}");
        var asked = sides.Select(side => Request(side, line, options, heard) with { Seed = seed }).ToList();
        return engine.Generate(asked, cancellation: cancellation)
            .ToDictionary(result => Enum.Parse<ChatSide>(result.RequestId), result => AnswerExtractor.Extract(workspace.Encoder.DecodeResponse(result.Ids), workspace.Task));
    }

    /// <inheritdoc/>
    public void Dispose() => adapter.Dispose();

    DecodingRequest Request(ChatSide side, string line, ChatOptions options, Action<ChatSide, string>? heard)
    {
        var decoder = workspace.Encoder.Tokenizer.StartDecoding();
        var decoding = PredictStage.DecodingOf(context.Recipe.Decode, workspace.Task) with { Contrast = options.Contrast };
        if (options.MaxNewTokens is { } most) decoding = decoding with { MaxNewTokens = most };
        return new()
        {
            Id = side.ToString(), Prompt = new ExampleSource(workspace, context.Recipe.Sft).Prompt(Worded(line, options), decoding.MaxNewTokens), Options = decoding,
            Expert = side == ChatSide.Base ? WornAdapters.Base : new(true, User: 0), Amateur = side == ChatSide.Base ? null : WornAdapters.TaskAdaptiveModel,
            Heard = id =>
            {
                lock (gate) heard?.Invoke(side, decoder.Add(id));
            },
        };
    }

    LampQuery Worded(string line, ChatOptions options)
    {
        var isWorded = options.IsWorded && workspace.Task.InputFields.Count == 1;
        var item = new HistoryItem { Id = "chat", Fields = new Dictionary<string, string> { [workspace.Task.InputFields.FirstOrDefault("")] = line } };
        return new() { Id = "chat", Input = isWorded ? workspace.Template.HistoryInput(item) : line };
    }

    static string Only(RunDirectory run) => TrainedUsers.Of(run) switch
    {
        [var one] => one,
        [] => throw new RunException($"{run.Name} has no users' adapters: name the folder of a run that has trained some"),
        var many => throw new RunException($"{run.Name} has {many.Count} users: name one with --user, for example --user {many[0]}"),
    };
}
