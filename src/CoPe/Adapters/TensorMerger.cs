using CoPe.Kernels.Torch;
using CoPe.Modeling;
using CoPe.Modeling.Safetensors;
using static TorchSharp.torch;

namespace CoPe.Adapters;

/// <summary>What merging adapters changes, and how much of it the number type of the weights keeps.</summary>
/// <param name="Changed">Weights that the adapters change.</param>
/// <param name="Lost">Those of them that are, once rounded, what they were.</param>
public sealed record MergeReport(long Changed, long Lost)
{
    /// <summary>Share of the changes that rounding undoes; 0 where nothing changes.</summary>
    public double LostShare => Changed == 0 ? 0 : (double)Lost / Changed;
}

/// <summary>Tensors of a base model with adapters added, one at a time, and what rounding did to them.</summary>
/// <param name="adapters">Banks of one, lowest first.</param>
/// <param name="dtype">Number type that is written; null keeps each tensor's own.</param>
sealed class TensorMerger(IReadOnlyList<AdapterBank> adapters, ScalarType? dtype)
{
    long _changed;
    long _lost;

    /// <summary>Of the tensors that were opened.</summary>
    public MergeReport Report => new(_changed, _lost);

    /// <summary>A tensor of a file as it is written.</summary>
    public TensorSource CreateSource(SafetensorsFile file, TensorEntry entry)
    {
        const string suffix = AdapterMerge.WeightSuffix;
        var name = WeightLayout.ToCanonicalName(entry.Name) ?? "";
        var layer = name.EndsWith(suffix, StringComparison.Ordinal) ? name[..^suffix.Length] : "";
        var ofLayer = adapters.Where(bank => bank.IndexOfLayer(layer) >= 0).ToList();
        var target = entry.Dtype.IsFloating && dtype is { } chosen ? SafetensorsDtype.Of(chosen) : entry.Dtype;
        return new(entry.Name, target, entry.Shape, Open);

        Tensor Open()
        {
            if (target.ScalarType is not { } type)
            {
                return file.ReadBytes(entry.Name); // of a part that is not merged into
            }

            if (ofLayer.Count > 0)
            {
                return Merge(file, entry.Name, layer, ofLayer, type);
            }

            var tensor = file.Read(entry.Name);
            if (tensor.dtype == type)
            {
                return tensor;
            }

            using (tensor)
            {
                return tensor.to(type);
            }
        }
    }

    Tensor Merge(SafetensorsFile file, string name, string layer, List<AdapterBank> ofLayer, ScalarType target)
    {
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        using var mapped = file.Read(name);
        var before = mapped.to(ScalarType.Float32, copy: true);
        var merged = before.clone();
        foreach (var bank in ofLayer)
        {
            using var delta = AdapterMerge.ComputeDelta(bank, layer, 0);
            merged.add_(delta, Scalars.One);
        }

        if (!merged.isfinite().all().item<bool>())
        {
            throw new ModelFileException(file.Path, name, "is not finite with the adapters merged into it.");
        }

        var written = merged.to(target);
        Count(before, merged, written);
        return written.MoveToOuterDisposeScope();
    }

    /// <summary>
    /// Changes that are there in float32, and those that are not once rounded as the weight itself is.
    /// </summary>
    void Count(Tensor before, Tensor merged, Tensor written)
    {
        var changed = merged.not_equal(before);
        var kept = written.not_equal(before.to(written.dtype));
        _changed += changed.sum().item<long>();
        _lost += changed.logical_and(kept.logical_not()).sum().item<long>();
    }
}
