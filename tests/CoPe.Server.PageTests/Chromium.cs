namespace CoPe.Server.PageTests;

/// <summary>The browser of the machine: Playwright's own download is not used.</summary>
static class Chromium
{
    /// <summary>The browser that must be there, as <c>.ci/run</c> says; without it any of the path.</summary>
    const string Variable = "COPE_CHROMIUM";

    static readonly string[] Names = ["chromium", "chromium-browser", "google-chrome"];

    /// <summary>The executable; a test that needs it fails or is skipped without one.</summary>
    public static string Find()
    {
        var demanded = Environment.GetEnvironmentVariable(Variable);
        if (!string.IsNullOrEmpty(demanded))
        {
            return FindOnPath(demanded)
                ?? throw new InvalidOperationException(
                    $"{Variable} names {demanded}, which is no program here: install it (Debian: apt-get install "
                        + "chromium), or name another Chromium."
                );
        }

        var found = Names.Select(FindOnPath).FirstOrDefault(file => file is not null);
        Assert.SkipWhen(found is null, $"There is no Chromium on the path; install one, or name it in {Variable}.");
        return found!;
    }

    static string? FindOnPath(string name) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "")
            .Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries)
            .Select(folder => Path.GetFullPath(name, Path.GetFullPath(folder)))
            .FirstOrDefault(File.Exists);
}
