using System.Globalization;
using System.Text.Json;
using CoPe.Decoding;
using CoPe.Serving;

namespace CoPe.Server;

/// <summary>The fields by which all endpoints say who answers and how.</summary>
sealed record GenerationFields
{
    const int MostStops = 16;

    public required string Model { get; init; }

    public required DecodingOptions Options { get; init; }

    public required long Seed { get; init; }

    /// <summary>Answers to each prompt.</summary>
    public int Choices { get; init; } = 1;

    public bool Streams { get; init; }

    /// <summary>Whether the stream ends with what it has cost.</summary>
    public bool IncludesUsage { get; init; }

    /// <summary>Whether the request says itself how many tokens an answer may have.</summary>
    public bool LimitsTokens { get; init; }

    /// <summary>Most tokens of a prompt.</summary>
    public int MaxPromptTokens { get; init; } = int.MaxValue;

    /// <summary>Reads them; what is not given is as the server's own options have it.</summary>
    public static GenerationFields Read(ApiFields fields, ServerOptions server)
    {
        var most =
            fields.FindInteger("max_completion_tokens", 1, server.MaxAnswerTokens)
            ?? fields.FindInteger("max_output_tokens", 1, server.MaxAnswerTokens)
            ?? fields.FindInteger("max_tokens", 0, server.MaxAnswerTokens);
        var format = fields.FindObject("response_format")?.FindString("type");
        if (format is not (null or "text"))
        {
            throw ApiException.Invalid("Answers are plain text; leave response_format out.", "response_format");
        }

        return new GenerationFields
        {
            Model = fields.RequireString("model"),
            Options = ReadOptions(fields, server.Decoding) with
            {
                MaxNewTokens = (int)Math.Max(1, most ?? server.MaxAnswerTokens),
                StopStrings = ReadStops(fields),
            },
            LimitsTokens = most is not null,
            MaxPromptTokens = server.MaxPromptTokens,
            Seed = fields.FindInteger("seed", long.MinValue + 1, long.MaxValue) ?? ChatRequest.DrawSeed(),
            Choices = (int)(fields.FindInteger("n", 1, server.MaxChoices) ?? 1),
            Streams = fields.FindFlag("stream"),
            IncludesUsage = fields.FindObject("stream_options")?.FindFlag("include_usage") ?? false,
        };
    }

    static DecodingOptions ReadOptions(ApiFields fields, DecodingOptions defaults)
    {
        var temperature = fields.FindNumber("temperature");
        var (topP, topK) = (fields.FindNumber("top_p"), fields.FindInteger("top_k", -1, int.MaxValue));
        var options = defaults with { LogitBias = ReadBias(fields) };
        if (temperature is not null || topP is not null || topK is not null)
        {
            // As soon as the request says how to draw, what it does not say cuts nothing.
            options = options with
            {
                DoSample = temperature is not 0,
                Temperature = 1,
                TopP = 1,
                TopK = (int)Math.Max(0, topK ?? 0),
            };
            Set("temperature", temperature is 0 ? null : temperature, (all, value) => all with { Temperature = value });
            Set("top_p", topP, (all, value) => all with { TopP = value });
        }

        SetField("frequency_penalty", (all, value) => all with { FrequencyPenalty = value });
        SetField("presence_penalty", (all, value) => all with { PresencePenalty = value });
        SetField("repetition_penalty", (all, value) => all with { RepetitionPenalty = value });
        SetField("contrast", (all, value) => all with { Contrast = value });
        SetField("contrast_unless_certain", (all, value) => all with { ContrastUnlessCertain = value });
        SetField("plausibility", (all, value) => all with { Plausibility = value });
        return options;

        void SetField(string name, Func<DecodingOptions, double, DecodingOptions> set) =>
            Set(name, fields.FindNumber(name), set);

        void Set(string name, double? value, Func<DecodingOptions, double, DecodingOptions> set)
        {
            try
            {
                options = value is { } given ? set(options, given) : options;
            }
            catch (ArgumentException error)
            {
                throw ApiException.Invalid(error.Message, name);
            }
        }
    }

    static IReadOnlyList<string> ReadStops(ApiFields fields)
    {
        var stop = fields.Find("stop");
        if (stop is not { } value)
        {
            return [];
        }

        JsonElement[] all = value.ValueKind == JsonValueKind.Array ? [.. value.EnumerateArray()] : [value];
        var areStrings = all.All(one => one.ValueKind == JsonValueKind.String && one.GetString()!.Length > 0);
        return areStrings && all.Length <= MostStops
            ? [.. all.Select(one => one.GetString()!)]
            : throw fields.Wrong("stop", $"a text, or a list of up to {MostStops}, none of them empty");
    }

    static Dictionary<int, double> ReadBias(ApiFields fields)
    {
        var bias = new Dictionary<int, double>();
        if (fields.Find("logit_bias") is not { } value)
        {
            return bias;
        }

        if (value.ValueKind != JsonValueKind.Object)
        {
            throw fields.Wrong("logit_bias", "numbers of -100 to 100 by token id");
        }

        foreach (var one in value.EnumerateObject())
        {
            var isId = int.TryParse(one.Name, NumberStyles.None, CultureInfo.InvariantCulture, out var id);
            var isBias = one.Value.ValueKind == JsonValueKind.Number && Math.Abs(one.Value.GetDouble()) <= 100;
            if (!isId || !isBias)
            {
                throw fields.Wrong("logit_bias", "numbers of -100 to 100 by token id");
            }

            bias[id] = one.Value.GetDouble();
        }

        return bias;
    }

    /// <summary>The request for one answer to a prompt.</summary>
    /// <param name="prompt">Its ids.</param>
    /// <param name="choice">Number of the answer.</param>
    /// <param name="alternatives">Likeliest tokens to name beside each; null for no log-probabilities.</param>
    /// <param name="client">Who asks.</param>
    /// <exception cref="ApiException">The prompt is longer than the server takes.</exception>
    public ServingRequest CreateRequest(IReadOnlyList<int> prompt, int choice, int? alternatives, string client)
    {
        if (prompt.Count > MaxPromptTokens)
        {
            throw ApiException.Invalid(
                $"The prompt has {prompt.Count} tokens; this server takes up to {MaxPromptTokens}.",
                null
            );
        }

        return new()
        {
            Model = Model,
            Prompt = prompt,
            Options = Options,
            Seed = Seed,
            Sample = choice,
            Alternatives = alternatives,
            Client = client,
        };
    }
}
