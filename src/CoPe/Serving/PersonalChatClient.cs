using System.Runtime.CompilerServices;
using CoPe.Decoding;
using Microsoft.Extensions.AI;

namespace CoPe.Serving;

/// <summary>A personal model as the abstractions of Microsoft.Extensions.AI know it.</summary>
/// <param name="engine">Answers; not owned.</param>
/// <param name="user">The personal model that answers where a request names none.</param>
sealed class PersonalChatClient(ServingEngine engine, string user) : IChatClient
{
    readonly ChatClientMetadata _metadata = new("cope", providerUri: null, defaultModelId: user);

    public async Task<ChatResponse> GetResponseAsync(
        IEnumerable<Microsoft.Extensions.AI.ChatMessage> messages,
        ChatOptions? options = null,
        CancellationToken cancellationToken = default
    ) =>
        await GetStreamingResponseAsync(messages, options, cancellationToken)
            .ToChatResponseAsync(cancellationToken)
            .ConfigureAwait(false);

    public async IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
        IEnumerable<Microsoft.Extensions.AI.ChatMessage> messages,
        ChatOptions? options = null,
        [EnumeratorCancellation] CancellationToken cancellationToken = default
    )
    {
        ArgumentNullException.ThrowIfNull(messages);
        var request = ChatRequest.Create(engine, messages, options, user);
        var id = Guid.NewGuid().ToString("N");
        var created = TimeProvider.System.GetUtcNow();
        var tokens = 0;
        await foreach (var token in engine.GenerateAsync(request, cancellationToken).ConfigureAwait(false))
        {
            tokens++;
            if (token.Text.Length > 0)
            {
                yield return CreateUpdate(new TextContent(token.Text));
            }

            if (token.StopReason is { } reason)
            {
                var last = CreateUpdate(new UsageContent(CountUsage(request, tokens)));
                last.FinishReason = Convert(reason);
                yield return last;
            }
        }

        ChatResponseUpdate CreateUpdate(AIContent content) =>
            new(ChatRole.Assistant, [content])
            {
                ResponseId = id,
                MessageId = id,
                CreatedAt = created,
                ModelId = request.Model,
            };
    }

    static UsageDetails CountUsage(ServingRequest request, int tokens) =>
        new()
        {
            InputTokenCount = request.Prompt.Count,
            OutputTokenCount = tokens,
            TotalTokenCount = request.Prompt.Count + tokens,
        };

    static ChatFinishReason Convert(StopReason reason) =>
        reason is StopReason.StopToken or StopReason.StopString ? ChatFinishReason.Stop : ChatFinishReason.Length;

    public object? GetService(Type serviceType, object? serviceKey = null)
    {
        ArgumentNullException.ThrowIfNull(serviceType);
        object?[] services = [this, engine, _metadata];
        return serviceKey is null ? Array.Find(services, serviceType.IsInstanceOfType) : null;
    }

    /// <summary>The engine is another's.</summary>
    public void Dispose() { }
}
