using System.Text;
using LLama;
using LLama.Common;
using LLama.Native;

namespace CoPe.Benchmarks.Gguf;

/// <summary>A GGUF file in llama.cpp, with numbers of 32 bits in its cache and an adapter where one is named.</summary>
sealed class LlamaCpp : IDisposable
{
    readonly LLamaWeights _weights;
    readonly LLamaContext _context;

    static LlamaCpp() => NativeLibraryConfig.All.WithLogCallback((level, text) => Log(level, text));

    /// <param name="file">The model.</param>
    /// <param name="adapter">An adapter's file; null: none.</param>
    /// <param name="contextSize">Tokens of the cache.</param>
    /// <param name="threads">Threads of a pass.</param>
    /// <param name="halfCache">Keys and values in 16 bits, as llama.cpp has them unless told otherwise.</param>
    public LlamaCpp(string file, string? adapter, uint contextSize, int threads = 2, bool halfCache = false)
    {
        var type = halfCache ? GGMLType.GGML_TYPE_F16 : GGMLType.GGML_TYPE_F32;
        var options = new ModelParams(file)
        {
            ContextSize = contextSize,
            BatchSize = contextSize,
            UBatchSize = contextSize,
            Threads = threads,
            BatchThreads = threads,
            GpuLayerCount = 0,
            FlashAttention = false,
            TypeK = type,
            TypeV = type,
        };
        _weights = LLamaWeights.LoadFromFile(options);
        _context = _weights.CreateContext(options);
        if (adapter is not null)
        {
            var lora = _weights.NativeHandle.LoadLoraFromFile(adapter);
            _context.NativeHandle.SetLoraAdapters([(lora, 1f)]);
        }
    }

    /// <summary>Ids of a text, with what stands before every text.</summary>
    public int[] Tokenize(string text) =>
        [.. _weights.Tokenize(text, true, true, Encoding.UTF8).Select(token => (int)token)];

    /// <summary>Logits at every position of a text, from an empty cache.</summary>
    public float[][] ComputeLogits(IReadOnlyList<int> ids)
    {
        Clear();
        Decode(ids, 0, everyLogit: true);
        return [.. Enumerable.Range(0, ids.Count).Select(i => _context.NativeHandle.GetLogitsIth(i).ToArray())];
    }

    /// <summary>The next tokens, each the likeliest.</summary>
    public int[] DecodeGreedily(IReadOnlyList<int> prompt, int count)
    {
        Clear();
        var next = TakeLikeliest(Decode(prompt, 0));
        var tokens = new List<int> { next };
        while (tokens.Count < count)
        {
            next = TakeLikeliest(Decode([next], prompt.Count + tokens.Count - 1));
            tokens.Add(next);
        }

        return [.. tokens];
    }

    /// <summary>Forgets what was decoded.</summary>
    public void Clear() => _context.NativeHandle.MemoryClear();

    /// <summary>Adds tokens at a position; gives the logits' index of the last one.</summary>
    public int Decode(IReadOnlyList<int> ids, int position, bool everyLogit = false)
    {
        var batch = new LLamaBatch();
        for (var i = 0; i < ids.Count; i++)
        {
            batch.Add(ids[i], position + i, LLamaSeqId.Zero, everyLogit || i == ids.Count - 1);
        }

        var result = _context.Decode(batch);
        return result == DecodeResult.Ok
            ? ids.Count - 1
            : throw new InvalidOperationException($"llama.cpp: {result} at position {position}");
    }

    /// <summary>The likeliest token by the logits of an index.</summary>
    public int TakeLikeliest(int index) => IndexOfMax(_context.NativeHandle.GetLogitsIth(index));

    /// <summary>Where the largest number stands.</summary>
    public static int IndexOfMax(ReadOnlySpan<float> numbers)
    {
        var largest = 0;
        for (var i = 1; i < numbers.Length; i++)
        {
            largest = numbers[i] > numbers[largest] ? i : largest;
        }

        return largest;
    }

    /// <summary>Writes a file as another type, or as float32, by llama.cpp's own code.</summary>
    public static void Quantize(string from, string to, LLamaFtype type)
    {
        if (!LLamaQuantizer.Quantize(from, to, type, nthread: 2, allowRequantize: true, quantizeOutputTensor: true))
        {
            throw new InvalidOperationException($"llama.cpp could not write {to}");
        }
    }

    static void Log(LLamaLogLevel level, string text)
    {
        if (level is LLamaLogLevel.Error)
        {
            Console.Error.Write(text);
        }
    }

    public void Dispose()
    {
        _context.Dispose();
        _weights.Dispose();
    }
}
