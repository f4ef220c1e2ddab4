using System.Globalization;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace CoPe.Server.PageTests;

/// <summary>Asking, reading, stopping, and asking otherwise.</summary>
[Collection("page")]
public sealed partial class ConversationTests(PageServer server)
{
    const string Text = "Write a headline about the river";

    /// <summary>Far more than an answer has when somebody stops it.</summary>
    const int ManyTokens = 900;

    static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public Task Base_and_personal_answer_stand_side_by_side_and_are_those_of_the_api() =>
        server.VisitAsync(async page =>
        {
            await page.ChooseAsync("ada");
            await page.AskAsync(Text);
            Assert.Equal(await AnswerAsync("ada"), await page.Personal().TextAsync());
            Assert.Equal(await AnswerAsync(":base"), await page.Left().TextAsync());
            var (left, right) = (await page.Left().BoundingBoxAsync(), await page.Personal().BoundingBoxAsync());
            Assert.Equal(left!.Y, right!.Y);
            Assert.True(left.X + left.Width <= right.X);
            await Expect(page.Personal().Locator(".facts")).ToContainTextAsync("implicit reward");
            await Expect(page.Left().Locator(".facts")).Not.ToContainTextAsync("implicit reward");
        });

    async Task<string?> AnswerAsync(string model)
    {
        using var http = new HttpClient { BaseAddress = server.Address };
        var body = new
        {
            model,
            messages = new[] { new { role = "user", content = Text } },
            max_tokens = PageServer.Tokens,
            contrast = .1,
        };
        using var response = await http.PostAsJsonAsync("/v1/chat/completions", body, Stop);
        var whole = JsonDocument.Parse(await response.Content.ReadAsStringAsync(Stop)).RootElement;
        return whole.GetProperty("choices")[0].GetProperty("message").GetProperty("content").GetString();
    }

    [Fact]
    public Task An_answer_grows_while_it_is_written_and_stopping_keeps_it_and_frees_the_rows() =>
        server.VisitAsync(async page =>
        {
            var cancelled = await CountCancelledAsync();
            await page.ForbidEndAsync();
            await page.ChooseAsync("ada");
            await page.Locator(".more summary").ClickAsync();
            await page.Locator("#max-tokens").FillAsync($"{ManyTokens}");
            await page.BeginAsync(Text);
            var pieces = page.Personal().Pieces();
            await pieces.Nth(2).WaitForAsync();
            var before = await pieces.CountAsync();
            await pieces.Nth(before + 2).WaitForAsync();
            Assert.Equal("true", await page.Personal().GetAttributeAsync("aria-busy"));

            await page.Locator("#stop").ClickAsync();
            await Expect(page.Personal().Locator(".facts")).ToContainTextAsync("stopped");
            await Expect(page.Left().Locator(".facts")).ToContainTextAsync("stopped");
            var text = await page.Personal().TextAsync();
            await UntilCancelledAsync(cancelled + 2);
            Assert.Equal(text, await page.Personal().TextAsync());
            await Expect(page.Locator("#ask")).ToBeVisibleAsync();
        });

    /// <summary>Waits until the server has given up some more requests than before, for nobody reads them.</summary>
    async Task UntilCancelledAsync(int count)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        patience.CancelAfter(PageServer.Patience);
        while (await CountCancelledAsync() < count)
        {
            await Task.Delay(20, patience.Token);
        }
    }

    async Task<int> CountCancelledAsync()
    {
        using var http = new HttpClient { BaseAddress = server.Address };
        var count = CancelledPattern.Match(await http.GetStringAsync("/metrics", Stop)).Groups[1];
        return count.Success ? int.Parse(count.Value, CultureInfo.InvariantCulture) : 0;
    }

    [GeneratedRegex("""^cope_requests_total\{outcome="cancelled"\} (\d+)$""", RegexOptions.Multiline)]
    static partial Regex CancelledPattern { get; }

    [Fact]
    public Task The_sliders_change_the_request_and_the_answer_and_the_former_one_stays_to_be_compared() =>
        server.VisitAsync(async page =>
        {
            var requests = page.RecordRequests();
            await page.ChooseAsync("ada");
            await page.SlideAsync("contrast", 0);
            await page.AskAsync(Text);
            var before = await page.Personal().TextAsync();
            await page.SlideAsync("contrast", 1.5);
            await page.AskAgainAsync();
            Assert.NotEqual(before, await page.Personal().TextAsync());
            Assert.Equal(before, await page.Locator(".replaced .personal").TextAsync());

            await page.SlideAsync("gate", .25);
            await page.AskAgainAsync();
            var bodies = requests.To("ada");
            Assert.Equal([0, 1.5, 1.5], bodies.Select(body => body.GetProperty("contrast").GetDouble()));
            double[] gates = [.. bodies.Select(body => body.GetProperty("contrast_unless_certain").GetDouble())];
            Assert.Equal([1, 1, .25], gates);
            Assert.All(bodies, body => Assert.Single(body.GetProperty("messages").EnumerateArray()));
        });

    [Fact]
    public Task A_line_above_marks_where_the_gate_was_closed() =>
        server.VisitAsync(async page =>
        {
            await page.ChooseAsync("ada");
            await page.AskAsync(Text);
            await Expect(page.Personal().Locator(".gated")).ToHaveCountAsync(0);
            await page.SlideAsync("gate", 0);
            await page.AskAgainAsync();
            var pieces = await page.Personal().Pieces().CountAsync();
            await Expect(page.Personal().Locator(".piece.gated:not(.end)")).ToHaveCountAsync(pieces);
        });

    [Fact]
    public Task Two_users_get_two_answers_and_the_second_nothing_of_the_first_conversation() =>
        server.VisitAsync(async page =>
        {
            var requests = page.RecordRequests();
            await page.ChooseAsync("ada");
            await page.AskAsync(Text);
            var ada = await page.Personal().TextAsync();
            await page.ChooseAsync("bob");
            await page.AskAgainAsync();
            Assert.NotEqual(ada, await page.Personal().TextAsync());
            await Expect(page.Locator(".divider")).ToHaveTextAsync("A new conversation with user bob");
            Assert.Single(requests.To("bob").Single().GetProperty("messages").EnumerateArray());
        });

    [Fact]
    public Task Either_model_goes_on_from_its_own_answers() =>
        server.VisitAsync(async page =>
        {
            var requests = page.RecordRequests();
            await page.ChooseAsync("ada");
            await page.AskAsync(Text);
            var (left, personal) = (await page.Left().TextAsync(), await page.Personal().TextAsync());
            await page.AskAsync("And a shorter one");
            Assert.Equal([Text, personal, "And a shorter one"], ContentsOf(requests.To("ada")[1]));
            Assert.Equal([Text, left, "And a shorter one"], ContentsOf(requests.To(":base")[1]));
            await page.Locator("#clear").ClickAsync();
            await page.AskAsync(Text);
            Assert.Equal([Text], ContentsOf(requests.To("ada")[2]));

            static IEnumerable<string?> ContentsOf(JsonElement body) =>
                body.GetProperty("messages").EnumerateArray().Select(one => one.GetProperty("content").GetString());
        });

    [Fact]
    public Task The_task_model_may_stand_on_the_left() =>
        server.VisitAsync(async page =>
        {
            var requests = page.RecordRequests();
            await page.ChooseAsync("ada");
            await page.GetByRole(AriaRole.Radio, new() { Name = "Task model" }).CheckAsync();
            await page.AskAsync(Text);
            Assert.Single(requests.To(":tam"));
            Assert.Empty(requests.To(":base"));
            await Expect(page.Left().Locator("h3")).ToHaveTextAsync("Task model");
        });

    [Fact]
    public Task A_user_is_found_among_ten_thousand_by_keyboard() =>
        server.VisitAsync(async page =>
        {
            var user = page.Locator("#user");
            await user.FillAsync("USER-0123");
            var options = page.Locator("#users [role=option]");
            await Expect(options).ToHaveCountAsync(10);
            await user.PressAsync("ArrowDown");
            var active = await user.GetAttributeAsync("aria-activedescendant");
            await Expect(page.Locator($"#{active} bdi")).ToHaveTextAsync("user-01231");
            await user.PressAsync("Enter");
            await Expect(user).ToHaveValueAsync("user-01231");
            await user.FillAsync("");
            await Expect(options).ToHaveCountAsync(50);
            await user.PressAsync("Escape");
            await Expect(user).ToHaveValueAsync("user-01231");
        });

    [Fact]
    public Task What_else_could_have_stood_there_is_shown_by_mouse_and_by_keyboard() =>
        server.VisitAsync(async page =>
        {
            await page.ChooseAsync("ada");
            await page.AskAsync(Text);
            var card = page.Locator("#card");
            await page.Personal().Pieces().Nth(1).HoverAsync();
            await Expect(card).ToContainTextAsync("implicit reward");
            await page.Locator("#prompt").HoverAsync();
            await Expect(card).ToBeHiddenAsync();

            await page.Personal().Locator(".text").FocusAsync();
            await page.Keyboard.PressAsync("ArrowRight");
            await page.Keyboard.PressAsync("ArrowRight");
            await Expect(page.Personal().Pieces().Nth(1)).ToHaveClassAsync("piece cursor");
            await Expect(card.Locator("tbody tr").Nth(4)).ToBeVisibleAsync();
            await Expect(card.Locator("tr.is-chosen")).ToHaveCountAsync(1);
            await Expect(card).ToHaveAttributeAsync("role", "status");
            await page.Keyboard.PressAsync("Escape");
            await Expect(card).ToBeHiddenAsync();
        });
}
