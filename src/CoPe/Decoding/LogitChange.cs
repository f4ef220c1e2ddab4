using CoPe.Kernels.Torch;
using static TorchSharp.torch;

namespace CoPe.Decoding;

/// <summary>
/// The penalties and biases of OpenAI's API, on the expert's logits.
/// <code>l(v) += bias(v) - presence * [count(v) > 0] - frequency * count(v)</code>
/// count(v) is how often the token stands in the answer so far.
/// </summary>
static class LogitChange
{
    /// <summary>Changes logits in place.</summary>
    /// <param name="logits"><c>[rows, vocab]</c> float32.</param>
    /// <param name="answers">Ids of each row's answer so far.</param>
    /// <param name="options">Penalties and biases.</param>
    public static void Apply(Tensor logits, IReadOnlyList<IReadOnlyList<int>> answers, DecodingOptions options)
    {
        using var scope = NewDisposeScope();
        foreach (var (row, answer) in answers.Index())
        {
            var changes = new Dictionary<int, double>(options.LogitBias);
            foreach (var (id, count) in answer.CountBy(id => id))
            {
                var penalty = options.PresencePenalty + options.FrequencyPenalty * count;
                changes[id] = changes.GetValueOrDefault(id) - penalty;
            }

            if (changes.Count == 0)
            {
                continue;
            }

            var ids = tensor([.. changes.Keys.Select(id => (long)id)], device: logits.device);
            var values = tensor([.. changes.Values.Select(value => (float)value)], device: logits.device);
            logits[row].index_add_(0, ids, values, Scalars.One);
        }
    }
}
