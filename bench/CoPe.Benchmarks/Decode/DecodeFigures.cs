using System.Diagnostics;
using CoPe.Adapters;
using CoPe.Decoding;
using CoPe.Modeling;
using static TorchSharp.torch;

namespace CoPe.Benchmarks.Decode;

/// <summary>
/// Contrastive decoding at a known shape against reading its weights, plain decoding and the reference's two forward
/// passes; each <c>name value</c>.
/// </summary>
sealed class DecodeFigures : IDisposable
{
    /// <summary>Steps until all of their code is compiled for speed, which happens beside them.</summary>
    const int StepsToCompile = 64;

    readonly RandomModel _folder;
    readonly CausalLm _model;
    readonly AdapterBank _task;
    readonly AdapterBank _users;
    readonly int _rounds;
    readonly double _loadMilliseconds;
    readonly double _emptyMegabytes;
    readonly double _nativeMegabytes;

    public DecodeFigures(string shape, int? layers, int rounds)
    {
        _rounds = rounds;
        _folder = new RandomModel(RandomModel.CreateConfig(shape, layers));
        _emptyMegabytes = Measurement.GetResidentMegabytes();
        var watch = Stopwatch.StartNew();
        using (var started = zeros(1))
        {
            started.sum().Dispose();
        }

        _nativeMegabytes = Measurement.GetResidentMegabytes();
        _model = _folder.Load();
        _loadMilliseconds = watch.Elapsed.TotalMilliseconds;
        _task = RandomAdapters.CreateTask(_model);
        _users = AdapterBank.Create(
            _model.Config,
            new LoraConfig(),
            [.. Enumerable.Range(1, 16).Select(seed => (long)seed)]
        );
    }

    /// <summary>All figures.</summary>
    public IEnumerable<(string Name, double Value)> All()
    {
        yield return ("weights_mb", _folder.Bytes / 1048576.0);
        yield return ("load_ms", _loadMilliseconds);
        foreach (var figure in Memory())
        {
            yield return figure;
        }

        foreach (var figure in Steps())
        {
            yield return figure;
        }

        foreach (var figure in FirstToken())
        {
            yield return figure;
        }

        foreach (var figure in LowBit())
        {
            yield return figure;
        }
    }

    /// <summary>
    /// With 16 users' adapters loaded, after a few tokens of one of them: before anything is done in the reference's
    /// way.
    /// </summary>
    IEnumerable<(string, double)> Memory()
    {
        using (var one = Users(1, contrasts: true, 4))
        {
            for (var step = 0; step < 4; step++)
            {
                one.Step();
            }
        }

        var weights = _folder.Bytes / 1048576.0;
        yield return ("rss_over_weights", Measurement.GetResidentMegabytes() / weights);
        yield return ("rss_of_the_empty_process_over_weights", _emptyMegabytes / weights);
        yield return ("rss_with_the_native_library_over_weights", _nativeMegabytes / weights);
    }

    IEnumerable<(string, double)> Steps()
    {
        var steps = _rounds + 1;
        using var one = Users(1, contrasts: true, steps);
        using var plain = Users(1, contrasts: false, steps);
        using var four = Users(4, contrasts: true, steps);
        using var sixteen = Users(16, contrasts: true, steps);
        using var bare = new TorchDecoder(_model, DecodingUsers.Prompt);
        var floor = new MemoryReadFloor(_model);
        var threads = get_num_threads();
        var times = Measurement.TimeInterleaved(
            _rounds,
            one.Step,
            plain.Step,
            () => floor.Read(threads),
            () => Twice(bare.Step),
            four.Step,
            sixteen.Step
        );
        yield return ("contrast_ms", times[0]);
        yield return ("plain_ms", times[1]);
        yield return ("read_floor_ms", times[2]);
        yield return ("two_forwards_torch_ms", times[3]);
        yield return ("contrast_over_floor", times[0] / times[2]);
        yield return ("contrast_over_plain", times[0] / times[1]);
        yield return ("two_forwards_over_contrast", times[3] / times[0]);
        yield return ("users4_over_1", 4 * times[0] / times[4]);
        yield return ("users16_over_1", 16 * times[0] / times[5]);
    }

    /// <summary>The same steps and prompts with rounded weights: of both types, in turn with bf16.</summary>
    public IEnumerable<(string Name, double Value)> LowBit() =>
        new[] { QuantizedDtype.Int8, QuantizedDtype.Q4 }.SelectMany(LowBit);

    /// <summary>Steps and prompts with rounded weights, against those of bf16 and reading these weights.</summary>
    IEnumerable<(string Name, double Value)> LowBit(QuantizedDtype dtype)
    {
        var name = dtype == QuantizedDtype.Q4 ? "q4" : "int8";
        var (watch, before) = (Stopwatch.StartNew(), Measurement.GetResidentMegabytes());
        using var rounded = _folder.Load(dtype);
        yield return ($"{name}_load_ms", watch.Elapsed.TotalMilliseconds);
        yield return (
            $"{name}_resident_over_bf16_weights",
            (Measurement.GetResidentMegabytes() - before) / (_folder.Bytes / 1048576.0)
        );
        var floor = new MemoryReadFloor(rounded);
        var threads = get_num_threads();
        using DecodingUsers one = Users(1, contrasts: true, _rounds + 1),
            oneRounded = Users(1, contrasts: true, _rounds + 1, rounded);
        using DecodingUsers four = Users(4, contrasts: true, _rounds + 1),
            fourRounded = Users(4, contrasts: true, _rounds + 1, rounded);
        var steps = Measurement.TimeInterleaved(
            _rounds,
            one.Step,
            oneRounded.Step,
            four.Step,
            fourRounded.Step,
            () => floor.Read(threads)
        );
        yield return ($"{name}_contrast_ms", steps[1]);
        yield return ($"{name}_contrast_over_bf16", steps[1] / steps[0]);
        yield return ($"{name}_over_floor", steps[1] / steps[4]);
        yield return ($"{name}_users4_over_bf16", steps[3] / steps[2]);
        var prompts = Measurement.TimeInterleaved(
            Math.Max(3, _rounds / 4),
            () => FirstContrast(_model),
            () => FirstContrast(rounded)
        );
        yield return ($"{name}_first_token_over_bf16", prompts[1] / prompts[0]);
    }

    /// <summary>
    /// Where a step of so many users' experts and amateurs goes, and before it their prompts, in milliseconds by
    /// section.
    /// </summary>
    public IEnumerable<(string Name, double Value)> Trace(int count, QuantizedDtype? dtype)
    {
        using var rounded = dtype is { } of ? _folder.Load(of) : null;
        var model = rounded ?? _model;
        var trace = new DecodingTrace();
        using (var compiling = Users(count, contrasts: true, StepsToCompile + 1, model))
        {
            for (var step = 0; step < StepsToCompile; step++)
            {
                compiling.Step();
            }
        }

        using (var user = new DecodingUsers(model, _task, _users, count, contrasts: true, _rounds + 1, trace).Join())
        {
            for (var step = 0; step < _rounds; step++)
            {
                user.Step();
            }
        }

        var floor = new MemoryReadFloor(model);
        yield return ("read_floor_ms", Measurement.TimeInterleaved(8, () => floor.Read(get_num_threads()))[0]);
        foreach (var (section, time) in trace.Sections) // prompts are computed once
        {
            yield return (
                $"{section.Replace(",", "").Replace(":", "").Replace(' ', '_')}_ms",
                time.TotalMilliseconds / (section.StartsWith("prompts", StringComparison.Ordinal) ? 1 : _rounds)
            );
        }
    }

    IEnumerable<(string, double)> FirstToken()
    {
        using var bare = new TorchDecoder(_model, DecodingUsers.Prompt);
        var times = Measurement.TimeInterleaved(
            Math.Max(3, _rounds / 4),
            () => FirstContrast(_model),
            () => Twice(bare.Prefill)
        );
        yield return ("first_token_ms", times[0]);
        yield return ("first_token_over_two_prefills", times[0] / times[1]);
    }

    void FirstContrast(CausalLm of)
    {
        using var user = Users(1, contrasts: true, 2, of);
        user.Step();
    }

    DecodingUsers Users(int count, bool contrasts, int steps, CausalLm? of = null) =>
        new DecodingUsers(of ?? _model, _task, _users, count, contrasts, steps).Join();

    static void Twice(Action action)
    {
        action();
        action();
    }

    public void Dispose()
    {
        _users.Dispose();
        _task.Dispose();
        _model.Dispose();
        _folder.Dispose();
    }
}
