namespace CoPe.Testing;

/// <summary>How many tensors there are, for tests that nothing is left behind.</summary>
static class TensorCount
{
    /// <summary>
    /// After what earlier tests left to the garbage collector is gone: else it would go while the test that counts is
    /// running.
    /// </summary>
    public static long AfterGarbageCollection()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        return Tensor.TotalCount;
    }
}
