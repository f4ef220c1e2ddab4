using static TorchSharp.torch;

namespace CoPe.Training;

/// <summary>
/// Figures of the rows of one pass by name, each <c>[rows]</c> float32; the loss is the one minimized.
/// </summary>
sealed class RowFigures
{
    public const string LossName = "loss";

    readonly OrderedDictionary<string, Tensor> _values = [];

    /// <summary>The loss of each row, which gradients flow through.</summary>
    public RowFigures(Tensor loss) => _values.Add(LossName, loss);

    /// <summary>The loss of each row <c>[rows]</c> float32.</summary>
    public Tensor Loss => _values[LossName];

    /// <summary>Names of the figures, the loss first.</summary>
    public IReadOnlyList<string> Names => [.. _values.Keys];

    /// <summary>Adds a figure that is only reported.</summary>
    public RowFigures Add(string name, Tensor values)
    {
        _values.Add(name, values.detach());
        return this;
    }

    /// <summary>
    /// All figures without their gradients <c>[rows, figures]</c> float32, in the order of their names.
    /// </summary>
    public Tensor Stack() => stack([.. _values.Values.Select(values => values.detach())], 1);

    /// <summary>Hands the tensors to the dispose scope around the current one.</summary>
    public RowFigures MoveToOuterDisposeScope()
    {
        foreach (var values in _values.Values)
        {
            values.MoveToOuterDisposeScope();
        }
        return this;
    }
}

/// <summary>Figures of every user's step, read back from the device.</summary>
/// <param name="names">Names of the figures.</param>
/// <param name="values">User by user, in the order of the names.</param>
sealed class StepFigures(IReadOnlyList<string> names, float[] values)
{
    /// <summary>Norm of a user's gradient before clipping, which the loop adds to the objective's figures.</summary>
    public const string GradientNorm = "grad_norm";

    readonly Dictionary<string, int> _columns = names.Select((name, column) => (name, column)).ToDictionary();

    /// <summary>Names of the figures, the loss first and the gradient's norm last.</summary>
    public IReadOnlyList<string> Names => names;

    /// <summary>One figure of one user.</summary>
    public float this[int user, string name] => values[user * names.Count + _columns[name]];
}
