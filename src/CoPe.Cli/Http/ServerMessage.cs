using System.Net;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace CoPe.Cli.Http;

/// <summary>
/// What a server says about an error: in the JSON that OpenAI, Hugging Face, FastAPI and others send, or in a page or a
/// plain text of whatever stands between.
/// </summary>
/// <param name="Text">Its words, empty where it has none. They are not fit to be shown as they are.</param>
/// <param name="Code">Its name for the error, for example <c>insufficient_quota</c>; else empty.</param>
sealed partial record ServerMessage(string Text, string Code)
{
    /// <summary>Bytes of a body that are read for its message.</summary>
    public const int MaxBytes = 1 << 14;

    const int MaxShownLength = 300;

    /// <summary>The message in a body; only the beginning of a long one is read.</summary>
    public static ServerMessage Read(ReadOnlyMemory<byte> body)
    {
        var head = body[..Math.Min(body.Length, MaxBytes)];
        return ReplyJson.Read(head, FindError) ?? new(DescribeText(Encoding.UTF8.GetString(head.Span).Trim()), "");
    }

    static ServerMessage? FindError(JsonElement? json)
    {
        var error = json is { ValueKind: JsonValueKind.Array } list ? ReplyJson.List(list).FirstOrDefault() : json;
        return error is { ValueKind: JsonValueKind.Object } found ? ReadJson(found) : null;
    }

    /// <summary>The words as they stand in a message: without the secret, on one line, cut.</summary>
    public string Show(string? secret) => Show(Text, secret);

    /// <summary>A server's words as they stand in a message: without the secret, on one line, cut.</summary>
    public static string Show(string text, string? secret)
    {
        var head = text.Length > MaxBytes ? text[..MaxBytes] : text;
        var line = MessageText.ToOneLine(Secret.Redact(head, secret));
        return MessageText.Shorten(line, MaxShownLength);
    }

    static ServerMessage ReadJson(JsonElement json)
    {
        var error = ReplyJson.Find(json, "error") ?? json;
        var text =
            ReplyJson.Text(error)
            ?? ReplyJson.FindText(error, "message")
            ?? DescribeDetail(ReplyJson.Find(json, "detail"))
            ?? ReplyJson.FindText(json, "message")
            ?? ReplyJson.FindText(json, "title")
            ?? ReplyJson.RawText(error);
        if (ReplyJson.FindText(error, "param") is { } field && !text.Contains(field, StringComparison.Ordinal))
        {
            text = $"{text} ({field})";
        }

        var code = ReplyJson.FindText(error, "code") ?? ReplyJson.FindText(error, "type") ?? "";
        return new(text, code);
    }

    /// <summary>FastAPI's detail: a text, or a list of fields and what is wrong with each.</summary>
    static string? DescribeDetail(JsonElement? detail)
    {
        if (ReplyJson.Text(detail) is { } text)
        {
            return text;
        }

        var problems = ReplyJson
            .List(detail)
            .Select(problem =>
            {
                var place = string.Join('.', ReplyJson.List(ReplyJson.Find(problem, "loc")).Select(DescribePart));
                return $"{place}: {ReplyJson.FindText(problem, "msg")}";
            })
            .ToList();
        return problems.Count > 0 ? string.Join("; ", problems) : null;
    }

    static string DescribePart(JsonElement part) => ReplyJson.Text(part) ?? ReplyJson.RawText(part);

    /// <summary>A text as it is; of a page of a gateway, a proxy or a firewall the title.</summary>
    static string DescribeText(string text)
    {
        if (!text.StartsWith('<'))
        {
            return text;
        }

        var title = PageTitle().Match(text).Groups["title"].Value;
        return title.Length > 0 ? $"a page '{WebUtility.HtmlDecode(title).Trim()}'" : "a page";
    }

    [GeneratedRegex(@"<title\b[^>]{0,200}>\s*(?<title>[^<]{1,200})", RegexOptions.IgnoreCase)]
    private static partial Regex PageTitle();
}
