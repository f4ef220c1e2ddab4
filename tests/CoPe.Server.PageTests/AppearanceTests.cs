using System.Text.Json;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace CoPe.Server.PageTests;

/// <summary>Phones, light and dark, and those who want less motion.</summary>
[Collection("page")]
public sealed class AppearanceTests(PageServer server)
{
    const int PhoneWidth = 320;
    const string Text = "Write a headline about the river";

    [Fact]
    public Task A_small_phone_shows_all_without_scrolling_sideways() =>
        server.VisitAsync(
            async page =>
            {
                await page.ChooseAsync("ada");
                await page.AskAsync(Text + new string('x', 200));
                await page.Locator("#tuning > summary").ClickAsync();
                Assert.Equal(PhoneWidth, await page.EvaluateAsync<int>("document.documentElement.scrollWidth"));
                await page.Locator("#tuning > summary").ClickAsync();
                await page.Personal().Pieces().Nth(1).TapAsync();
                await Expect(page.Locator("#card")).ToBeInViewportAsync(new() { Ratio = 1 });
                await PageServer.SaveScreenshotAsync(page, "phone");
                await Expect(page.Locator("#prompt")).ToBeInViewportAsync();
            },
            new()
            {
                ViewportSize = new() { Width = PhoneWidth, Height = 780 },
                IsMobile = true,
                HasTouch = true,
            }
        );

    [Theory]
    [InlineData(ColorScheme.Light)]
    [InlineData(ColorScheme.Dark)]
    public Task Texts_stand_out_from_every_tint_and_the_page_has_the_colors_of_the_machine(ColorScheme scheme) =>
        server.VisitAsync(
            async page =>
            {
                await page.ChooseAsync("ada");
                await page.AskAsync(Text);
                var contrasts = await page.EvaluateAsync<JsonElement>(MeasureContrasts);
                double[] ratios = [.. contrasts.EnumerateArray().Select(ratio => ratio.GetDouble())];
                Assert.Equal(9, ratios.Length);
                // What WCAG 2.2 asks of texts (1.4.3, AA).
                Assert.All(ratios, ratio => Assert.InRange(ratio, 4.5, 21));
                var background = await page.EvaluateAsync<double>($"{Luminance} luminance([0, 0, 0, 0])");
                Assert.Equal(scheme == ColorScheme.Dark, background < .2);
                await PageServer.SaveScreenshotAsync(page, $"desktop-{scheme}");
            },
            new() { ColorScheme = scheme }
        );

    /// <summary>The luminance of a color over the page, each drawn to read what it comes to.</summary>
    const string Luminance = """
        const pixel = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
        const luminance = colors => {
            for (const color of [getComputedStyle(document.body).backgroundColor, ...colors]) {
                pixel.fillStyle = Array.isArray(color) ? "transparent" : color;
                pixel.fillRect(0, 0, 1, 1);
            }
            const [red, green, blue] = [...pixel.getImageData(0, 0, 1, 1).data]
                .map(value => value / 255)
                .map(value => value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
            return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
        };
        """;

    /// <summary>How an answer's text stands out from each tint of the legend, over the answer's own ground.</summary>
    const string MeasureContrasts = $$"""
        () => {
            {{Luminance}}
            const text = document.querySelector(".personal .text");
            const panel = getComputedStyle(document.querySelector(".personal")).backgroundColor;
            return [...document.querySelectorAll("#scale i")].map(swatch => {
                const ground = luminance([panel, getComputedStyle(swatch).backgroundColor]);
                const ink = luminance([getComputedStyle(text).color]);
                return (Math.max(ground, ink) + 0.05) / (Math.min(ground, ink) + 0.05);
            });
        }
        """;

    [Fact]
    public Task Nothing_moves_for_those_who_want_it_so() =>
        server.VisitAsync(
            async page =>
            {
                const string Moving = """
                    () => [getComputedStyle(document.documentElement).scrollBehavior,
                        ...[...document.querySelectorAll("*")].map(one => getComputedStyle(one).animationName)]
                    """;
                var styles = await page.EvaluateAsync<string[]>(Moving);
                Assert.Empty(styles.Except(["auto", "none"]));
            },
            new() { ReducedMotion = ReducedMotion.Reduce }
        );
}
