using CoPe.Adapters;
using CoPe.Decoding;
using CoPe.Modeling;

namespace CoPe.Benchmarks.Decode;

/// <summary>
/// Time of the prompts of requests that begin alike, against as many of the same length that do not; each <c>name
/// value</c>.
/// </summary>
sealed class PromptFigures : IDisposable
{
    const int Own = 60;
    const int Rounds = 9;

    readonly CausalLm _model;
    readonly AdapterBank _task;

    public PromptFigures(string folder)
    {
        _model = CausalLm.Load(folder);
        _task = RandomAdapters.CreateTask(_model);
    }

    /// <summary>For some numbers of requests and of tokens in common.</summary>
    public IEnumerable<(string Name, double Value)> All()
    {
        foreach (var (count, common) in ((int, int)[])[(16, 200), (16, 100), (16, 34), (2, 200), (2, 100), (2, 34)])
        {
            var times = Measurement.TimeInterleaved(
                Rounds,
                () => Join(count, common, alike: true),
                () => Join(count, common, alike: false)
            );
            yield return ($"prompts{count}_common{common}_shared_ms", times[0]);
            yield return ($"prompts{count}_common{common}_apart_ms", times[1]);
            yield return ($"prompts{count}_common{common}_shared_over_apart", times[0] / times[1]);
        }

        var lines = NextLine(conversation: 600, line: 40);
        yield return ("next_line_kept_ms", lines[0]);
        yield return ("next_line_anew_ms", lines[1]);
        yield return ("next_line_kept_over_anew", lines[0] / lines[1]);
    }

    /// <summary>
    /// The first token of a conversation's next line, expert and amateur, with the keys and values of what was said
    /// before and without.
    /// </summary>
    double[] NextLine(int conversation, int line)
    {
        var random = new Random(1);
        int[] DrawIds(int count) => [.. Enumerable.Range(0, count).Select(_ => random.Next(1000))];
        var earlier = DrawIds(conversation);
        using var cache = new PromptCache();
        Answer(earlier, cache);
        return Measurement.TimeInterleaved(
            Rounds,
            () => Answer([.. earlier, .. DrawIds(line)], cache),
            () => Answer([.. earlier, .. DrawIds(line)], null)
        );
    }

    void Answer(int[] prompt, PromptCache? cache)
    {
        var engine = new DecodingEngine(_model, _task, null, [], new EngineOptions { PromptCache = cache });
        var request = new DecodingRequest
        {
            Id = "line",
            Prompt = prompt,
            Expert = AdapterSelection.Task,
            Amateur = AdapterSelection.Base,
            Options = new DecodingOptions { MaxNewTokens = 1 },
        };
        engine.GenerateInOrder([request]);
    }

    /// <summary>
    /// Requests of one length. Where they are not alike the first token tells them apart, so that nothing is shared.
    /// </summary>
    void Join(int count, int common, bool alike)
    {
        var random = new Random(1);
        var banks = new AdapterBanks(_task, null);
        using var batch = new RunningBatch(_model, new EngineOptions(), count, common + Own + 1);
        batch.Add(Enumerable.Range(0, count).Select(CreateSequence));

        RunningSequence CreateSequence(int i)
        {
            int[] prompt =
            [
                alike ? 0 : i,
                .. Enumerable.Range(1, common - 1),
                .. Enumerable.Range(0, Own).Select(_ => random.Next(1000)),
            ];
            return new(
                new DecodingRequest
                {
                    Id = $"{i}",
                    Prompt = prompt,
                    Expert = AdapterSelection.Task,
                },
                0,
                banks.Resolve(AdapterSelection.Task, prompt),
                banks.Resolve(default, prompt),
                new StopCondition([], new DecodingOptions(), 1)
            );
        }
    }

    public void Dispose()
    {
        _task.Dispose();
        _model.Dispose();
    }
}
