using CoPe.Adapters;
using CoPe.Gguf;
using CoPe.Modeling;
using CoPe.Tokens;
using LLama.Native;
using static TorchSharp.torch;

namespace CoPe.Benchmarks.Gguf;

/// <summary>
/// Files that <c>cope model export</c> writes in llama.cpp, and files of llama.cpp's own quantizer here: ids, logits,
/// greedy tokens, weights. Deletes its folder.
/// </summary>
sealed class GgufComparison : IDisposable
{
    /// <summary>Most that logits of float32 weights may differ.</summary>
    const double LogitTolerance = 2e-4;

    /// <summary>The same where llama.cpp looks an activation up in a table of 16-bit numbers.</summary>
    const double TableTolerance = 5e-3;

    /// <summary>
    /// Most that logits of rounded weights may differ, as a share of their deviation: llama.cpp rounds what goes into a
    /// product of such weights to 8 bits as well.
    /// </summary>
    const double RoundedTolerance = 0.35;

    const int GreedyTokens = 32;
    const uint Context = 256;

    static readonly string[] Texts =
    [
        "The committee said on Tuesday that rain is expected in the north, but not before Friday.",
        "Write a headline for this article: two rivers, 12,345 houses and one mayor who wouldn't leave.",
        "  Spaces,\ttabs\nand lines \u2014 caf\u00E9, na\u00EFve, \u6F22\u5B57, \U0001F44D.",
    ];

    static readonly (string Name, LLamaFtype Type)[] Types =
    [
        ("f16", LLamaFtype.MOSTLY_F16),
        ("q8_0", LLamaFtype.MOSTLY_Q8_0),
        ("q4_0", LLamaFtype.MOSTLY_Q4_0),
        ("q4_1", LLamaFtype.MOSTLY_Q4_1),
        ("q5_0", LLamaFtype.MOSTLY_Q5_0),
        ("q5_1", LLamaFtype.MOSTLY_Q5_1),
        ("q4_k_m", LLamaFtype.MOSTLY_Q4_K_M),
        ("q5_k_m", LLamaFtype.MOSTLY_Q5_K_M),
        ("q6_k", LLamaFtype.MOSTLY_Q6_K),
    ];

    readonly string _folder = Directory.CreateTempSubdirectory("cope-gguf").FullName;
    readonly string _model;
    readonly List<AdapterBank> _adapters;
    readonly string _base;
    readonly List<int[]> _ids;

    /// <param name="model">A model folder.</param>
    /// <param name="adapters">Folders of adapters that act everywhere, lowest first.</param>
    public GgufComparison(string model, IReadOnlyList<string> adapters)
    {
        _model = model;
        var config = DecoderConfig.Read(model);
        _adapters = [.. adapters.Select(folder => AdapterFile.Read(folder, config))];
        var tokenizer = Tokenizer.Load(model);
        _ids = [.. Texts.Select(text => tokenizer.Encode(text))];
        _base = At("base");
        GgufExport.WriteModel(model, [], _base, GgufType.F32, "base");
    }

    /// <summary>Whether everything was within its tolerance; of what was computed so far.</summary>
    public bool IsAlike { get; private set; } = true;

    string At(string name) => Path.Combine(_folder, $"{name}.gguf");

    /// <summary>All figures.</summary>
    public IEnumerable<(string Name, double Value)> All()
    {
        foreach (var figure in CompareBase())
        {
            yield return figure;
        }

        if (_adapters.Count > 0)
        {
            foreach (var figure in CompareAdapters())
            {
                yield return figure;
            }
        }

        foreach (var (name, type) in Types)
        {
            LlamaCpp.Quantize(_base, At(name), type);
            foreach (var figure in CompareType(name))
            {
                yield return figure;
            }
        }

        foreach (var type in GgufExport.Types.Where(type => type != GgufType.F32))
        {
            var name = $"own_{type.Name.ToLowerInvariant()}";
            GgufExport.WriteModel(_model, [], At(name), type, name);
            foreach (var figure in CompareType(name))
            {
                yield return figure;
            }
        }
    }

    /// <summary>The model in float32 alone.</summary>
    public IReadOnlyList<(string Name, double Value)> CompareBase()
    {
        using var ours = CausalLm.Load(_model, ScalarType.Float32);
        return [("texts_with_other_ids", Expect(CountOtherIds(), 0)), .. Compare("base", ours, _base, null)];
    }

    int CountOtherIds()
    {
        using var theirs = new LlamaCpp(_base, null, Context);
        var ours = Tokenizer.Load(_base);
        return Texts
            .Where(
                (text, i) => !theirs.Tokenize(text).SequenceEqual(_ids[i]) || !ours.Encode(text).SequenceEqual(_ids[i])
            )
            .Count();
    }

    /// <summary>The merged file, and the adapters' file beside the base's, against our merged weights.</summary>
    IEnumerable<(string Name, double Value)> CompareAdapters()
    {
        using var ours = CausalLm.Load(_model, ScalarType.Float32);
        _adapters.ForEach(bank => AdapterMerge.MergeInto(ours, bank));
        var (merged, alone) = (At("merged"), At("adapter"));
        GgufExport.WriteModel(_model, _adapters, merged, GgufType.F32, "merged");
        GgufExport.WriteAdapter(_model, _adapters, alone, "adapter");
        return
        [
            ("adapters_change_logits", MeasureChange(ours)),
            .. Compare("merged", ours, merged, null),
            .. Compare("adapter", ours, _base, alone),
        ];
    }

    /// <summary>How far the adapters move the logits: what would be seen if llama.cpp did not apply them.</summary>
    double MeasureChange(CausalLm merged)
    {
        using var plain = CausalLm.Load(_model, ScalarType.Float32);
        return _ids.Max(ids => Differ(ComputeLogits(plain, ids), ComputeLogits(merged, ids)));
    }

    List<(string Name, double Value)> Compare(string name, CausalLm ours, string file, string? adapter)
    {
        using var theirs = new LlamaCpp(file, adapter, Context);
        var logits = _ids.Max(ids => Differ(ComputeLogits(ours, ids), theirs.ComputeLogits(ids)));
        var others = _ids.Sum(ids => CountOtherTokens(ours, theirs, ids));
        var tolerance = ours.Config.Activation == Activation.Silu ? LogitTolerance : TableTolerance;
        return
        [
            ($"{name}_logits_largest_difference", Expect(logits, tolerance)),
            ($"{name}_other_greedy_tokens", Expect(others, 0)),
        ];
    }

    static int CountOtherTokens(CausalLm ours, LlamaCpp theirs, int[] prompt) =>
        theirs
            .DecodeGreedily(prompt, GreedyTokens)
            .Zip(DecodeGreedily(ours, prompt), (a, b) => a == b)
            .Count(isSame => !isSame);

    static List<int> DecodeGreedily(CausalLm model, int[] prompt)
    {
        List<int> ids = [.. prompt];
        while (ids.Count < prompt.Length + GreedyTokens)
        {
            ids.Add(LlamaCpp.IndexOfMax(ComputeLogits(model, [.. ids])[^1]));
        }

        return ids[prompt.Length..];
    }

    /// <summary>
    /// A file of fewer bits: its weights as read here against llama.cpp's own in float32, and its logits.
    /// </summary>
    List<(string Name, double Value)> CompareType(string name)
    {
        var (rounded, widened) = (At(name), At($"{name}-f32"));
        LlamaCpp.Quantize(rounded, widened, LLamaFtype.ALL_F32);
        using var ours = CausalLm.Load(rounded, ScalarType.Float32);
        using var expected = CausalLm.Load(widened, ScalarType.Float32);
        using var theirs = new LlamaCpp(rounded, null, Context);
        var weights = ours.Weights.Names.Max(weight => Differ(ours.Weights[weight], expected.Weights[weight]));
        var logits = _ids.Max(ids =>
        {
            var own = ComputeLogits(ours, ids);
            return Differ(own, theirs.ComputeLogits(ids)) / ComputeDeviation(own);
        });
        using var loaded = CausalLm.Load(rounded);
        var asLoaded = _ids.Max(ids =>
        {
            var exact = ComputeLogits(ours, ids);
            return Differ(exact, ComputeLogits(loaded, ids)) / ComputeDeviation(exact);
        });
        File.Delete(widened);
        return
        [
            ($"{name}_weights_largest_difference", Expect(weights, 0)),
            ($"{name}_logits_largest_over_deviation", Expect(logits, RoundedTolerance)),
            ($"{name}_ours_as_loaded_over_deviation", asLoaded),
        ];
    }

    double Expect(double value, double most)
    {
        IsAlike &= value <= most;
        return value;
    }

    static double Differ(Tensor a, Tensor b)
    {
        using var scope = NewDisposeScope();
        return a.sub(b).abs().max().item<float>();
    }

    static double Differ(float[][] a, float[][] b) =>
        a.Zip(b, (x, y) => x.Zip(y, (u, v) => (double)Math.Abs(u - v)).Max()).Max();

    static double ComputeDeviation(float[][] logits)
    {
        var all = logits.SelectMany(row => row).ToArray();
        var mean = all.Average();
        return Math.Sqrt(all.Average(x => (x - mean) * (x - mean)));
    }

    static float[][] ComputeLogits(CausalLm model, int[] ids)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using var batch = new TokenBatch(tensor(ids.Select(id => (long)id).ToArray()).view(1, -1));
        using var logits = model.ComputeLogits(model.Forward(batch));
        var flat = logits.data<float>().ToArray();
        return [.. flat.Chunk(model.Config.VocabSize)];
    }

    public void Dispose()
    {
        _adapters.ForEach(bank => bank.Dispose());
        Directory.Delete(_folder, recursive: true);
    }
}
