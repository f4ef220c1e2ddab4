namespace CoPe.Serving;

/// <summary>
/// Waiting items of many clients: the next is one of the client who has least under way and, among equals, was served
/// longest ago. A client's own items keep their order. Not safe to share between threads.
/// </summary>
sealed class FairQueue<T>
    where T : class
{
    readonly Dictionary<string, Queue<T>> _waiting = new(StringComparer.Ordinal);
    readonly LinkedList<string> _clients = []; // those with waiting items, the one served last at the end

    /// <summary>Items of all clients.</summary>
    public int Count { get; private set; }

    /// <summary>Items of one client.</summary>
    public int CountOf(string client) => _waiting.TryGetValue(client, out var items) ? items.Count : 0;

    public void Enqueue(string client, T item)
    {
        if (!_waiting.TryGetValue(client, out var items))
        {
            items = new Queue<T>();
            _waiting[client] = items;
            _clients.AddLast(client);
        }

        items.Enqueue(item);
        Count++;
    }

    /// <summary>Takes the next item; null where none waits.</summary>
    /// <param name="countUnderWay">How much of a client is under way.</param>
    public T? Dequeue(Func<string, int> countUnderWay)
    {
        if (_clients.MinBy(countUnderWay) is not { } client)
        {
            return null;
        }

        var items = _waiting[client];
        var item = items.Dequeue();
        Count--;
        _clients.Remove(client);
        if (items.Count > 0)
        {
            _clients.AddLast(client);
        }
        else
        {
            _waiting.Remove(client);
        }

        return item;
    }

    /// <summary>Takes out every item of which this is true.</summary>
    public List<T> RemoveAll(Predicate<T> match)
    {
        var removed = new List<T>();
        foreach (var (client, items) in _waiting.ToList())
        {
            var gone = items.Where(item => match(item)).ToList();
            if (gone.Count == 0)
            {
                continue;
            }

            removed.AddRange(gone);
            var kept = new Queue<T>(items.Except(gone));
            Count -= gone.Count;
            _waiting[client] = kept;
            if (kept.Count == 0)
            {
                _waiting.Remove(client);
                _clients.Remove(client);
            }
        }

        return removed;
    }
}

/// <summary>Rows of each client.</summary>
sealed class ClientRows
{
    readonly HashSet<PendingRequest> _requests = [];
    readonly Dictionary<string, int> _rows = new(StringComparer.Ordinal);

    public int Total { get; private set; }

    public int CountOf(string client) => _rows.GetValueOrDefault(client);

    public void Add(PendingRequest request)
    {
        _requests.Add(request);
        Change(request.Client, request.RowCount);
    }

    public bool Remove(PendingRequest request)
    {
        if (!_requests.Remove(request))
        {
            return false;
        }

        Change(request.Client, -request.RowCount);
        return true;
    }

    void Change(string client, int rows)
    {
        Total += rows;
        var left = CountOf(client) + rows;
        if (left == 0)
        {
            _rows.Remove(client);
        }
        else
        {
            _rows[client] = left;
        }
    }
}
