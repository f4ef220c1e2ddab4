using CoPe.Experiments.Data;
using CoPe.Experiments.Runs.Recipes;
using CoPe.Experiments.Runs.Stages;
using CoPe.Experiments.Tasks;
using CoPe.Training;

namespace CoPe.Experiments.Runs.Examples;

/// <summary>
/// Shows examples of a run, through the functions by which its stages word, encode and cut them.
/// </summary>
/// <param name="context">The run; nothing is written.</param>
sealed class ExamplePreviewer(StageContext context)
{
    readonly RunWorkspace _workspace = context.Workspace;

    /// <summary>The example of a user's item or query; the first where none is named.</summary>
    /// <exception cref="RunException">There is no such user or item, or no rejected answer yet.</exception>
    public ExamplePreview Create(PreviewStage stage, string? user = null, string? item = null) =>
        stage switch
        {
            PreviewStage.Tam => CreateTam(FindUser(_workspace.Dataset.Others, user, "other"), item),
            PreviewStage.Sft => CreateSft(FindUser(_workspace.Dataset.Users, user, "test"), item),
            PreviewStage.Dpo => CreateDpo(FindUser(_workspace.Dataset.Users, user, "test"), item),
            _ => CreatePrediction(FindUser(_workspace.Dataset.Users, user, "test"), item),
        };

    ExamplePreview CreateTam(LampUser user, string? id)
    {
        var settings = context.Recipe.Tam;
        var query = FindItem(user.Queries, query => query.Id, id, user);
        var example = new ExampleEncoder(_workspace, settings).Encode(user, query);
        var row = EncodeRow(example, settings);
        return new()
        {
            Stage = PreviewStage.Tam,
            User = user.Id,
            Item = query.Id,
            Messages = Template(settings).ForQuery(query),
            Segments = CreateSegments(example, row),
            Notes = CreateNotes([query.Input, query.Gold], row, settings),
        };
    }

    ExamplePreview CreateSft(LampUser user, string? id)
    {
        var settings = context.Recipe.Sft;
        var item = FindItem(user.History, one => one.Id, id, user);
        var example = new ExampleEncoder(_workspace, settings).Encode(user, item);
        var row = EncodeRow(example, settings);
        return new()
        {
            Stage = PreviewStage.Sft,
            User = user.Id,
            Item = item.Id,
            Messages = Template(settings).ForHistory(item),
            Segments = CreateSegments(example, row),
            Notes = CreateNotes(GetTexts(item), row, settings),
        };
    }

    ExamplePreview CreateDpo(LampUser user, string? id)
    {
        var settings = context.Recipe.Dpo;
        var pairs = JsonLines.Read<SelectedPair>(context.Run.Pairs).Where(pair => pair.User == user.Id).ToList();
        if (pairs.Count == 0)
        {
            throw new RunException(
                $"{context.Run.Name} has no rejected answers of user {user.Id} yet: "
                    + $"run 'cope negatives select --run {context.Run.Name}' first, or choose another stage"
            );
        }

        var pair = FindItem(pairs, one => one.Item, id, user);
        var item = FindItem(user.History, one => one.Id, pair.Item, user);
        var example = new ExampleEncoder(_workspace, settings).Encode(user, item, pair.Rejected);
        var row = TrainingRow.FromExample(example, CutOff(settings));
        int[] rejected = row is null ? [] : [.. row.Prompt.Labels.Skip(row.FirstResponseLength)];
        var supervised = CreateSegments(new SupervisedExample(example.Id, example.Prompt, example.Chosen), row);
        return new()
        {
            Stage = PreviewStage.Dpo,
            User = user.Id,
            Item = item.Id,
            Messages = Template(settings).ForHistory(item),
            Segments =
            [
                supervised[0],
                supervised[1] with
                {
                    Title = "chosen",
                },
                new(
                    "rejected",
                    SegmentRole.Rejected,
                    DecodeTokens(example.Prompt, rejected),
                    example.Rejected.Count - rejected.Length
                ),
            ],
            Notes = CreateNotes(GetTexts(item), row, settings),
        };
    }

    ExamplePreview CreatePrediction(LampUser user, string? id)
    {
        var query = FindItem(user.Queries, query => query.Id, id, user);
        var longest = context.Recipe.Decode.MaxNewTokens ?? _workspace.Task.MaxNewTokens;
        var prompt = new ExampleEncoder(_workspace, context.Recipe.Sft).EncodePrompt(query, longest);
        var whole = _workspace.Encoder.EncodePrompt(Template(context.Recipe.Sft).ForQuery(query)).Length;
        return new()
        {
            Stage = PreviewStage.Predict,
            User = user.Id,
            Item = query.Id,
            Messages = Template(context.Recipe.Sft).ForQuery(query),
            Segments = [new("prompt", SegmentRole.Masked, DecodeTokens([], prompt), whole - prompt.Count)],
            Notes = [.. DescribeTruncation([query.Input], context.Recipe.Sft), $"at most {longest} tokens follow"],
        };
    }

    List<PreviewSegment> CreateSegments(SupervisedExample example, TrainingRow? row)
    {
        int[] labels = row is null ? [] : [.. row.Prompt.Labels.Take(row.FirstResponseLength)];
        return
        [
            new("prompt", SegmentRole.Masked, DecodeTokens([], example.Prompt), 0),
            new(
                "answer",
                SegmentRole.Target,
                DecodeTokens(example.Prompt, labels),
                example.Response.Count - labels.Length
            ),
        ];
    }

    List<string> CreateNotes(IEnumerable<string> texts, TrainingRow? row, TrainingSection settings)
    {
        var notes = DescribeTruncation(texts, settings).ToList();
        if (row is null)
        {
            notes.Add($"the prompt alone fills the {CutOff(settings)} tokens of an example: it is not trained on");
        }

        return notes;
    }

    TrainingRow? EncodeRow(SupervisedExample example, TrainingSection settings) =>
        TrainingRow.FromExample(example, CutOff(settings));

    int CutOff(TrainingSection settings) => Math.Min(settings.Training.CutOff, _workspace.ContextLength);

    PromptTemplate Template(TrainingSection settings) => _workspace.Template with { MaxFieldWords = settings.MaxWords };

    IEnumerable<string> GetTexts(HistoryItem item) =>
        _workspace.Task.InputFields.Append(_workspace.Task.OutputField).Select(field => item.Fields[field]);

    static IEnumerable<string> DescribeTruncation(IEnumerable<string> texts, TrainingSection settings)
    {
        var cut = texts.Count(text => PromptTemplate.TruncateWords(text, settings.MaxWords).Length < text.Length);
        if (cut > 0)
        {
            yield return $"{cut} of its texts cut to {settings.MaxWords} words";
        }
    }

    /// <summary>
    /// Tokens with their texts. They follow <paramref name="before"/>, on which the spaces between them depend.
    /// </summary>
    List<PreviewToken> DecodeTokens(IReadOnlyList<int> before, IReadOnlyList<int> ids)
    {
        var tokenizer = _workspace.Encoder.Tokenizer;
        var decoder = tokenizer.CreateStreamingDecoder(skipSpecialTokens: false);
        foreach (var id in before)
        {
            decoder.Add(id);
        }

        return
        [
            .. ids.Select(id =>
            {
                var text = decoder.Add(id);
                return new PreviewToken(id, text.Length > 0 ? text : tokenizer.IdToToken(id) ?? $"<{id}>");
            }),
        ];
    }

    static LampUser FindUser(IReadOnlyList<LampUser> users, string? id, string kind) =>
        id is null
            ? users[0]
            : users.FirstOrDefault(user => user.Id == id)
                ?? throw new RunException(
                    $"no {kind} user '{id}'{NearestName.Hint(id, users.Select(user => user.Id))}; "
                        + $"there are {users.Count}, the first is {users[0].Id}"
                );

    static T FindItem<T>(IReadOnlyList<T> items, Func<T, string> getId, string? id, LampUser user)
        where T : class
    {
        if (id is null)
        {
            return items[0];
        }

        if (items.FirstOrDefault(item => getId(item) == id) is { } found)
        {
            return found;
        }

        var first = string.Join(", ", items.Take(5).Select(getId));
        var more = items.Count > 5 ? ", ..." : "";
        throw new RunException($"user {user.Id} has no '{id}' in this stage; there are {first}{more}");
    }
}
