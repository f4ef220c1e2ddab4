using CoPe.Adapters;
using CoPe.Decoding;
using CoPe.Modeling;

namespace CoPe.Benchmarks.Decode;

/// <summary>
/// Some users whose answers are decoded together, token by token, each after a prompt of 256 tokens. Owns its batch,
/// not the adapters.
/// </summary>
sealed class DecodingUsers : IDisposable
{
    /// <summary>Tokens of a prompt.</summary>
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
    {
        var banks = new AdapterBanks(task, users);
        _batch = new RunningBatch(
            model,
            banks,
            new EngineOptions { Trace = trace },
            Math.Max(2, 2 * count),
            Prompt + mostTokens
        );
        var random = new Random(1);
        _sequences =
        [
            .. Enumerable
                .Range(0, count)
                .Select(user => new RunningSequence(
                    banks,
                    new DecodingRequest
                    {
                        Id = $"{user}",
                        Prompt = [.. Enumerable.Range(0, Prompt).Select(_ => random.Next(1000))],
                        Expert = AdapterSelection.TaskAndUser(user),
                        Amateur = contrasts ? AdapterSelection.Task : null,
                        Options = new DecodingOptions { MaxNewTokens = mostTokens + 1 },
                    },
                    0,
                    new StopCondition([], new DecodingOptions { MaxNewTokens = mostTokens + 1 }, mostTokens + 1)
                )),
        ];
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
