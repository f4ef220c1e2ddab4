namespace CoPe.Cli.Endpoint;

/// <summary>What an endpoint was asked for and counted; safe to add to from many requests at once.</summary>
sealed class EndpointUsage
{
    long requests;
    long retries;
    long promptTokens;
    long completionTokens;

    public void Add(EndpointReply reply)
    {
        Interlocked.Increment(ref requests);
        Interlocked.Add(ref promptTokens, reply.PromptTokens);
        Interlocked.Add(ref completionTokens, reply.CompletionTokens);
    }

    public void Retried() => Interlocked.Increment(ref retries);

    public override string ToString() => $"{requests} answered requests, {retries} sent again, {promptTokens} prompt tokens, {completionTokens} completion tokens";
}
