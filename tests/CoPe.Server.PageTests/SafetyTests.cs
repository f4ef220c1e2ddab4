using System.Text.Json;
using CoPe.Testing;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace CoPe.Server.PageTests;

/// <summary>Texts of others, keys, and failures.</summary>
[Collection("page")]
public sealed class SafetyTests(PageServer server)
{
    const string Hostile =
        "</script><script>alert(1)</script><img src=x onerror=alert(2)> \"'&lt; "
        + "\u202Etxt.exe\u202C \u200B\u0007 \u05E9\u05DC\u05D5\u05DD";

    [Fact]
    public Task Whatever_is_said_is_text_in_names_questions_and_answers() =>
        server.VisitAsync(async page =>
        {
            await page.AnswerWithAsync(Stream(Hostile));
            await page.ChooseAsync(ManyUsers.Markup);
            await page.AskAsync(Hostile);
            await Expect(page.Personal().Locator("h3 bdi")).ToHaveTextAsync(ManyUsers.Markup);
            var shown = Hostile
                .Replace("\u202E", "U+202E")
                .Replace("\u202C", "U+202C")
                .Replace("\u200B", "U+200B")
                .Replace("\u0007", "U+0007");
            Assert.Equal(shown, await page.Locator(".question").TextContentAsync());
            Assert.Equal(shown, await page.Personal().TextAsync());
            Assert.Equal(shown, await page.Left().TextAsync());
            await page.Personal().Pieces().First.ClickAsync();
            await Expect(page.Locator("#card .chosen code")).ToContainTextAsync("<img\u2423src=x");
            await Expect(page.Locator("main img, main script, #card img, #card script, #users img"))
                .ToHaveCountAsync(0);
        });

    [Fact]
    public Task A_name_shows_what_is_hidden_in_it() =>
        server.VisitAsync(async page =>
        {
            await page.Locator("#user").FillAsync("ad\u202E");
            await Expect(page.Locator("#users [role=option] bdi")).ToHaveTextAsync("adU+202EminU+200B");
        });

    /// <summary>A stream of one token.</summary>
    static RouteFulfillOptions Stream(string text, bool isWhole = true)
    {
        var entry = new
        {
            token = text,
            logprob = -1,
            implicit_reward = .5,
            without_contrast = true,
            top_logprobs = new[]
            {
                new
                {
                    token = text,
                    logprob = -1,
                    implicit_reward = .5,
                },
            },
        };
        var delta = new { content = text };
        var logprobs = new { content = new[] { entry } };
        var chunk = new
        {
            choices = new[]
            {
                new
                {
                    index = 0,
                    delta,
                    logprobs,
                    finish_reason = isWhole ? "stop" : null,
                },
            },
        };
        return new()
        {
            ContentType = "text/event-stream",
            Body = $": ping\n\ndata: {JsonSerializer.Serialize(chunk)}\n\n" + (isWhole ? "data: [DONE]\n\n" : ""),
        };
    }

    /// <summary>Words of the browser, and of the event, for what the page's policy forbids.</summary>
    static readonly string[] Refusals = ["Content Security Policy", "'TrustedHTML'", "policy: "];

    [Fact]
    public Task The_policy_refuses_markup_and_other_addresses_to_whatever_script_there_is() =>
        server.VisitAsync(
            async page =>
            {
                const string Attempts = """
                    async () => {
                        const attempt = async act => {
                            try {
                                await act();
                                return "done";
                            } catch (error) {
                                return error.name;
                            }
                        };
                        return [
                            await attempt(() => { document.body.innerHTML = "<b>x</b>"; }),
                            await attempt(() => fetch("http://127.0.0.2/")),
                        ];
                    }
                    """;
                Assert.Equal(["TypeError", "TypeError"], await page.EvaluateAsync<string[]>(Attempts));
                await Expect(page.Locator("h1")).ToHaveTextAsync("CoPe");
            },
            isExpected: text => Refusals.Any(text.Contains)
        );

    [Fact]
    public Task An_error_of_the_server_is_told_in_its_words() =>
        server.VisitAsync(async page =>
        {
            await page.ChooseAsync("ada");
            var answer = new RouteFulfillOptions
            {
                Status = 429,
                ContentType = "application/json",
                Headers = new Dictionary<string, string> { ["Retry-After"] = "3" },
                Body = """{"error":{"message":"<b>Too</b> many","type":"rate_limit_exceeded"}}""",
            };
            await page.AnswerWithAsync(answer);
            await page.AskAsync("x");
            var error = page.Personal().Locator(".error");
            await Expect(error).ToHaveTextAsync("429: <b>Too</b> many Try again in 3 seconds.");
            await Expect(page.Personal().Locator(".facts")).ToHaveTextAsync("no answer");

            await page.UnrouteAllAsync();
            await page.AnswerWithAsync(Stream("half", isWhole: false));
            await page.AskAgainAsync();
            Assert.Equal("half", await page.Personal().TextAsync());
            await Expect(page.Personal().Locator(".error")).ToContainTextAsync("broke off");

            await page.UnrouteAllAsync();
            await page.RouteAsync("**/v1/chat/completions", route => route.AbortAsync());
            await page.AskAgainAsync();
            await Expect(page.Personal().Locator(".error")).ToContainTextAsync("cannot be reached");
            await page.UnrouteAllAsync();
            await page.AskAgainAsync();
            await Expect(page.Personal().Locator(".error")).ToHaveCountAsync(0);
        });

    [Fact]
    public async Task A_server_with_keys_shows_nothing_of_its_users_before_it_has_one()
    {
        using var folder = new TemporaryFolder();
        var keys = new ApiKeyStore(folder.At("keys.json"), TimeProvider.System);
        var (_, secret) = keys.Add(["bob"]);
        await using var locked = await server.StartAsync(new ServerOptions { KeyFile = folder.At("keys.json") });
        await server.VisitAsync(Visit, address: locked.Address);

        async Task Visit(IPage page)
        {
            await Expect(page.Locator("#key")).ToBeFocusedAsync();
            Assert.Equal("", await page.Locator("#user").InputValueAsync());
            await page.Locator("#key").FillAsync("cope-wrong");
            await page.Keyboard.PressAsync("Enter");
            await Expect(page.Locator("#key-form.refused")).ToBeVisibleAsync();
            await page.Locator("#key").FillAsync(secret);
            await page.Keyboard.PressAsync("Enter");
            await Expect(page.Locator("#key-form")).ToBeHiddenAsync();
            await Expect(page.Locator("#user")).ToHaveValueAsync("bob");
            await page.AskAsync("x");
            Assert.NotEqual("", await page.Personal().TextAsync());
            // This key is bob's alone: what it may not ask is said, and the rest is answered.
            await Expect(page.Left().Locator(".error")).ToContainTextAsync("403");
            Assert.DoesNotContain(secret, page.Url);
            Assert.Equal(0, await page.EvaluateAsync<int>("localStorage.length"));
            await page.ReloadAsync();
            await Expect(page.Locator("#user")).ToHaveValueAsync("bob");
        }
    }
}
