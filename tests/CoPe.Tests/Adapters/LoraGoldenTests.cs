using CoPe.Adapters;
using CoPe.Modeling;
using CoPe.Testing;
using CoPe.Tests.Modeling;
using static TorchSharp.torch;

namespace CoPe.Tests.Adapters;

/// <summary>Logits under adapters, merged and unmerged, against PEFT's.</summary>
[Collection("torch")]
public class LoraGoldenTests(ITestOutputHelper output)
{
    public static TheoryData<string> Files => [.. GoldenFolders.Entries("lora", "*.safetensors")];

    [Theory]
    [MemberData(nameof(Files))]
    public void Float32_logits_equal_the_originals(string file)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using var model = CausalLm.Load(ForwardGoldenTests.ModelOf(file), ScalarType.Float32);
        using var task = Read(file, "tam", model.Config);
        using var users = BothUsers(file, model.Config);
        var golden = new GoldenTensors(file);
        var ids = golden["ids"].to(ScalarType.Int64);
        Check("logits_base", null);
        Check("logits_tam_unmerged", AdapterRows.All(task));
        Check("logits_tam_user0_unmerged", AdapterRows.All(task).With(AdapterRows.All(users, 0)));
        Check("logits_tam_user1_unmerged", AdapterRows.All(task).With(AdapterRows.All(users, 1)));
        Check("logits_tam_user0_oppu", AdapterRows.All(task).With(AdapterRows.All(users, 0)));
        CheckLeft(file, model, golden, AdapterRows.All(task).With(AdapterRows.All(users, 0)));

        AdapterMerge.MergeInto(model, task);
        foreach (var name in golden.Names.Where(name => name.StartsWith("tam_merged", StringComparison.Ordinal)))
        {
            if (!name.StartsWith("tam_merged_bf16", StringComparison.Ordinal))
            {
                TinyModels.AssertClose(golden[name], model.Weights[GoldenTensors.ToWeightName(name)], 1e-6);
            }
        }

        Check("logits_tam_merged", null);
        Check("logits_tam_merged_oppu", null);
        Check("logits_tam_user1_unmerged", AdapterRows.All(users, 1));
        AdapterMerge.MergeInto(model, users, 0);
        Check("logits_tam_user0_merged", null);

        void Check(string name, AdapterRows? rows)
        {
            using (rows)
            {
                if (golden.Has(name))
                {
                    CheckCase($"{file}: {name}", TinyModels.Logits(model, ids, rows), golden[name], 1e-4);
                }
            }
        }
    }

    [Theory]
    [MemberData(nameof(Files))]
    public void Bf16_logits_stay_near_the_originals(string file)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var golden = new GoldenTensors(file);
        if (!golden.Has("logits_tam_merged_bf16"))
        {
            return;
        }

        using var model = CausalLm.Load(ForwardGoldenTests.ModelOf(file));
        Assert.Equal(ScalarType.BFloat16, model.Dtype);
        using var task = Read(file, "tam", model.Config);
        using var users = BothUsers(file, model.Config);
        Check("logits_tam_unmerged_bf16", AdapterRows.All(task));
        AdapterMerge.MergeInto(model, task);
        Check("logits_tam_merged_bf16", null);
        Check("logits_tam_user0_unmerged_bf16", AdapterRows.All(users, 0));
        TinyModels.AssertClose(
            golden["tam_merged_bf16.layers.0.q_proj.weight"].to(ScalarType.Float32),
            model.Weights["model.layers.0.self_attn.q_proj.weight"].to(ScalarType.Float32),
            0.01
        );

        void Check(string name, AdapterRows? rows)
        {
            using (rows)
            {
                CheckCase(
                    $"{file}: {name}",
                    TinyModels.Logits(model, golden["ids"], rows),
                    golden[name].to(ScalarType.Float32),
                    0.5
                );
            }
        }
    }

    [Theory]
    [MemberData(nameof(Files))]
    public void Weights_merged_into_a_model_in_use_serve_its_steps_of_few_rows(string file)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var golden = new GoldenTensors(file);
        var model = CausalLm.Load(ForwardGoldenTests.ModelOf(file), ScalarType.BFloat16);
        using var task = Read(file, "tam", model.Config);
        using var fresh = Merged();

        CausalLm Merged()
        {
            AdapterMerge.MergeInto(model, task);
            return new(model.Config, model.Weights); // owns them from now on
        }

        var ids = golden["ids"].narrow(0, 0, 1).narrow(1, 0, 2);
        Assert.True(TinyModels.Logits(model, ids).equal(TinyModels.Logits(fresh, ids)).all().item<bool>());
    }

    static void CheckLeft(string file, CausalLm model, GoldenTensors golden, AdapterRows rows)
    {
        using (rows)
        {
            if (!golden.Has("logits_tam_user0_unmerged_left"))
            {
                return;
            }

            var logits = ForwardGoldenTests.Logits(
                model,
                golden["left_ids"],
                mask: golden["left_mask"],
                adapters: rows
            );
            var difference = GoldenTensors.Difference(
                logits,
                golden["logits_tam_user0_unmerged_left"],
                golden["left_mask"]
            );
            Assert.True(difference <= 1e-4, $"{file}: left padding: logits differ by {difference:e2}.");
        }
    }

    void CheckCase(string name, Tensor logits, Tensor expected, double tolerance)
    {
        var difference = GoldenTensors.Difference(logits, expected);
        output.WriteLine($"{name}: {difference:e2}");
        Assert.True(difference <= tolerance, $"{name}: logits differ by {difference:e2}, allowed {tolerance:e0}.");
    }

    static AdapterBank BothUsers(string file, DecoderConfig config)
    {
        using AdapterBank first = Read(file, "user0", config),
            second = Read(file, "user1", config);
        return AdapterBank.Stack([first, second]);
    }

    /// <summary>A rounded model (llama_bf16) has no adapters of its own: it uses those of the family.</summary>
    static AdapterBank Read(string file, string adapter, DecoderConfig config)
    {
        var all = Path.Combine(Path.GetDirectoryName(Path.GetDirectoryName(file))!, "adapters");
        var name = Path.GetFileNameWithoutExtension(file);
        return AdapterFile.Read(
            Path.Combine(all, Directory.Exists(Path.Combine(all, name)) ? name : name.Split('_')[0], adapter),
            config
        );
    }
}
