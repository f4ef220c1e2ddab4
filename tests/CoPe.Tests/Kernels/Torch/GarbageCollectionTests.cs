using CoPe.Adapters;
using CoPe.Decoding;
using CoPe.Kernels.Threads;
using CoPe.Modeling;
using CoPe.Testing;
using CoPe.Tests.Training;
using CoPe.Training;
using static TorchSharp.torch;

namespace CoPe.Tests.Kernels.Torch;

/// <summary>
/// Native objects must outlive the calls that read them, whatever other threads make the garbage collector do
/// meanwhile.
/// </summary>
[Collection("torch")]
public class GarbageCollectionTests
{
    /// <summary>
    /// Runs work while another thread collects garbage without pause, for ten seconds at most: on a large heap, which
    /// tests before these may leave, collecting leaves the work next to no time.
    /// </summary>
    static T WhileCollecting<T>(Func<T> work)
    {
        using var done = new CancellationTokenSource(TimeSpan.FromSeconds(10));
        var collector = new Thread(() =>
        {
            while (!done.IsCancellationRequested)
            {
                GC.Collect(0);
                GC.WaitForPendingFinalizers();
            }
        });
        collector.Start();
        try
        {
            return work();
        }
        finally
        {
            done.Cancel();
            collector.Join();
        }
    }

    [Fact]
    public void Operations_on_several_threads_give_the_same_bits_while_garbage_is_collected()
    {
        using var x = ones(4, 64);
        using var weight = ones(64);
        using var expected = RmsNorm.Apply(x, weight, 1e-5, addOne: true);
        var differing = WhileCollecting(() =>
            TorchThreads.Run(
                4,
                400,
                (_, _) =>
                    Enumerable
                        .Range(0, 50)
                        .Count(_ =>
                        {
                            using var y = RmsNorm.Apply(x, weight, 1e-5, addOne: true);
                            return !y.Equals(expected);
                        })
            )
        );
        Assert.Equal(0, differing.Sum());
    }

    [Fact]
    public void Training_gives_the_same_bits_while_garbage_is_collected()
    {
        float[] Train()
        {
            using var model = TinyTraining.Model();
            using var adapters = TinyTraining.Adapters(0.1, 1, 2);
            SftTrainer.Train(
                new TrainingContext
                {
                    Model = model,
                    Options = TinyTraining.Options with { TokensPerPass = 16, Epochs = 4 },
                },
                adapters,
                [new("ann", TinyTraining.History(1, 12)), new("bob", TinyTraining.History(2, 12))]
            );
            return [.. TinyTraining.Values(adapters, 0), .. TinyTraining.Values(adapters, 1)];
        }

        Assert.Equal(Train(), WhileCollecting(Train));
    }

    [Fact]
    public void Decoding_gives_the_same_tokens_while_garbage_is_collected()
    {
        using var policies = GoldenModel.Llama();
        DecodingRequest[] requests =
        [
            .. Enumerable
                .Range(0, 12)
                .Select(i => new DecodingRequest
                {
                    Id = $"{i}",
                    Prompt = [5, 6, 7 + i],
                    Seed = i,
                    Expert = AdapterSelection.TaskAndUser(0),
                    Amateur = AdapterSelection.Task,
                    Options = new DecodingOptions
                    {
                        MaxNewTokens = 24,
                        DoSample = true,
                        Temperature = 0.8,
                        TopP = 0.9,
                        RepetitionPenalty = 1.1,
                        Contrast = 0.2,
                    },
                }),
        ];
        string Decode() =>
            string.Join(
                '\n',
                policies
                    .Engine(options: new EngineOptions { Batches = 2 })
                    .InOrder(requests)
                    .Select(result => string.Join(' ', result.Ids))
            );
        Assert.Equal(Decode(), WhileCollecting(Decode));
    }
}
