namespace CoPe.Cli.Http;

/// <summary>
/// The body of a reply that is held in memory. A server may send without end, or stop without a word: no more than a
/// limit is read, and nothing is waited for longer than a limit. Which characters the bytes stand for is left to who
/// reads them: servers name character sets that nobody knows.
/// </summary>
/// <param name="Bytes">The body, or its beginning.</param>
/// <param name="IsCut">Whether there is more of it.</param>
sealed record ReplyBody(ReadOnlyMemory<byte> Bytes, bool IsCut)
{
    const int PartBytes = 1 << 16;

    /// <summary>A body that trickles is given up after so many times the limit of a pause.</summary>
    const int MaxPauses = 10;

    /// <summary>Reads a body up to a limit.</summary>
    /// <exception cref="HttpRequestException">
    /// It ends early, is not what its encoding says, nothing came for <paramref name="idleLimit"/>, or little for long.
    /// </exception>
    public static async Task<ReplyBody> Read(
        HttpResponseMessage response,
        int maxBytes,
        TimeSpan idleLimit,
        CancellationToken cancellation
    )
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        deadline.CancelAfter(idleLimit * MaxPauses);
        try
        {
            return await ReadAll(response, maxBytes, idleLimit, deadline.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            var limit = idleLimit * MaxPauses;
            throw new HttpRequestException($"the reply did not end within {limit.TotalSeconds:0} s");
        }
    }

    static async Task<ReplyBody> ReadAll(
        HttpResponseMessage response,
        int maxBytes,
        TimeSpan idleLimit,
        CancellationToken cancellation
    )
    {
        using var content = await response.Content.ReadAsStreamAsync(cancellation).ConfigureAwait(false);
        using var body = new MemoryStream();
        var part = new byte[PartBytes];
        while (body.Length <= maxBytes)
        {
            var room = (int)Math.Min(part.Length, maxBytes + 1 - body.Length);
            var read = await ReadPart(content, part.AsMemory(0, room), idleLimit, cancellation).ConfigureAwait(false);
            if (read == 0)
            {
                return new(body.GetBuffer().AsMemory(0, (int)body.Length), IsCut: false);
            }

            body.Write(part, 0, read);
        }

        return new(body.GetBuffer().AsMemory(0, maxBytes), IsCut: true);
    }

    /// <summary>Reads what comes next of a body; 0 at its end.</summary>
    /// <exception cref="HttpRequestException">As of <see cref="Read"/>.</exception>
    public static async Task<int> ReadPart(
        Stream content,
        Memory<byte> part,
        TimeSpan idleLimit,
        CancellationToken cancellation
    )
    {
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        timeout.CancelAfter(idleLimit);
        try
        {
            return await content.ReadAsync(part, timeout.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            throw new HttpRequestException($"nothing came for {idleLimit.TotalSeconds:0} s");
        }
        catch (HttpIOException error)
        {
            throw new HttpRequestException(error.HttpRequestError, "the connection ended before the reply did", error);
        }
        catch (InvalidDataException error)
        {
            throw new HttpRequestException("the reply is not compressed as it says", error);
        }
        catch (IOException error)
        {
            // An error of the network, which is retried; one of the disk is not.
            throw new HttpRequestException(error.Message, error);
        }
    }
}
