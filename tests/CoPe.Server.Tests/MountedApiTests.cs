using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using CoPe.Serving;
using CoPe.Testing;
using CoPe.Tests.Serving;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace CoPe.Server.Tests;

/// <summary>The API in an application that has addresses, clients and failures of its own.</summary>
[Collection("torch")]
public sealed class MountedApiTests
{
    static CancellationToken Stop => TestContext.Current.CancellationToken;

    static object Question =>
        new
        {
            model = "ada",
            messages = (object[])[new { role = "user", content = "A river" }],
            max_tokens = 2,
        };

    [Fact]
    public async Task An_application_has_the_api_below_a_prefix_and_its_own_addresses_beside_it()
    {
        await using var site = await Site.StartAsync(new ServerOptions(), app => app.MapGroup("/ai").MapCoPe());
        using var answer = await site.Http.PostAsJsonAsync("/ai/v1/chat/completions", Question, Stop);
        var usage = (await ServedPort.ReadAsync(answer)).GetProperty("usage");
        Assert.InRange(usage.GetProperty("completion_tokens").GetInt32(), 1, 2);
        Assert.Equal("own", await site.Http.GetStringAsync("/own", Stop));
        Assert.Equal(HttpStatusCode.NotFound, (await site.Http.GetAsync("/v1/models", Stop)).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await site.Http.GetAsync("/metrics", Stop)).StatusCode);
        using var unknown = await site.Http.GetAsync("/ai/v1/models/nobody", Stop);
        Assert.Equal(
            "model_not_found",
            (await ServedPort.ReadAsync(unknown)).GetProperty("error").GetProperty("code").GetString()
        );
    }

    [Fact]
    public async Task Keys_guard_the_api_and_not_the_applications_own_addresses()
    {
        using var folder = new TemporaryFolder();
        var options = new ServerOptions { KeyFile = folder.At("keys.json") };
        await using var site = await Site.StartAsync(options, app => app.MapCoPe());
        Assert.Equal(HttpStatusCode.Unauthorized, (await site.Http.GetAsync("/v1/models", Stop)).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await site.Http.GetAsync("/own", Stop)).StatusCode);
        var (_, secret) = new ApiKeyStore(options.KeyFile, TimeProvider.System).Add(["ada"]);
        site.Http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", secret);
        Assert.Equal(HttpStatusCode.OK, (await site.Http.GetAsync("/v1/models", Stop)).StatusCode);
    }

    [Fact]
    public async Task Limits_and_conventions_hold_for_every_address_of_the_api()
    {
        var options = new ServerOptions { MaxBodyBytes = 100 };
        await using (var site = await Site.StartAsync(options, app => app.MapCoPe()))
        {
            using var large = new StringContent(new string(' ', 200));
            using var refused = await site.Http.PostAsync("/v1/completions", large, Stop);
            Assert.Equal(HttpStatusCode.RequestEntityTooLarge, refused.StatusCode);
            Assert.Equal(HttpStatusCode.OK, (await site.Http.PostAsync("/own", large, Stop)).StatusCode);
        }

        await using var elsewhere = await Site.StartAsync(options, app => app.MapCoPe().RequireHost("elsewhere"));
        Assert.Equal(HttpStatusCode.NotFound, (await elsewhere.Http.GetAsync("/v1/models", Stop)).StatusCode);
    }

    [Fact]
    public async Task An_api_that_was_not_added_is_told_when_it_is_mapped()
    {
        await using var app = WebApplication.CreateSlimBuilder().Build();
        Assert.Throws<InvalidOperationException>(() => app.MapCoPe());
        Assert.Throws<ArgumentOutOfRangeException>(() => new ServerOptions { MaxChoices = 0 });
    }

    /// <summary>An application on a free port.</summary>
    sealed class Site : IAsyncDisposable
    {
        readonly WebApplication _application;
        readonly ServedModel _served;

        Site(WebApplication application, ServedModel served) => (_application, _served) = (application, served);

        public HttpClient Http { get; } = new();

        public static async Task<Site> StartAsync(ServerOptions options, Action<WebApplication> map)
        {
            var served = new ServedModel("ada", "bob");
            var builder = WebApplication.CreateSlimBuilder();
            builder.Logging.ClearProviders();
            builder.WebHost.UseUrls("http://127.0.0.1:0");
            builder
                .Services.AddSingleton(_ => new ServingEngine(served.Model, served.Encoder, served.Catalog))
                .AddCoPeServer(options);
            var site = new Site(builder.Build(), served);
            map(site._application);
            site._application.MapGet("/own", () => "own");
            site._application.MapPost("/own", () => "own");
            await site._application.StartAsync(Stop);
            var server = site._application.Services.GetRequiredService<IServer>();
            site.Http.BaseAddress = new(server.Features.Get<IServerAddressesFeature>()!.Addresses.Single());
            return site;
        }

        public async ValueTask DisposeAsync()
        {
            Http.Dispose();
            await _application.DisposeAsync();
            _served.Dispose();
        }
    }
}
