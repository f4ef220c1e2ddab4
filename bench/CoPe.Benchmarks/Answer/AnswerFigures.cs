using CoPe.Adapters;
using CoPe.Benchmarks.Decode;
using CoPe.Modeling;

namespace CoPe.Benchmarks.Answer;

/// <summary>
/// What adapters that act on the answer alone save against those that act everywhere; each <c>name value</c>.
/// </summary>
sealed class AnswerFigures : IDisposable
{
    const int Users = 16;

    readonly AnswerModel _model;
    readonly int _rounds;

    /// <summary>Of a known shape with random weights.</summary>
    public AnswerFigures(string shape, int? layers, int rounds)
    {
        _model = AnswerModel.CreateRandom(shape, layers);
        _rounds = rounds;
    }

    /// <summary>The figures of a part: prompts, train, pipeline; null for all.</summary>
    public IEnumerable<(string Name, double Value)> Compute(string? part)
    {
        var pipeline = new PipelineFigures(_model, _rounds);
        IEnumerable<(string Part, IEnumerable<(string, double)> Figures)> parts =
        [
            ("prompts", FirstToken()),
            ("prompts", SamePrompt()),
            ("train", new AnswerTrainingFigures(_model, _rounds).All()),
            ("pipeline", pipeline.All()),
        ];
        return parts.Where(one => part is null || one.Part == part).SelectMany(one => one.Figures);
    }

    /// <summary>Prompt and first token of an expert and an amateur over two of torch's passes.</summary>
    IEnumerable<(string, double)> FirstToken()
    {
        using var bare = new TorchDecoder(_model.Model, DecodingUsers.Prompt);
        var prompts = _model.CreatePrompts(1, DecodingUsers.Prompt);
        var times = Measurement.TimeInterleaved(
            _rounds,
            () => Decode(_model.Answer, prompts, steps: 1),
            () => Decode(_model.Everywhere, prompts, steps: 1),
            () =>
            {
                bare.Prefill();
                bare.Prefill();
            }
        );
        yield return ("first_token_over_two_prefills", times[0] / times[2]);
        yield return ("first_token_everywhere_over_two_prefills", times[1] / times[2]);
    }

    /// <summary>The prompt of users who are asked the same over prompts of their own.</summary>
    IEnumerable<(string, double)> SamePrompt()
    {
        var own = _model.CreatePrompts(Users, DecodingUsers.Prompt);
        int[][] same = [.. Enumerable.Repeat(own[0], Users)];
        var times = Measurement.TimeInterleaved(
            Math.Max(1, _rounds / 4),
            () => Decode(_model.Answer, same, steps: 0),
            () => Decode(_model.Everywhere, own, steps: 0)
        );
        yield return ("same_prompt_16_users_over_32_prompts", times[0] / times[1]);
        yield return ("same_prompt_16_users_32_prompts_over", times[1] / times[0]);
    }

    void Decode(AdapterBank users, int[][] prompts, int steps)
    {
        using var batch = new DecodingUsers(_model.Model, _model.Task, users, prompts, contrasts: true, steps + 2);
        batch.Join();
        for (var step = 0; step < steps; step++)
        {
            batch.Step();
        }
    }

    public void Dispose() => _model.Dispose();
}

/// <summary>
/// A model, its task adapter, and users' adapters of both kinds with the same numbers. Owns them.
/// </summary>
sealed class AnswerModel : IDisposable
{
    /// <summary>The header of an answer: ids that prompts do not have elsewhere.</summary>
    static readonly int[] Header = [1001, 1002, 1003];

    readonly IDisposable? _folder;
    readonly Random _random = new(1);

    AnswerModel(CausalLm model, IDisposable? folder)
    {
        _folder = folder;
        Model = model;
        Task = RandomAdapters.CreateTask(model);
        Everywhere = CreateUsers(ActivePositions.Everywhere, 16);
        Answer = CreateUsers(ActivePositions.Answer, 16);
    }

    /// <summary>A known shape.</summary>
    public static AnswerModel CreateRandom(string shape, int? layers)
    {
        var folder = new RandomModel(RandomModel.CreateConfig(shape, layers));
        return new(folder.Load(), folder);
    }

    /// <summary>A model folder.</summary>
    public static AnswerModel Load(string folder) => new(CausalLm.Load(folder), null);

    public CausalLm Model { get; }

    /// <summary>Bank of one.</summary>
    public AdapterBank Task { get; }

    /// <summary>Users' adapters that act everywhere.</summary>
    public AdapterBank Everywhere { get; }

    /// <summary>Users' adapters that act on the answer alone.</summary>
    public AdapterBank Answer { get; }

    /// <summary>New adapters of users, the caller's.</summary>
    public AdapterBank CreateUsers(ActivePositions active, int count) =>
        AdapterBank.Create(
            Model.Config,
            new LoraConfig
            {
                Dropout = 0,
                Active = active,
                InvocationTokens = active == ActivePositions.Answer ? Header : null,
            },
            [.. Enumerable.Range(1, count).Select(seed => (long)seed)]
        );

    /// <summary>Prompts of a length that end in the header of an answer.</summary>
    public int[][] CreatePrompts(int count, int length) =>
        [.. Enumerable.Range(0, count).Select(_ => (int[])[.. CreateText(length - Header.Length), .. Header])];

    /// <summary>Random ids that are not the header's.</summary>
    public int[] CreateText(int length) => [.. Enumerable.Range(0, length).Select(_ => _random.Next(1000))];

    public void Dispose()
    {
        Answer.Dispose();
        Everywhere.Dispose();
        Task.Dispose();
        Model.Dispose();
        _folder?.Dispose();
    }
}
