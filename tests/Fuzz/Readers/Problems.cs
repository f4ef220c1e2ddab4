using CoPe.Experiments.Tasks;
using CoPe.Fuzz.Engine;

namespace CoPe.Fuzz.Readers;

/// <summary>Listens to a reader that reports entries and goes on.</summary>
static class Problems
{
    /// <summary>Throws a problem whose message is not fit to be shown.</summary>
    public static void Check(DataFileException problem)
    {
        if (Oracle.FindFault(problem.Message) is not null)
        {
            throw problem;
        }
    }
}
