using System.Text.Json.Nodes;
using CoPe.Serving;
using Microsoft.AspNetCore.Http;

namespace CoPe.Server;

/// <summary><c>GET /page/settings</c>: how tokens are chosen where the page's requests do not say so.</summary>
static class PageSettings
{
    public static Task ShowAsync(HttpContext context, ApiServer api)
    {
        var decoding = api.Options.Decoding;
        var models = api.Catalog.ListNames().Select(api.Catalog.Find).OfType<PersonalModel>();
        return context.WriteJsonAsync(
            new JsonObject
            {
                ["base"] = models.FirstOrDefault(model => ModelQuery.KindOf(model) == "base")?.Name,
                ["contrast"] = decoding.Contrast,
                ["contrast_unless_certain"] = decoding.ContrastUnlessCertain,
                ["plausibility"] = decoding.Plausibility,
                ["temperature"] = decoding.DoSample ? decoding.Temperature : 0,
                ["max_tokens"] = decoding.MaxNewTokens,
            }
        );
    }
}
