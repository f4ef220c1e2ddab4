using System.Security.Cryptography;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Net.Http.Headers;

namespace CoPe.Server.Page;

/// <summary>
/// The page at <c>/</c> and its files under <c>/page</c>, which are embedded as they are written: nothing is built, and
/// nothing is loaded from elsewhere. They hold nothing of any user, so that they are served without a key.
/// </summary>
static class PageFiles
{
    const string Prefix = "page/";
    const string Index = "index.html";

    /// <summary>
    /// What the page may do: run its own scripts, ask its own server, and nothing else; no text becomes markup or code.
    /// </summary>
    const string Policy =
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; "
        + "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
        + "require-trusted-types-for 'script'; trusted-types 'none'";

    static readonly Dictionary<string, PageFile> Files = ReadAll().ToDictionary(file => file.Path);

    /// <summary>Whether a request asks for the page or one of its files.</summary>
    public static bool Has(HttpRequest request) => Files.ContainsKey(request.Path.Value ?? "");

    /// <summary>Lets a server answer with them.</summary>
    public static void Map(IEndpointRouteBuilder routes)
    {
        foreach (var file in Files.Values)
        {
            routes.MapMethods(file.Path, [HttpMethods.Get, HttpMethods.Head], context => WriteAsync(context, file));
        }
    }

    static async Task WriteAsync(HttpContext context, PageFile file)
    {
        var (request, response) = (context.Request, context.Response);
        var headers = response.Headers;
        headers.ContentSecurityPolicy = Policy;
        headers["Referrer-Policy"] = "no-referrer";
        headers["Cross-Origin-Opener-Policy"] = "same-origin";
        headers["Cross-Origin-Resource-Policy"] = "same-origin";
        // A server of another version may stand behind the same address the next time.
        headers.CacheControl = "no-cache";
        headers.ETag = file.Tag.ToString();
        var known = request.GetTypedHeaders().IfNoneMatch;
        if (known.Any(tag => tag.Compare(file.Tag, useStrongComparison: false)))
        {
            response.StatusCode = StatusCodes.Status304NotModified;
            return;
        }

        response.ContentType = file.ContentType;
        response.ContentLength = file.Content.Length;
        if (!HttpMethods.IsHead(request.Method))
        {
            await response.Body.WriteAsync(file.Content, context.RequestAborted).ConfigureAwait(false);
        }
    }

    static IEnumerable<PageFile> ReadAll()
    {
        var assembly = typeof(PageFiles).Assembly;
        foreach (
            var resource in assembly
                .GetManifestResourceNames()
                .Where(name => name.StartsWith(Prefix, StringComparison.Ordinal))
        )
        {
            using var stream = assembly.GetManifestResourceStream(resource)!;
            var content = new byte[stream.Length];
            stream.ReadExactly(content);
            var tag = new EntityTagHeaderValue($"\"{Convert.ToHexStringLower(SHA256.HashData(content))[..32]}\"");
            var path = resource == Prefix + Index ? "/" : "/" + resource;
            yield return new PageFile(path, ContentTypeOf(resource), content, tag);
        }
    }

    static string ContentTypeOf(string name) =>
        Path.GetExtension(name) switch
        {
            ".html" => "text/html; charset=utf-8",
            ".css" => "text/css; charset=utf-8",
            ".js" => "text/javascript; charset=utf-8",
            ".svg" => "image/svg+xml; charset=utf-8",
            _ => throw new InvalidOperationException($"{name} of the page has no content type"),
        };

    /// <summary>A file of the page.</summary>
    /// <param name="Path">Its address.</param>
    /// <param name="ContentType">Its kind.</param>
    /// <param name="Content">Its bytes.</param>
    /// <param name="Tag">Changes with its content.</param>
    sealed record PageFile(string Path, string ContentType, byte[] Content, EntityTagHeaderValue Tag);
}
