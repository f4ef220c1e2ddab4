using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json.Nodes;
using System.Threading.Channels;
using CoPe.Serving;
using CoPe.Tokens;

namespace CoPe.Server;

/// <summary>A token of one of several answers.</summary>
readonly record struct ChoiceToken(int Choice, ServedToken Token);

/// <summary>Several answers at the same time.</summary>
static class Choices
{
    /// <summary>The tokens of all answers as they come; what ends one with an error ends all.</summary>
    public static async IAsyncEnumerable<ChoiceToken> GenerateAsync(
        ServingEngine engine,
        IReadOnlyList<ServingRequest> requests,
        [EnumeratorCancellation] CancellationToken cancellation
    )
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var tokens = Channel.CreateUnbounded<ChoiceToken>(new UnboundedChannelOptions { SingleReader = true });
        var all = Task.WhenAll(requests.Select(Pump));
        _ = all.ContinueWith(
            done => tokens.Writer.TryComplete(done.Exception?.InnerException),
            CancellationToken.None,
            TaskContinuationOptions.ExecuteSynchronously,
            TaskScheduler.Default
        );
        try
        {
            await foreach (var token in tokens.Reader.ReadAllAsync(cancellation).ConfigureAwait(false))
            {
                yield return token;
            }
        }
        finally
        {
            await ending.CancelAsync().ConfigureAwait(false);
        }

        async Task Pump(ServingRequest request, int choice)
        {
            try
            {
                await foreach (var token in engine.GenerateAsync(request, ending.Token).ConfigureAwait(false))
                {
                    tokens.Writer.TryWrite(new(choice, token));
                }
            }
            catch (Exception error)
            {
                // The reader hears of the first one, and the others end.
                tokens.Writer.TryComplete(error);
                await ending.CancelAsync().ConfigureAwait(false);
            }
        }
    }

    /// <summary>The tokens of each answer.</summary>
    public static async Task<List<ServedToken>[]> CollectAsync(
        ServingEngine engine,
        IReadOnlyList<ServingRequest> requests,
        CancellationToken cancellation
    )
    {
        List<ServedToken>[] answers = [.. requests.Select(_ => new List<ServedToken>())];
        await foreach (var (choice, token) in GenerateAsync(engine, requests, cancellation).ConfigureAwait(false))
        {
            answers[choice].Add(token);
        }

        return answers;
    }

    public static string TextOf(IEnumerable<ServedToken> tokens) => string.Concat(tokens.Select(token => token.Text));

    /// <summary>OpenAI's word for why an answer ended; null where it goes on.</summary>
    public static string? FinishReason(ServedToken token) =>
        token.StopReason is { } reason ? ServingTelemetry.FinishName(reason) : null;

    public static JsonObject Usage(int prompt, int generated) =>
        new()
        {
            ["prompt_tokens"] = prompt,
            ["completion_tokens"] = generated,
            ["total_tokens"] = prompt + generated,
        };
}

/// <summary>Log-probabilities of tokens as OpenAI's chat API writes them.</summary>
/// <param name="tokenizer">Knows the tokens' texts.</param>
sealed class TokenLogProbs(Tokenizer tokenizer)
{
    /// <summary>JSON has no infinity.</summary>
    const float Least = -9999;

    public string TextOf(int id) => tokenizer.Decode([id], skipSpecialTokens: false);

    public static float Bound(float logProb) => Math.Max(Least, logProb);

    /// <summary>
    /// A token, its alternatives and, beyond OpenAI's fields, the implicit reward of each and whether the contrast was
    /// left out.
    /// </summary>
    public JsonObject Create(ServedToken token)
    {
        var entry = CreateEntry(token.Id, token.LogProb!.Value, token.ImplicitReward);
        if (token.ImplicitReward is not null)
        {
            entry["without_contrast"] = token.WithoutContrast;
        }

        var rewards = token.AlternativeRewards;
        var alternatives = token.Alternatives.Select(
            (one, index) => CreateEntry(one.Id, one.LogProb, index < rewards.Count ? rewards[index] : null)
        );
        entry["top_logprobs"] = new JsonArray([.. alternatives]);
        return entry;
    }

    JsonObject CreateEntry(int id, float logProb, float? reward)
    {
        var text = TextOf(id);
        var entry = new JsonObject
        {
            ["token"] = text,
            ["logprob"] = Bound(logProb),
            ["bytes"] = new JsonArray([.. Encoding.UTF8.GetBytes(text).Select(one => JsonValue.Create((int)one))]),
        };
        if (reward is { } given)
        {
            entry["implicit_reward"] = Math.Clamp(given, Least, -Least);
        }

        return entry;
    }
}
