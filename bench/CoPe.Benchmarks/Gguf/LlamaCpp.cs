using System.Text;
using LLama;
using LLama.Common;
using LLama.Native;

namespace CoPe.Benchmarks.Gguf;

/// <summary>A GGUF file in llama.cpp, through LLamaSharp.</summary>
sealed class LlamaCpp : IDisposable
{
    /// <summary>Threads of a pass.</summary>
    const int Threads = 2;

    readonly LLamaWeights _weights;
    readonly LLamaContext _context;
    readonly LoraAdapter[] _adapters;

    static LlamaCpp() => NativeLibraryConfig.All.WithLogCallback((level, text) => Log(level, text));

    /// <summary>Exact: a cache of float32, no fused attention.</summary>
    public LlamaCpp(string file, string? adapter, uint contextSize)
        : this(CreateExact(file, contextSize), adapter is null ? [] : [adapter])
    {
        if (adapter is not null)
        {
            UseAdapter(0);
        }
    }

    /// <summary>As llama.cpp is unless told otherwise, on two threads, with so many texts side by side.</summary>
    public static LlamaCpp CreateFast(string file, uint contextSize, IReadOnlyList<string> adapters)
    {
        var texts = (uint)Math.Max(1, adapters.Count);
        var options = new ModelParams(file)
        {
            ContextSize = contextSize * texts,
            SeqMax = texts,
            Threads = Threads,
            BatchThreads = Threads,
            GpuLayerCount = 0,
        };
        return new(options, adapters);
    }

    LlamaCpp(ModelParams options, IReadOnlyList<string> adapters)
    {
        _weights = LLamaWeights.LoadFromFile(options);
        _context = _weights.CreateContext(options);
        _adapters = [.. adapters.Select(_weights.NativeHandle.LoadLoraFromFile)];
    }

    static ModelParams CreateExact(string file, uint contextSize) =>
        new(file)
        {
            ContextSize = contextSize,
            BatchSize = contextSize,
            UBatchSize = contextSize,
            Threads = Threads,
            BatchThreads = Threads,
            GpuLayerCount = 0,
            FlashAttention = false,
            TypeK = GGMLType.GGML_TYPE_F32,
            TypeV = GGMLType.GGML_TYPE_F32,
        };

    /// <summary>Puts one of the adapters in the place of the one before.</summary>
    public void UseAdapter(int index) => _context.NativeHandle.SetLoraAdapters([(_adapters[index], 1f)]);

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
    public int Decode(IReadOnlyList<int> ids, int position, bool everyLogit = false, int text = 0)
    {
        var batch = new LLamaBatch();
        for (var i = 0; i < ids.Count; i++)
        {
            batch.Add(ids[i], position + i, (LLamaSeqId)text, everyLogit || i == ids.Count - 1);
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
