using System.Text.Json;
using CoPe.Adapters;
using CoPe.Decoding;
using CoPe.Modeling;
using CoPe.Testing;
using static TorchSharp.torch;

namespace CoPe.Tests.Adapters;

/// <summary>Adapters that act from their invocation tokens on, against PEFT's.</summary>
[Collection("torch")]
public class ActivatedLoraGoldenTests(ITestOutputHelper output)
{
    public static TheoryData<string> Files => [.. GoldenFolders.Entries("alora", "*.json")];

    [Theory]
    [MemberData(nameof(Files))]
    public void Logits_equal_those_of_PEFT(string file)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using var golden = new ActivatedGolden(file);
        var tensors = new GoldenTensors(Path.ChangeExtension(file, ".safetensors"));
        var columns = tensors["logit_columns"].to(ScalarType.Int64);
        foreach (var goldenCase in golden.Cases)
        {
            var padsLeft = goldenCase.GetProperty("padding_side").GetString() == "left";
            var (ids, mask) = golden.Pad(padsLeft);
            var starts = goldenCase.GetProperty("first_active_column").EnumerateArray().Select(ReadStart).ToList();
            using var adapters = golden.OpenAdapters(goldenCase);
            using var batch = new TokenBatch(ids, visible: CreateVisible(mask))
            {
                InvocationSearch =
                    goldenCase.GetProperty("activation").GetString() == "invocation"
                        ? null
                        : _ => MarkFrom(starts, (int)ids.shape[1]),
            };
            var hidden = golden.Model.Forward(batch, adapters.SelectRows(golden.Rows.Count));
            var name = goldenCase.GetProperty("tensor").GetString()!;
            var logits = golden.Model.ComputeLogits(hidden).index_select(2, columns);
            var difference = GoldenTensors.Difference(logits, tensors[name], mask);
            output.WriteLine($"{name}: {difference:e2}");
            Assert.True(difference <= 1e-4, $"{file} {name}: logits differ by {difference:e2}.");
        }
    }

    [Theory]
    [MemberData(nameof(Files))]
    public void Greedy_answers_equal_those_of_PEFT(string file)
    {
        using var golden = new ActivatedGolden(file);
        foreach (var run in golden.Greedy)
        {
            using var adapters = golden.OpenAdapters(run);
            var expected = run.GetProperty("new_tokens").EnumerateArray().Select(GoldenModel.Ids).ToList();
            var requests = golden.Rows.Select(
                (prompt, index) =>
                    new DecodingRequest
                    {
                        Id = $"{index}",
                        Prompt = prompt,
                        Expert = AdapterSelection.Create(adapters.Task is not null, 0),
                        Options = new DecodingOptions { MaxNewTokens = expected[index].Length },
                    }
            );
            var engine = new DecodingEngine(golden.Model, adapters.Task, adapters.User, []);
            Assert.Equal(expected, engine.InOrder([.. requests]).Select(result => result.Ids.ToArray()));
        }
    }

    static int ReadStart(JsonElement start) =>
        start.ValueKind == JsonValueKind.Null ? InvocationTokens.Never : start.GetInt32();

    static bool[] MarkFrom(List<int> starts, int seq) =>
        [.. starts.SelectMany(start => Enumerable.Range(0, seq).Select(column => column >= start))];

    static Tensor CreateVisible(Tensor mask)
    {
        var seq = mask.shape[1];
        return ones([1, seq, seq], dtype: ScalarType.Bool).tril().logical_and(mask.to(ScalarType.Bool).unsqueeze(1));
    }
}

/// <summary>A golden file of activated adapters, with its model. Owns the model.</summary>
sealed class ActivatedGolden : IDisposable
{
    readonly string _root;
    readonly JsonElement _golden;

    public ActivatedGolden(string file)
    {
        _root = Path.GetFullPath(Path.Combine(file, "..", ".."));
        _golden = JsonDocument.Parse(File.ReadAllBytes(file)).RootElement;
        Rows = [.. _golden.GetProperty("rows").EnumerateArray().Select(GoldenModel.Ids)];
        Model = CausalLm.Load(Find(Path.Combine("models", _golden.GetProperty("model").GetString()!)));
    }

    public CausalLm Model { get; }

    public IReadOnlyList<int[]> Rows { get; }

    public IEnumerable<JsonElement> Cases => _golden.GetProperty("cases").EnumerateArray();

    public IEnumerable<JsonElement> Greedy => _golden.GetProperty("greedy").EnumerateArray();

    public ActivatedAdapters OpenAdapters(JsonElement goldenCase) =>
        new(
            goldenCase.GetProperty("tam").GetString() is { } task ? AdapterFile.Read(Find(task), Model.Config) : null,
            AdapterFile.Read(Find(goldenCase.GetProperty("adapter").GetString()!), Model.Config)
        );

    /// <summary>The rows and their mask <c>[rows, seq]</c>.</summary>
    public (Tensor Ids, Tensor Mask) Pad(bool left)
    {
        var pad = _golden.GetProperty("pad_token_id").GetInt32();
        var seq = Rows.Max(row => row.Length);
        IEnumerable<long> PadRow(IEnumerable<int> values, int length, int padding)
        {
            var pads = Enumerable.Repeat(padding, seq - length);
            return (left ? pads.Concat(values) : values.Concat(pads)).Select(value => (long)value);
        }

        long[] ids = [.. Rows.SelectMany(row => PadRow(row, row.Length, pad))];
        long[] mask = [.. Rows.SelectMany(row => PadRow(row.Select(_ => 1), row.Length, 0))];
        return (tensor(ids, [Rows.Count, seq]), tensor(mask, [Rows.Count, seq]));
    }

    /// <summary>A path of the layout, in the golden's root or in another that has it.</summary>
    string Find(string path) =>
        GoldenFolders.Roots().Prepend(_root).Select(root => Path.Combine(root, path)).First(Directory.Exists);

    public void Dispose() => Model.Dispose();
}

/// <summary>The adapters of a golden case. Owns them.</summary>
sealed record ActivatedAdapters(AdapterBank? Task, AdapterBank User) : IDisposable
{
    public AdapterRows SelectRows(int rows)
    {
        var selection = AdapterSelection.Create(Task is not null, 0);
        return new AdapterBanks(Task, User).SelectRows([.. Enumerable.Repeat(selection, rows)])!;
    }

    public void Dispose()
    {
        Task?.Dispose();
        User.Dispose();
    }
}
