using CoPe.Kernels.Torch;
using CoPe.Modeling;
using TorchSharp;
using static TorchSharp.torch;

namespace CoPe.Training;

/// <summary>
/// <see cref="SftLoss.ComputePerToken"/> of hidden states through the model's head. On the processor the vocabulary is
/// walked in chunks that stay in the cache: of <c>[labels, vocab]</c> the logits alone are ever in memory, in the dtype
/// of the pass, not their float32 copy, softmax and gradients.
/// </summary>
sealed class HeadLoss : autograd.SingleTensorFunction<HeadLoss>
{
    /// <summary>Numbers of the head's weights in a chunk: 4 MB where they are widened.</summary>
    const int MaxChunkElements = 1 << 20;

    public override string Name => nameof(HeadLoss);

    /// <summary>The loss of each label.</summary>
    /// <param name="model">The model, whose head is applied.</param>
    /// <param name="hidden">Hidden states <c>[labels, hidden]</c> in the dtype of the pass.</param>
    /// <param name="labels">Token ids <c>[labels]</c> int64.</param>
    /// <returns><c>[labels]</c> float32, the caller's.</returns>
    public static Tensor Compute(CausalLm model, Tensor hidden, Tensor labels)
    {
        if (model.HeadWeight is { } weight && Supports(hidden, weight))
        {
            return Compute(hidden, weight, labels);
        }

        using var scope = NewDisposeScope();
        return SftLoss.ComputePerToken(model.ComputeLogits(hidden), labels).MoveToOuterDisposeScope();
    }

    /// <summary>The same in chunks, with the weights <c>[vocab, hidden]</c> of a head.</summary>
    public static Tensor Compute(Tensor hidden, Tensor weight, Tensor labels)
    {
        using var scope = NewDisposeScope();
        return apply(hidden, weight, labels).MoveToOuterDisposeScope();
    }

    /// <summary>Without a gradient to compute nothing would be spared; small heads fit into the cache anyway.</summary>
    static bool Supports(Tensor hidden, Tensor weight) =>
        hidden.requires_grad
        && is_grad_enabled()
        && !weight.requires_grad
        && weight.dtype == hidden.dtype
        && weight.device_type == DeviceType.CPU
        && weight.numel() > MaxChunkElements;

    public override Tensor forward(autograd.AutogradContext ctx, params object[] vars)
    {
        var (hidden, weight, labels) = ((Tensor)vars[0], (Tensor)vars[1], (Tensor)vars[2]);
        using var scope = NewDisposeScope();
        var logits = empty([hidden.shape[0], weight.shape[0]], dtype: hidden.dtype);
        var sums = new List<Tensor>(); // log of the sum of exponentials of each chunk [labels]
        foreach (var (first, count) in Chunk(weight))
        {
            using var chunkScope = NewDisposeScope();
            var chunk = MatrixProduct.Multiply(hidden, weight.narrow(0, first, count)); // [labels, count]
            logits.narrow(1, first, count).copy_(chunk);
            sums.Add(chunk.to(ScalarType.Float32).logsumexp(-1).MoveToOuterDisposeScope());
        }

        var sum = stack(sums, 1).logsumexp(-1);
        // What is saved must live until the function that called this has returned.
        ctx.save_for_backward([weight, labels, logits.MoveToOuterDisposeScope(), sum.MoveToOuterDisposeScope()]);
        var ofLabels = logits.gather(1, labels.unsqueeze(1)).squeeze(1).to(ScalarType.Float32);
        return sum.sub(ofLabels).MoveToOuterDisposeScope();
    }

    /// <summary><c>dL/dh = g (softmax(logits) W - W[label])</c>, summed in float32.</summary>
    public override List<Tensor> backward(autograd.AutogradContext ctx, Tensor grad_output)
    {
        using var scope = NewDisposeScope();
        var saved = ctx.get_saved_variables();
        var (weight, labels, logits, sum) = (saved[0], saved[1], saved[2], saved[3].unsqueeze(1));
        var scale = grad_output.unsqueeze(1); // [labels, 1]
        var gradient = weight.index_select(0, labels).to(ScalarType.Float32).mul_(scale).neg_();
        foreach (var (first, count) in Chunk(weight))
        {
            using var chunkScope = NewDisposeScope();
            var part = weight.narrow(0, first, count);
            var wide = logits.narrow(1, first, count).to(ScalarType.Float32, copy: true);
            var weighted = wide.sub_(sum).exp_().mul_(scale); // [labels, count]
            if (MatrixProduct.UpcastsBf16(weight.device) || weight.dtype == ScalarType.Float32)
            {
                gradient.addmm_(weighted, part.to(ScalarType.Float32), 1, 1);
            }
            else
            {
                gradient.add_(weighted.to(weight.dtype).mm(part), Scalars.One);
            }
        }

        return [gradient.to(weight.dtype).MoveToOuterDisposeScope(), null!, null!];
    }

    static IEnumerable<(long First, long Count)> Chunk(Tensor weight)
    {
        var (vocab, step) = (weight.shape[0], Math.Max(1, MaxChunkElements / weight.shape[1]));
        for (long first = 0; first < vocab; first += step)
        {
            yield return (first, Math.Min(step, vocab - first));
        }
    }
}
