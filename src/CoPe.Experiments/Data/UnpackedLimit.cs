namespace CoPe.Experiments.Data;

/// <summary>
/// How much of a packed file may still be unpacked. What the file says of its own sizes need not be true.
/// </summary>
/// <param name="maxBytes">Most bytes of all that is counted.</param>
/// <param name="createError">The error, given <c>unpacks to more than N MB</c>.</param>
sealed class UnpackedLimit(long maxBytes, Func<string, Exception> createError)
{
    long _taken;

    /// <summary>Counts bytes that were unpacked, or will be.</summary>
    public void Take(long count)
    {
        Require(count);
        _taken += count;
    }

    /// <summary>Checks that so many bytes may still be unpacked.</summary>
    public void Require(long count)
    {
        if (count < 0 || count > maxBytes - _taken)
        {
            throw createError($"unpacks to more than {maxBytes >> 20} MB");
        }
    }

    /// <summary>Counts values of a size.</summary>
    public void Take(long count, int bytesEach) => Take(count > maxBytes / bytesEach ? -1 : count * bytesEach);
}
