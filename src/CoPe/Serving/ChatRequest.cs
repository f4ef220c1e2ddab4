using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using CoPe.Decoding;
using Microsoft.Extensions.AI;

namespace CoPe.Serving;

/// <summary>
/// From a conversation and its options to a request. Whatever cannot be done is refused by name; nothing is left out
/// in silence.
/// </summary>
static class ChatRequest
{
    /// <summary>What <c>AdditionalProperties</c> may hold.</summary>
    static readonly string[] KnownProperties =
    [
        "user",
        "contrast",
        "contrast_unless_certain",
        "plausibility",
        "repetition_penalty",
    ];

    /// <summary>The request.</summary>
    /// <param name="engine">Who answers it.</param>
    /// <param name="messages">The conversation.</param>
    /// <param name="options">How; null is the defaults.</param>
    /// <param name="user">The personal model where the options name none.</param>
    /// <exception cref="NotSupportedException">Messages or options ask for what this engine cannot do.</exception>
    /// <exception cref="ArgumentException">An option has a value that it cannot have.</exception>
    public static ServingRequest Create(
        ServingEngine engine,
        IEnumerable<Microsoft.Extensions.AI.ChatMessage> messages,
        ChatOptions? options,
        string user
    )
    {
        options ??= new ChatOptions();
        RefuseUnsupported(options);
        var conversation = messages.Select(Convert).ToList();
        if (options.Instructions is { Length: > 0 } instructions)
        {
            conversation.Insert(0, new("system", instructions));
        }

        var prompt = engine.Encoder.EncodePrompt(conversation);
        return new ServingRequest
        {
            Model = Find(options, "user")?.ToString() ?? options.ModelId ?? user,
            Prompt = prompt,
            Seed = options.Seed ?? DrawSeed(),
            Options = CreateDecodingOptions(options, engine.Config.MaxPositions - prompt.Length),
        };
    }

    static void RefuseUnsupported(ChatOptions options)
    {
        Refuse(options.Tools is { Count: > 0 }, nameof(ChatOptions.Tools), "The model calls no tools");
        Refuse(
            options.ResponseFormat is not null and not ChatResponseFormatText,
            nameof(ChatOptions.ResponseFormat),
            "Answers are plain text"
        );
        Refuse(
            options.ConversationId is not null,
            nameof(ChatOptions.ConversationId),
            "No conversation is kept here: send all of its messages"
        );
        if (options.AdditionalProperties?.Keys.FirstOrDefault(key => !KnownProperties.Contains(key)) is { } unknown)
        {
            throw new ArgumentException(
                $"AdditionalProperties has the key '{MessageText.ToOneLine(unknown)}'; known are "
                    + $"{string.Join(", ", KnownProperties)}.",
                nameof(options)
            );
        }
    }

    static void Refuse(bool isAsked, string option, string reason)
    {
        if (isAsked)
        {
            throw new NotSupportedException($"{reason}; expected a request without {option}.");
        }
    }

    static Chat.ChatMessage Convert(Microsoft.Extensions.AI.ChatMessage message)
    {
        Refuse(message.Role == ChatRole.Tool, "messages of tools", "The model calls no tools");
        var others = message.Contents.FirstOrDefault(content =>
            content is not TextContent and not TextReasoningContent
        );
        return others is null
            ? new(message.Role.Value, message.Text)
            : throw new NotSupportedException(
                $"A message of the role '{message.Role.Value}' holds {others.GetType().Name}; expected text alone."
            );
    }

    /// <summary>
    /// Without temperature, top-p and top-k the best token is taken, as with a temperature of 0; where only some are
    /// given, the others cut nothing.
    /// </summary>
    static DecodingOptions CreateDecodingOptions(ChatOptions options, int room)
    {
        var defaults = new DecodingOptions();
        var draws = options.Temperature is null
            ? options.TopP is not null || options.TopK is not null
            : options.Temperature > 0;
        return new DecodingOptions
        {
            MaxNewTokens = options.MaxOutputTokens ?? Math.Max(1, room),
            DoSample = draws,
            Temperature = draws ? options.Temperature ?? 1 : defaults.Temperature,
            TopP = options.TopP ?? 1,
            TopK = options.TopK ?? 0,
            FrequencyPenalty = options.FrequencyPenalty ?? 0,
            PresencePenalty = options.PresencePenalty ?? 0,
            StopStrings = options.StopSequences is { } stops ? [.. stops] : [],
            Contrast = FindNumber(options, "contrast") ?? defaults.Contrast,
            ContrastUnlessCertain = FindNumber(options, "contrast_unless_certain"),
            Plausibility = FindNumber(options, "plausibility") ?? defaults.Plausibility,
            RepetitionPenalty = FindNumber(options, "repetition_penalty") ?? defaults.RepetitionPenalty,
        };
    }

    static double? FindNumber(ChatOptions options, string key) =>
        Find(options, key) switch
        {
            null => null,
            JsonElement { ValueKind: JsonValueKind.Number } json => json.GetDouble(),
            IConvertible number and not string and not bool => number.ToDouble(CultureInfo.InvariantCulture),
            var other => throw new ArgumentException(
                $"AdditionalProperties has a {other.GetType().Name} for '{key}'; expected a number.",
                nameof(options)
            ),
        };

    static object? Find(ChatOptions options, string key) =>
        options.AdditionalProperties is { } properties && properties.TryGetValue(key, out var value) ? value : null;

    /// <summary>Whoever gives no seed wants another answer each time.</summary>
    internal static long DrawSeed()
    {
        Span<byte> bytes = stackalloc byte[sizeof(long)];
        RandomNumberGenerator.Fill(bytes);
        return BinaryPrimitives.ReadInt64LittleEndian(bytes) & long.MaxValue;
    }
}
