using CoPe.Adapters;
using CoPe.Kernels.Threads;
using CoPe.Kernels.Torch;
using CoPe.Modeling;
using static TorchSharp.torch;

namespace CoPe.Scoring;

/// <summary>
/// Keys and values of prompts, for the passes that compute what follows them: the epochs of a training, policy and
/// reference, the selection of answers. Each prompt is computed in a pass of its own, so that its bits depend neither
/// on the rows it is needed for nor on what was kept. Beyond its bound it drops those unused for longest. For several
/// threads at once. Owns the keys and values.
/// </summary>
/// <param name="megabytes">
/// Most MB (2^20 bytes) kept; what passes in progress use may exceed it until they end. 0 keeps nothing else.
/// </param>
sealed class PrefixCache(int megabytes) : IDisposable
{
    /// <summary>Bound where no other is given.</summary>
    public const int DefaultMegabytes = 1024;

    readonly object _gate = new();
    readonly Dictionary<(CausalLm Model, PromptPrefix Prefix), Entry> _entries = [];
    readonly LinkedList<Entry> _unused = []; // those that no lease holds, unused for longest first
    long _bytes;
    long _computed;

    /// <summary>Bytes of all prompts kept.</summary>
    public long Bytes => Interlocked.Read(ref _bytes);

    /// <summary>Prompts computed so far.</summary>
    public long ComputedCount => Interlocked.Read(ref _computed);

    /// <summary>
    /// Keys and values of the prefixes of a pass's rows, computed where they are missing; kept at least until the lease
    /// is disposed.
    /// </summary>
    /// <param name="model">The model.</param>
    /// <param name="rows">The prefix of each row.</param>
    /// <param name="isAlone">Whether a prefix is computed by one of torch's threads, whatever the caller has.</param>
    public PrefixLease Rent(CausalLm model, IReadOnlyList<PromptPrefix> rows, bool isAlone)
    {
        var rented = RentEntries(model, rows, isAlone);
        try
        {
            var caches = rented.ToDictionary(pair => pair.Key, pair => pair.Value.Cache.Value);
            return new(this, [.. rented.Values], new CachedPrefix([.. rows.Select(row => caches[row])]));
        }
        catch
        {
            Return(rented.Values);
            throw;
        }
    }

    /// <summary>Drops what no pass in progress uses.</summary>
    public void Clear()
    {
        bool isEmpty;
        lock (_gate)
        {
            isEmpty = _unused.Count == 0;
            Trim(0);
        }

        if (!isEmpty)
        {
            NativeHeap.ReleaseFreedMemory();
        }
    }

    public void Dispose() => Clear();

    Dictionary<PromptPrefix, Entry> RentEntries(CausalLm model, IReadOnlyList<PromptPrefix> rows, bool isAlone)
    {
        lock (_gate)
        {
            var rented = rows.Distinct().ToDictionary(prefix => prefix, prefix => FindOrAdd(model, prefix, isAlone));
            foreach (var entry in rented.Values)
            {
                if (entry.Unused is not null)
                {
                    _unused.Remove(entry.Unused);
                    entry.Unused = null;
                }

                entry.Leases++;
            }

            Trim(MaxBytes);
            return rented;
        }
    }

    long MaxBytes => (long)megabytes << 20;

    Entry FindOrAdd(CausalLm model, PromptPrefix prefix, bool isAlone)
    {
        if (!_entries.TryGetValue((model, prefix), out var entry))
        {
            entry = new Entry(model, prefix, () => Compute(model, prefix, isAlone));
            _entries.Add((model, prefix), entry);
            _bytes += entry.Bytes;
        }

        return entry;
    }

    /// <summary>Ends a lease.</summary>
    internal void Return(IEnumerable<Entry> entries)
    {
        lock (_gate)
        {
            foreach (var entry in entries.Where(entry => --entry.Leases == 0))
            {
                if (entry.Cache.IsValueCreated)
                {
                    entry.Unused = _unused.AddLast(entry);
                }
                else
                {
                    Remove(entry); // computing it failed: the next one tries again
                }
            }

            Trim(MaxBytes);
        }
    }

    void Trim(long maxBytes)
    {
        while (_bytes > maxBytes && _unused.First is { } oldest)
        {
            _unused.RemoveFirst();
            Remove(oldest.Value);
            oldest.Value.Cache.Value.Dispose();
        }
    }

    void Remove(Entry entry)
    {
        _entries.Remove((entry.Model, entry.Prefix));
        _bytes -= entry.Bytes;
    }

    KvCache Compute(CausalLm model, PromptPrefix prefix, bool isAlone)
    {
        using var threads = isAlone ? TorchThreads.UseOne() : default;
        using var scope = NewDisposeScope();
        using var mode = inference_mode(false); // what is kept takes part in passes with a gradient
        using var noGrad = no_grad();
        using var adapters = prefix.Adapter is null ? null : AdapterRows.All(prefix.Adapter);
        long[] ids = [.. prefix.Ids.Select(id => (long)id)];
        using var batch = new TokenBatch(tensor(ids, [1, ids.Length], device: model.Device));
        var cache = new KvCache(model, 1, ids.Length) { ReleasesMemory = false };
        try
        {
            model.Prefill(batch, adapters, cache.Slice(0, 1, ids.Length));
        }
        catch
        {
            cache.Dispose();
            throw;
        }

        Interlocked.Increment(ref _computed);
        return cache;
    }

    /// <summary>A prompt that is kept or being computed.</summary>
    internal sealed class Entry(CausalLm model, PromptPrefix prefix, Func<KvCache> compute)
    {
        public CausalLm Model { get; } = model;

        public PromptPrefix Prefix { get; } = prefix;

        /// <summary>The first who asks computes it, others wait.</summary>
        public Lazy<KvCache> Cache { get; } = new(compute);

        public long Bytes { get; } = KvCache.CountBytes(model, 1, prefix.Ids.Count);

        /// <summary>Passes in progress that use it.</summary>
        public int Leases { get; set; }

        /// <summary>Its place among those that no lease holds; null while one does.</summary>
        public LinkedListNode<Entry>? Unused { get; set; }
    }
}

/// <summary>The prefixes of a pass's rows, which stay where they are until this is disposed.</summary>
sealed class PrefixLease : IDisposable
{
    readonly PrefixCache _owner;
    IReadOnlyList<PrefixCache.Entry> _entries;

    public PrefixLease(PrefixCache owner, IReadOnlyList<PrefixCache.Entry> entries, CachedPrefix columns)
    {
        _owner = owner;
        _entries = entries;
        Columns = columns;
    }

    /// <summary>Keys and values of the first columns of each row.</summary>
    public CachedPrefix Columns { get; }

    public void Dispose()
    {
        _owner.Return(_entries);
        _entries = [];
    }
}
