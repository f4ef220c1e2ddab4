using CoPe.Adapters;
using CoPe.Benchmarks.Decode;
using CoPe.Modeling;
using CoPe.Tokens.Training;
using LLama.Native;

namespace CoPe.Benchmarks.Gguf;

/// <summary>
/// llama.cpp on the same machine, two threads each: its plain token and prompt against our contrastive ones of expert
/// and amateur, by number type, with random weights of a known shape; and eight users with an adapter each, which
/// llama.cpp decodes one after the other.
/// </summary>
sealed class PeerFigures : IDisposable
{
    const int UserCount = 8;
    const int Token = 100;

    static readonly (string Name, QuantizedDtype? Ours, string[] Theirs)[] Types =
    [
        ("bf16", null, ["bf16"]),
        ("int8", QuantizedDtype.Int8, ["q8_0"]),
        ("q4", QuantizedDtype.Q4, ["q4_0", "q4_k_m"]),
    ];

    readonly RandomModel _folder;
    readonly AdapterBank _task;
    readonly AdapterBank _users;
    readonly int _rounds;

    public PeerFigures(string shape, int? layers, int rounds)
    {
        _rounds = rounds;
        _folder = new RandomModel(RandomModel.CreateConfig(shape, layers));
        BpeTrainer.Train(["the red sky and the blue sky"], new() { VocabularySize = 270 }).Save(_folder.Folder);
        using var model = _folder.Load();
        _task = RandomAdapters.CreateTask(model);
        _users = AdapterBank.Create(
            model.Config,
            new LoraConfig(),
            [.. Enumerable.Range(1, UserCount).Select(seed => (long)seed)]
        );
    }

    /// <summary>All figures.</summary>
    public IEnumerable<(string Name, double Value)> All()
    {
        foreach (var (name, ours, theirs) in Types)
        {
            using var model = ours is { } dtype ? _folder.Load(dtype) : _folder.Load();
            foreach (var figure in theirs.SelectMany(file => Compare(name, model, file)))
            {
                yield return figure;
            }

            foreach (var figure in CompareUsers(name, model, WriteFile(theirs[0])))
            {
                yield return figure;
            }
        }
    }

    /// <summary>A file of the model's weights, written where it is missing.</summary>
    string WriteFile(string type)
    {
        var file = Path.Combine(_folder.Folder, $"{type}.gguf");
        if (File.Exists(file))
        {
            return file;
        }

        if (type == "q4_k_m")
        {
            LlamaCpp.Quantize(WriteFile("bf16"), file, LLamaFtype.MOSTLY_Q4_K_M);
            return file;
        }

        var own = GgufExport.Types.Single(known => known.Name.Equals(type, StringComparison.OrdinalIgnoreCase));
        GgufExport.WriteModel(_folder.Folder, [], file, own, type);
        return file;
    }

    List<(string Name, double Value)> Compare(string name, CausalLm model, string type)
    {
        int[] prompt = [.. Enumerable.Range(0, DecodingUsers.Prompt)];
        using var theirs = LlamaCpp.CreateFast(WriteFile(type), (uint)(DecodingUsers.Prompt + _rounds + 64), []);
        theirs.Decode(prompt, 0);
        var position = prompt.Length;
        using var one = new DecodingUsers(model, _task, _users, 1, contrasts: true, _rounds + 1).Join();
        var steps = Measurement.TimeInterleaved(_rounds, one.Step, () => theirs.Decode([Token], position++));
        var prompts = Measurement.TimeInterleaved(
            Math.Max(3, _rounds / 4),
            () => new DecodingUsers(model, _task, _users, 1, contrasts: true, 2).Join().Dispose(),
            () =>
            {
                theirs.Clear();
                theirs.Decode(prompt, 0);
            }
        );
        return
        [
            ($"{name}_contrast_ms", steps[0]),
            ($"{type}_llamacpp_plain_ms", steps[1]),
            ($"{name}_contrast_over_llamacpp_plain_{type}", steps[0] / steps[1]),
            ($"{name}_contrast_prompt_ms", prompts[0]),
            ($"{type}_llamacpp_prompt_ms", prompts[1]),
            ($"{name}_contrast_prompt_over_llamacpp_prompt_{type}", prompts[0] / prompts[1]),
        ];
    }

    /// <summary>A contrastive token for each of eight users against eight plain ones with an adapter each.</summary>
    List<(string Name, double Value)> CompareUsers(string name, CausalLm model, string file)
    {
        using var theirs = LlamaCpp.CreateFast(
            file,
            (uint)(DecodingUsers.Prompt + _rounds + 64),
            [.. Enumerable.Range(0, UserCount).Select(WriteAdapter)]
        );
        int[] prompt = [.. Enumerable.Range(0, DecodingUsers.Prompt)];
        for (var user = 0; user < UserCount; user++)
        {
            theirs.UseAdapter(user);
            theirs.Decode(prompt, 0, text: user);
        }

        var position = prompt.Length;
        using var all = new DecodingUsers(model, _task, _users, UserCount, contrasts: true, _rounds + 1).Join();
        var steps = Measurement.TimeInterleaved(_rounds, all.Step, DecodeAll);
        return
        [
            ($"{name}_users8_contrast_ms", steps[0]),
            ($"{name}_users8_llamacpp_plain_ms", steps[1]),
            ($"{name}_users8_contrast_over_llamacpp_plain", steps[0] / steps[1]),
        ];

        void DecodeAll()
        {
            for (var user = 0; user < UserCount; user++)
            {
                theirs.UseAdapter(user);
                theirs.Decode([Token], position, text: user);
            }

            position++;
        }
    }

    string WriteAdapter(int user)
    {
        var file = Path.Combine(_folder.Folder, $"user-{user}.gguf");
        if (!File.Exists(file))
        {
            using var own = _users.Extract(user);
            GgufExport.WriteAdapter(_folder.Folder, [_task, own], file, $"user-{user}");
        }

        return file;
    }

    public void Dispose()
    {
        _task.Dispose();
        _users.Dispose();
        _folder.Dispose();
    }
}
