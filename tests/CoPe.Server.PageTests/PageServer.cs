using CoPe.Decoding;
using CoPe.Serving;
using CoPe.Tests.Serving;
using Microsoft.Extensions.Logging;
using Microsoft.Playwright;

namespace CoPe.Server.PageTests;

/// <summary>One server and one browser for all tests.</summary>
public sealed class PageServer : IAsyncLifetime
{
    /// <summary>Tokens of an answer by default.</summary>
    internal const int Tokens = 16;

    /// <summary>Milliseconds after which something does not come any more: far more than it takes.</summary>
    internal const int Patience = 60_000;

    ServedModel? _served;
    CopeServer? _server;
    IPlaywright? _playwright;
    IBrowser? _browser;

    internal Uri Address => _server!.Address;

    public async ValueTask InitializeAsync()
    {
        Assertions.SetDefaultExpectTimeout(Patience);
        _served = new ServedModel("ada", "bob");
        _server = await StartAsync(new ServerOptions());
    }

    /// <summary>A further server of the same users, which the caller ends.</summary>
    internal Task<CopeServer> StartAsync(ServerOptions options)
    {
        var catalog = new ManyUsers(_served!.Catalog);
        var decoding = new DecodingOptions { MaxNewTokens = Tokens };
        return CopeServer.StartAsync(
            (loggers, meters) => new ServingEngine(_served.Model, _served.Encoder, catalog, null, loggers, meters),
            options with
            {
                Decoding = decoding,
            },
            new ListenerOptions { Port = 0 },
            logging => logging.SetMinimumLevel(LogLevel.None),
            TimeProvider.System
        );
    }

    /// <summary>
    /// Opens the page, does something there, and sees to it that the page has asked nobody but its server, has broken
    /// no rule of its policy, and has thrown nothing.
    /// </summary>
    /// <param name="visit">What is done.</param>
    /// <param name="options">The browser's screen and its owner's wishes.</param>
    /// <param name="address">The server; null for the one of all tests.</param>
    /// <param name="isExpected">What the browser is to report, where that is the test; null for nothing.</param>
    internal async Task VisitAsync(
        Func<IPage, Task> visit,
        BrowserNewContextOptions? options = null,
        Uri? address = null,
        Func<string, bool>? isExpected = null
    )
    {
        var browser = await OpenBrowserAsync();
        await using var context = await browser.NewContextAsync(options ?? new());
        context.SetDefaultTimeout(Patience);
        await context.AddInitScriptAsync(
            "addEventListener('securitypolicyviolation', event => console.error('policy: ' + event.violatedDirective))"
        );
        var page = await context.NewPageAsync();
        var origin = (address ?? Address).ToString();
        var wrong = new List<string>();
        page.PageError += (_, error) => wrong.Add(error);
        page.Console += (_, message) => wrong.AddRange(IsWrong(message) ? [message.Text] : []);
        page.Request += (_, request) =>
            wrong.AddRange(request.Url.StartsWith(origin, StringComparison.Ordinal) ? [] : [request.Url]);
        page.Dialog += (_, dialog) => wrong.Add($"dialog: {dialog.Message}");
        await page.GotoAsync(origin);
        await visit(page);
        Assert.True(isExpected is null || wrong.Exists(text => isExpected(text)), "The browser reported nothing.");
        Assert.DoesNotContain(wrong, text => isExpected?.Invoke(text) != true);
    }

    /// <summary>The browser reports each error that a server answers; that is no fault of the page.</summary>
    static bool IsWrong(IConsoleMessage message) =>
        message.Type is "error" or "warning"
        && !message.Text.StartsWith("Failed to load resource", StringComparison.Ordinal);

    async Task<IBrowser> OpenBrowserAsync()
    {
        if (_browser is null)
        {
            var options = new BrowserTypeLaunchOptions
            {
                ExecutablePath = Chromium.Find(),
                // Tests may run as root, for whom Chromium's sandbox does not start, and where shared memory is small.
                Args = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"],
            };
            _playwright = await Playwright.CreateAsync();
            _browser = await _playwright.Chromium.LaunchAsync(options);
        }

        return _browser;
    }

    /// <summary>Saves how the page looks where COPE_SCREENSHOTS names a folder to look at it.</summary>
    internal static async Task SaveScreenshotAsync(IPage page, string name)
    {
        if (Environment.GetEnvironmentVariable("COPE_SCREENSHOTS") is { Length: > 0 } folder)
        {
            await page.ScreenshotAsync(new() { Path = Path.Combine(folder, $"{name}.png") });
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_browser is not null)
        {
            await _browser.DisposeAsync();
        }

        _playwright?.Dispose();
        if (_server is not null)
        {
            await _server.DisposeAsync();
        }

        _served?.Dispose();
    }
}

/// <summary>The tests of the page, one after the other.</summary>
[CollectionDefinition("page", DisableParallelization = true)]
public sealed class PageGroup : ICollectionFixture<PageServer>;
