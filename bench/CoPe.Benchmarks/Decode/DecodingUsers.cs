using CoPe.Adapters;
using CoPe.Decoding;
using CoPe.Modeling;

namespace CoPe.Benchmarks.Decode;

/// <summary>
/// Some users whose answers are decoded together, token by token, each after a prompt. Owns its batch, not the
/// adapters.
/// </summary>
sealed class DecodingUsers : IDisposable
{
    /// <summary>Tokens of a prompt unless others are given.</summary>
    public const int Prompt = 256;

    readonly RunningBatch _batch;
    readonly IReadOnlyList<RunningSequence> _sequences;

    public DecodingUsers(
        CausalLm model,
        AdapterBank task,
        AdapterBank users,
        int count,
        bool contrasts,
        int mostTokens,
        DecodingTrace? trace = null
    )
        : this(model, task, users, CreatePrompts(count), contrasts, mostTokens, trace) { }

    /// <summary>Users with prompts of their own, one each.</summary>
    public DecodingUsers(
        CausalLm model,
        AdapterBank task,
        AdapterBank users,
        int[][] prompts,
        bool contrasts,
        int mostTokens,
        DecodingTrace? trace = null
    )
    {
        var count = prompts.Length;
        var banks = new AdapterBanks(task, users);
        _batch = new RunningBatch(
            model,
            new EngineOptions { Trace = trace },
            Math.Max(2, 2 * count),
            prompts.Max(prompt => prompt.Length) + mostTokens
        );
        _sequences =
        [
            .. prompts.Select(
                (prompt, user) =>
                    new RunningSequence(
                        new DecodingRequest
                        {
                            Id = $"{user}",
                            Prompt = prompt,
                            Expert = AdapterSelection.TaskAndUser(user),
                            Amateur = contrasts ? AdapterSelection.Task : null,
                            Options = new DecodingOptions { MaxNewTokens = mostTokens + 1 },
                        },
                        0,
                        banks.Resolve(AdapterSelection.TaskAndUser(user), prompt),
                        banks.Resolve(contrasts ? AdapterSelection.Task : default, prompt),
                        new StopCondition([], new DecodingOptions { MaxNewTokens = mostTokens + 1 }, mostTokens + 1)
                    )
            ),
        ];
    }

    static int[][] CreatePrompts(int count)
    {
        var random = new Random(1);
        int[] CreatePrompt() => [.. Enumerable.Range(0, Prompt).Select(_ => random.Next(1000))];
        return [.. Enumerable.Range(0, count).Select(_ => CreatePrompt())];
    }

    /// <summary>Computes the prompts.</summary>
    public DecodingUsers Join()
    {
        _batch.Add(_sequences);
        return this;
    }

    /// <summary>One token for everybody.</summary>
    public void Step() => _batch.Step();

    public void Dispose() => _batch.Dispose();
}
