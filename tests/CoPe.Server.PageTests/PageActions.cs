using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Playwright;

namespace CoPe.Server.PageTests;

/// <summary>What people do on the page, and what they read there.</summary>
static class PageActions
{
    /// <summary>The last answer of a user.</summary>
    public static ILocator Personal(this IPage page) => page.Locator(".answer.personal").Last;

    /// <summary>The last answer of the model on the left.</summary>
    public static ILocator Left(this IPage page) => page.Locator(".answer:not(.personal)").Last;

    public static ILocator Pieces(this ILocator answer) => answer.Locator(".piece:not(.end)");

    public static async Task ChooseAsync(this IPage page, string user)
    {
        await page.Locator("#user").FillAsync(user);
        await page.Locator("#users [role=option]").First.WaitForAsync();
        await page.Locator("#user").PressAsync("Enter");
        await Assertions.Expect(page.Locator("#users")).ToBeHiddenAsync();
    }

    /// <summary>Begins to ask.</summary>
    public static async Task BeginAsync(this IPage page, string text)
    {
        await page.Locator("#prompt").FillAsync(text);
        await page.Locator("#prompt").PressAsync("Enter");
    }

    /// <summary>Asks and waits for both answers.</summary>
    public static async Task AskAsync(this IPage page, string text)
    {
        await page.BeginAsync(text);
        await page.WaitForAnswersAsync();
    }

    public static async Task AskAgainAsync(this IPage page)
    {
        await page.Locator("#again").ClickAsync();
        await page.WaitForAnswersAsync();
    }

    static async Task WaitForAnswersAsync(this IPage page)
    {
        await Assertions.Expect(page.Locator("#ask")).ToBeVisibleAsync();
        await Assertions.Expect(page.Locator("[aria-busy=true]")).ToHaveCountAsync(0);
    }

    /// <summary>An answer's text, without the mark of its end.</summary>
    public static async Task<string> TextAsync(this ILocator answer) =>
        string.Concat(await answer.Pieces().AllTextContentsAsync());

    /// <summary>Moves a slider as a hand does: the page hears of it.</summary>
    public static Task SlideAsync(this IPage page, string slider, double value) =>
        page.Locator($"#{slider}").FillAsync(value.ToString(System.Globalization.CultureInfo.InvariantCulture));

    /// <summary>The bodies of the chat requests from now on.</summary>
    public static List<JsonElement> RecordRequests(this IPage page)
    {
        var bodies = new List<JsonElement>();
        page.Request += (_, request) =>
        {
            if (request.Url.EndsWith("/v1/chat/completions", StringComparison.Ordinal))
            {
                bodies.Add(JsonDocument.Parse(request.PostData!).RootElement);
            }
        };
        return bodies;
    }

    /// <summary>The bodies for one model.</summary>
    public static JsonElement[] To(this IEnumerable<JsonElement> bodies, string model) =>
        [.. bodies.Where(body => body.GetProperty("model").GetString() == model)];

    /// <summary>
    /// Lets no answer end by itself: the tokens that end one are added to the page's requests as ones to be avoided.
    /// </summary>
    public static Task ForbidEndAsync(this IPage page) =>
        page.RouteAsync(
            "**/v1/chat/completions",
            route =>
            {
                var body = JsonNode.Parse(route.Request.PostData!)!;
                body["logit_bias"] = new JsonObject { ["2045"] = -100, ["2047"] = -100 };
                return route.ContinueAsync(new() { PostData = Encoding.UTF8.GetBytes(body.ToJsonString()) });
            }
        );

    /// <summary>Answers all chat requests of the page with something of our own.</summary>
    public static Task AnswerWithAsync(this IPage page, RouteFulfillOptions answer) =>
        page.RouteAsync("**/v1/chat/completions", route => route.FulfillAsync(answer));
}
