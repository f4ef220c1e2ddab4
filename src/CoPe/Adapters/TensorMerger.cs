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
    /// <param name="file">The file.</param>
    /// <param name="entry">The tensor.</param>
    /// <param name="separatesHead">
    /// Whether the head, which was the embedding, becomes a tensor of its own: then the embedding is written as both.
    /// </param>
    public IEnumerable<TensorSource> CreateSources(IWeightFile file, TensorEntry entry, bool separatesHead)
    {
        const string Suffix = AdapterMerge.WeightSuffix;
        var name = WeightLayout.ToCanonicalName(entry.Name) ?? "";
        var layer = name.EndsWith(Suffix, StringComparison.Ordinal) ? name[..^Suffix.Length] : "";
        if (!separatesHead)
        {
            return [CreateSource(file, entry, entry.Name, layer)];
        }

        return layer switch
        {
            WeightLayout.HeadLayer => [], // a copy that the model did not read
            WeightLayout.EmbeddingLayer =>
            [
                CreateSource(file, entry, entry.Name, layer),
                CreateSource(file, entry, WeightLayout.GetHeadNameBeside(entry.Name), WeightLayout.HeadLayer),
            ],
            _ => [CreateSource(file, entry, entry.Name, layer)],
        };
    }

    TensorSource CreateSource(IWeightFile file, TensorEntry entry, string writtenName, string layer)
    {
        var ofLayer = adapters
            .Where(bank => bank.IndexOfLayer(layer) >= 0 || bank.Saved?.Find(layer) is not null)
            .ToList();
        var target = entry.Dtype.IsFloating && dtype is { } chosen ? SafetensorsDtype.Of(chosen) : entry.Dtype;
        return new(writtenName, target, entry.Shape, Open);

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

    Tensor Merge(IWeightFile file, string name, string layer, List<AdapterBank> ofLayer, ScalarType target)
    {
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        using var mapped = file.Read(name);
        var before = mapped.to(ScalarType.Float32, copy: true);
        var merged = before.clone();
        // Modules to save first: factors of every level count beside them, as in a pass.
        foreach (var bank in ofLayer.OrderBy(bank => bank.Saved?.Find(layer) is null))
        {
            AdapterMerge.AddTo(merged, bank, layer, index: 0);
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
