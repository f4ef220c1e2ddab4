using System.Globalization;
using System.Text.Json.Nodes;
using CoPe.Serving;
using Microsoft.AspNetCore.Http;

namespace CoPe.Server;

/// <summary>A request that is refused, as OpenAI's API words it.</summary>
/// <param name="status">HTTP's status.</param>
/// <param name="type">What kind of error.</param>
/// <param name="message">What was found, what was expected, what to do; nothing of the server's own paths.</param>
sealed class ApiException(int status, string type, string message) : Exception(message)
{
    public int Status => status;

    public string Type => type;

    /// <summary>The field that is wrong.</summary>
    public string? Param { get; init; }

    /// <summary>A word for programs.</summary>
    public string? Code { get; init; }

    public TimeSpan? RetryAfter { get; init; }

    /// <summary>A field that cannot be as it is.</summary>
    public static ApiException Invalid(string message, string? param) =>
        new(StatusCodes.Status400BadRequest, "invalid_request_error", message) { Param = param };

    /// <summary>What a failure is to the client; null where nothing is known of it.</summary>
    public static ApiException? From(Exception error) =>
        error switch
        {
            ApiException api => api,
            ServingException serving => From(serving),
            BadHttpRequestException bad => new(bad.StatusCode, "invalid_request_error", bad.Message),
            OperationCanceledException => Unavailable("The server is stopping.", "draining", TimeSpan.FromSeconds(5)),
            ArgumentException argument => Invalid(argument.Message, null),
            _ => null,
        };

    static ApiException From(ServingException error) =>
        error.Error switch
        {
            ServingError.UnknownModel => new(StatusCodes.Status404NotFound, "invalid_request_error", error.Message)
            {
                Param = "model",
                Code = "model_not_found",
            },
            ServingError.UserQueueFull => new(
                StatusCodes.Status429TooManyRequests,
                "rate_limit_exceeded",
                error.Message
            )
            {
                Code = "rate_limit_exceeded",
                RetryAfter = error.RetryAfter,
            },
            ServingError.AdapterUnavailable => Unavailable(
                "The adapter of this model cannot be used; the server's log says why. No other answers in its place.",
                "adapter_unavailable",
                null
            ),
            ServingError.AdapterTooLarge => Unavailable(
                "The adapters of this model take more memory than the server has for all.",
                "adapter_too_large",
                null
            ),
            ServingError.Stopping => Unavailable(error.Message, "draining", TimeSpan.FromSeconds(5)),
            _ => Unavailable(error.Message, "overloaded", error.RetryAfter),
        };

    static ApiException Unavailable(string message, string code, TimeSpan? retryAfter) =>
        new(StatusCodes.Status503ServiceUnavailable, "server_error", message) { Code = code, RetryAfter = retryAfter };

    /// <summary>The error object.</summary>
    public JsonObject ToJson() =>
        new()
        {
            ["error"] = new JsonObject
            {
                ["message"] = Message,
                ["type"] = type,
                ["param"] = Param,
                ["code"] = Code,
            },
        };

    /// <summary>Writes the whole response.</summary>
    public async Task WriteAsync(HttpContext context)
    {
        context.Response.StatusCode = status;
        if (RetryAfter is { } wait)
        {
            var seconds = Math.Ceiling(wait.TotalSeconds);
            context.Response.Headers.RetryAfter = seconds.ToString(CultureInfo.InvariantCulture);
        }

        await context.WriteJsonAsync(ToJson()).ConfigureAwait(false);
    }
}
