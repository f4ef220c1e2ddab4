using System.Globalization;

namespace CoPe.Fuzz.Engine;

/// <summary>Shows what a run came to.</summary>
static class FigureTable
{
    public static void Write(WorkerReport report, TextWriter output)
    {
        output.WriteLine($"{"reader",-22} {"inputs",11} {"per s",8} {"accepted",10} {"slowest",9}  refused");
        foreach (var (name, figures) in report.Readers)
        {
            var refused = figures
                .Refused.OrderByDescending(error => error.Value)
                .Select(error => Text($"{error.Key} {error.Value:N0}"));
            var perSecond = figures.Inputs / Math.Max(figures.Seconds, 1e-9);
            output.Write(Text($"{name,-22} {figures.Inputs,11:N0} {perSecond,8:N0} {figures.Accepted,10:N0} "));
            output.WriteLine(Text($"{figures.SlowestSeconds,7:0.00} s  {string.Join(", ", refused)}"));
        }

        foreach (var finding in report.Findings)
        {
            output.WriteLine(
                $"finding: {finding.Reader}: {finding.Fault} in {finding.Place}, {finding.Count} times: {finding.File}"
            );
        }

        if (report.Memory is [var first, .., var last])
        {
            output.WriteLine(
                $"heap {Megabytes(first.Heap)} to {Megabytes(last.Heap)} MiB, "
                    + $"resident {Megabytes(first.Resident)} to {Megabytes(last.Resident)} MiB, "
                    + "after a tenth of the inputs and at the end"
            );
        }

        var inputs = report.Readers.Values.Sum(figures => figures.Inputs);
        output.WriteLine(Text($"{inputs:N0} inputs, {report.Findings.Count} findings"));
    }

    static long Megabytes(long bytes) => bytes >> 20;

    static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
