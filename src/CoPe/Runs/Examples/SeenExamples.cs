using CoPe.Data;
using CoPe.Prompts;
using CoPe.Runs.Recipes;
using CoPe.Runs.Stages;
using CoPe.Tokens;
using CoPe.Training;

namespace CoPe.Runs.Examples;

/// <summary>Shows examples of a run through the very functions that its stages word, encode and cut them with.</summary>
/// <param name="context">The run; nothing is written.</param>
public sealed class SeenExamples(StageContext context)
{
    readonly RunWorkspace workspace = new(context);

    /// <summary>The example of a user's item or query; the first where none is named.</summary>
    /// <exception cref="RunException">There is no such user or item, or no rejected answer yet.</exception>
    public SeenExample Of(SeenStage stage, string? user = null, string? item = null) => stage switch
    {
        SeenStage.Tam => Tam(UserOf(workspace.Dataset.Others, user, "other"), item),
        SeenStage.Sft => Sft(UserOf(workspace.Dataset.Users, user, "test"), item),
        SeenStage.Dpo => Dpo(UserOf(workspace.Dataset.Users, user, "test"), item),
        _ => Predict(UserOf(workspace.Dataset.Users, user, "test"), item),
    };

    SeenExample Tam(LampUser user, string? id)
    {
        var settings = context.Recipe.Tam;
        var query = ItemOf(user.Queries, query => query.Id, id, user);
        var example = new ExampleSource(workspace, settings).Example(user, query);
        var row = Row(example, settings);
        return new()
        {
            Stage = SeenStage.Tam, User = user.Id, Item = query.Id, Messages = Template(settings).ForQuery(query), Parts = Learned(example, row), Notes = Notes([query.Input, query.Gold], row, settings),
        };
    }

    SeenExample Sft(LampUser user, string? id)
    {
        var settings = context.Recipe.Sft;
        var item = ItemOf(user.Profile, one => one.Id, id, user);
        var example = new ExampleSource(workspace, settings).Example(user, item);
        var row = Row(example, settings);
        return new()
        {
            Stage = SeenStage.Sft, User = user.Id, Item = item.Id, Messages = Template(settings).ForHistory(item), Parts = Learned(example, row), Notes = Notes(Texts(item), row, settings),
        };
    }

    SeenExample Dpo(LampUser user, string? id)
    {
        var settings = context.Recipe.Dpo;
        var pairs = JsonLines.Read<SelectedPair>(context.Run.Pairs).Where(pair => pair.User == user.Id).ToList();
        if (pairs.Count == 0) throw new RunException($"{context.Run.Name} has no rejected answers of user {user.Id} yet: run 'cope negatives select --run {context.Run.Name}' first, or look at another stage");
        var pair = ItemOf(pairs, one => one.Item, id, user);
        var item = ItemOf(user.Profile, one => one.Id, pair.Item, user);
        var example = new ExampleSource(workspace, settings).Example(user, item, pair.Rejected);
        var row = TrainingRow.Of(example, CutOff(settings));
        var rejected = row is null ? [] : row.Labels[row.FirstLabels..];
        var learned = Learned(new SupervisedExample(example.Id, example.Prompt, example.Chosen), row);
        return new()
        {
            Stage = SeenStage.Dpo, User = user.Id, Item = item.Id, Messages = Template(settings).ForHistory(item),
            Parts = [learned[0], learned[1] with { Title = "chosen" }, new("rejected", SeenKind.Rejected, Tokens(example.Prompt, rejected), example.Rejected.Count - rejected.Length)],
            Notes = Notes(Texts(item), row, settings),
        };
    }

    SeenExample Predict(LampUser user, string? id)
    {
        var query = ItemOf(user.Queries, query => query.Id, id, user);
        var longest = context.Recipe.Decode.MaxNewTokens ?? workspace.Task.MaxNewTokens;
        var prompt = new ExampleSource(workspace, context.Recipe.Sft).Prompt(query, longest);
        var whole = workspace.Encoder.EncodePrompt(Template(context.Recipe.Sft).ForQuery(query)).Length;
        return new()
        {
            Stage = SeenStage.Predict, User = user.Id, Item = query.Id, Messages = Template(context.Recipe.Sft).ForQuery(query),
            Parts = [new("prompt", SeenKind.Masked, Tokens([], prompt), whole - prompt.Count)],
            Notes = [.. LongFields([query.Input], context.Recipe.Sft), $"at most {longest} tokens follow"],
        };
    }

    List<SeenPart> Learned(SupervisedExample example, TrainingRow? row)
    {
        var labels = row is null ? [] : row.Labels[..row.FirstLabels];
        return [new("prompt", SeenKind.Masked, Tokens([], example.Prompt), 0), new("answer", SeenKind.Learned, Tokens(example.Prompt, labels), example.Response.Count - labels.Length)];
    }

    List<string> Notes(IEnumerable<string> texts, TrainingRow? row, OptimizationSettings settings) =>
        [.. LongFields(texts, settings), .. row is null ? (string[])[$"the prompt alone fills the {CutOff(settings)} tokens of an example: it is not trained on"] : []];

    TrainingRow? Row(SupervisedExample example, OptimizationSettings settings) => TrainingRow.Of(example, CutOff(settings));

    int CutOff(OptimizationSettings settings) => Math.Min(settings.CutOff, workspace.ContextLength);

    PromptTemplate Template(OptimizationSettings settings) => workspace.Template with { MaxFieldWords = settings.MaxWords };

    IEnumerable<string> Texts(HistoryItem item) => workspace.Task.InputFields.Append(workspace.Task.OutputField).Select(field => item.Fields[field]);

    static IEnumerable<string> LongFields(IEnumerable<string> texts, OptimizationSettings settings)
    {
        var cut = texts.Count(text => PromptTemplate.FirstWords(text, settings.MaxWords).Length < text.Length);
        if (cut > 0) yield return $"{cut} of its texts cut to {settings.MaxWords} words";
    }

    /// <summary>Tokens with their texts; <paramref name="before"/> stands in front of them, so that spaces come out as they are.</summary>
    List<SeenToken> Tokens(IReadOnlyList<int> before, IReadOnlyList<int> ids)
    {
        var decoder = workspace.Encoder.Tokenizer.StartDecoding(skipSpecialTokens: false);
        foreach (var id in before) decoder.Add(id);
        return [.. ids.Select(id => new SeenToken(id, decoder.Add(id) is { Length: > 0 } text ? text : workspace.Encoder.Tokenizer.TokenOf(id) ?? $"<{id}>"))];
    }

    static LampUser UserOf(IReadOnlyList<LampUser> users, string? id, string kind) => id is null ? users[0] : users.FirstOrDefault(user => user.Id == id)
        ?? throw new RunException($"no {kind} user '{id}'{NearestName.Hint(id, users.Select(user => user.Id))}; there are {users.Count}, the first is {users[0].Id}");

    static T ItemOf<T>(IReadOnlyList<T> items, Func<T, string> idOf, string? id, LampUser user)
        where T : class => id is null ? items[0] : items.FirstOrDefault(item => idOf(item) == id)
        ?? throw new RunException($"user {user.Id} has no '{id}' in this stage; he has {string.Join(", ", items.Take(5).Select(idOf))}{(items.Count > 5 ? ", ..." : "")}");
}
