using CoPe.Adapters;
using CoPe.Modeling;
using static TorchSharp.torch;

namespace CoPe.Serving;

/// <summary>
/// The adapters in memory, of all that lie on disk: each is read when first asked for and stays while anybody uses it.
/// Where others need its memory, the one unused for longest leaves. A folder whose content has changed is another
/// adapter: who holds the former one keeps it.
/// </summary>
/// <remarks>
/// Memory is reserved before a file is read, for all adapters of a request at once, and requests that find no room wait
/// in their order: so none holds one adapter while it waits for room for the other.
/// </remarks>
sealed class AdapterResidency(DecoderConfig model, Device device, long maxBytes, int parallelReads) : IDisposable
{
    /// <summary>Tries to read a folder that is being written.</summary>
    const int MaxReads = 5;

    readonly Lock _gate = new();
    readonly Dictionary<AdapterKey, ResidentAdapter> _resident = [];
    readonly Dictionary<string, ResidentAdapter> _newest = new(StringComparer.Ordinal); // by folder
    readonly LinkedList<ResidentAdapter> _idle = []; // the longest unused first
    readonly LinkedList<Reservation> _waiting = [];
    readonly SemaphoreSlim _reads = new(parallelReads);
    long _idleBytes;
    bool _isDisposed;

    /// <summary>Memory of the adapters, those being read included.</summary>
    public long Bytes { get; private set; }

    /// <summary>Adapters in memory, those being read included.</summary>
    public int Count
    {
        get
        {
            lock (_gate)
            {
                return _resident.Count;
            }
        }
    }

    /// <summary>Adapters that were read, and those that left, since the start.</summary>
    public (long Read, long Evicted) Totals { get; private set; }

    /// <summary>Whether a folder's adapter, in any revision, is in memory.</summary>
    public bool Holds(string folder)
    {
        lock (_gate)
        {
            return _newest.ContainsKey(folder);
        }
    }

    /// <summary>The adapters of a model, read where they are not in memory; the caller gives them back.</summary>
    /// <exception cref="ServingException">One is missing, broken, or too large.</exception>
    /// <exception cref="OperationCanceledException">Cancelled; what was being read is read on for others.</exception>
    public async Task<AdapterLease> AcquireAsync(PersonalModel personal, CancellationToken cancellation)
    {
        for (var read = 1; ; read++)
        {
            try
            {
                return await TryAcquireAsync(personal, cancellation).ConfigureAwait(false);
            }
            catch (RevisionChangedException) when (read < MaxReads)
            {
                // Somebody has written a newer one meanwhile.
            }
            catch (Exception error) when (error is IOException or UnauthorizedAccessException or ModelFileException)
            {
                throw new ServingException(
                    ServingError.AdapterUnavailable,
                    $"The adapter of '{MessageText.ToOneLine(personal.Name)}' cannot be used: {error.Message} "
                        + "Its requests are refused until it is repaired; no other model answers in its place.",
                    error
                );
            }
        }
    }

    async Task<AdapterLease> TryAcquireAsync(PersonalModel personal, CancellationToken cancellation)
    {
        List<AdapterFacts> facts =
        [
            .. ((string?[])[personal.TaskAdapter, personal.UserAdapter]).OfType<string>().Select(AdapterFacts.Read),
        ];
        RefuseTooLarge(personal, facts);
        var adapters = await ReserveAsync(facts, cancellation).ConfigureAwait(false);
        var lease = new AdapterLease(this, adapters);
        try
        {
            var banks = await Task.WhenAll(adapters.Select(adapter => adapter.Bank))
                .WaitAsync(cancellation)
                .ConfigureAwait(false);
            lease.Task = personal.TaskAdapter is null ? null : banks[0];
            lease.User = personal.UserAdapter is null ? null : banks[^1];
            lease.Revision = facts.Count == 0 ? null : string.Join('-', facts.Select(one => one.Key.Revision));
            return lease;
        }
        catch
        {
            lease.Dispose();
            throw;
        }
    }

    void RefuseTooLarge(PersonalModel personal, List<AdapterFacts> facts)
    {
        var bytes = facts.Sum(one => one.Bytes);
        if (bytes > maxBytes)
        {
            throw new ServingException(
                ServingError.AdapterTooLarge,
                $"The adapters of '{MessageText.ToOneLine(personal.Name)}' take {bytes} bytes, but all together "
                    + $"may take {maxBytes}; raise {nameof(ServingOptions)}.{nameof(ServingOptions.AdapterBytes)}."
            );
        }
    }

    Task<IReadOnlyList<ResidentAdapter>> ReserveAsync(List<AdapterFacts> facts, CancellationToken cancellation)
    {
        Reservation reservation;
        lock (_gate)
        {
            if (_waiting.Count == 0 && TryReserve(facts) is { } reserved)
            {
                return Task.FromResult<IReadOnlyList<ResidentAdapter>>(reserved);
            }

            reservation = new Reservation(facts);
            _waiting.AddLast(reservation);
        }

        return WaitAsync(reservation, cancellation);
    }

    async Task<IReadOnlyList<ResidentAdapter>> WaitAsync(Reservation reservation, CancellationToken cancellation)
    {
        using var registration = cancellation.Register(() =>
        {
            lock (_gate)
            {
                if (_waiting.Remove(reservation))
                {
                    reservation.Reserved.TrySetCanceled(cancellation);
                    ServeWaiting();
                }
            }
        });
        return await reservation.Reserved.Task.ConfigureAwait(false);
    }

    /// <summary>
    /// Holds the adapters, makes room for those to be read and begins to read them; null without room.
    /// </summary>
    List<ResidentAdapter>? TryReserve(List<AdapterFacts> facts)
    {
        var known = facts.Select(one => _resident.GetValueOrDefault(one.Key)).OfType<ResidentAdapter>().ToList();
        var missing = facts.Where(one => !_resident.ContainsKey(one.Key)).ToList();
        var needed = missing.Sum(one => one.Bytes);
        var leaving = _idleBytes - known.Where(adapter => adapter.Users == 0).Sum(adapter => adapter.Bytes);
        if (Bytes - leaving + needed > maxBytes)
        {
            return null;
        }

        known.ForEach(Hold);
        while (Bytes + needed > maxBytes)
        {
            Evict(_idle.First!.Value);
        }

        List<ResidentAdapter> begun = [.. missing.Select(BeginRead)];
        begun.ForEach(Hold);
        return facts.ConvertAll(one => _resident[one.Key]);
    }

    void Hold(ResidentAdapter adapter)
    {
        if (adapter.Users++ == 0)
        {
            _idle.Remove(adapter);
            _idleBytes -= adapter.Bytes;
        }
    }

    /// <summary>A read holds its adapter until it has ended.</summary>
    ResidentAdapter BeginRead(AdapterFacts facts)
    {
        var adapter = new ResidentAdapter(facts.Key, facts.Bytes) { Users = 1 };
        _resident[facts.Key] = adapter;
        Bytes += facts.Bytes;
        var former = _newest.GetValueOrDefault(facts.Key.Folder);
        _newest[facts.Key.Folder] = adapter;
        if (former is { Users: 0 })
        {
            Evict(former);
        }

        adapter.Bank = Task.Run(() => ReadAsync(adapter));
        return adapter;
    }

    async Task<AdapterBank> ReadAsync(ResidentAdapter adapter)
    {
        await _reads.WaitAsync().ConfigureAwait(false);
        try
        {
            var bank = Read(adapter.Key);
            lock (_gate)
            {
                Totals = Totals with { Read = Totals.Read + 1 };
            }

            return bank;
        }
        catch
        {
            lock (_gate)
            {
                Forget(adapter);
            }

            throw;
        }
        finally
        {
            _reads.Release();
            Release([adapter]);
        }
    }

    AdapterBank Read(AdapterKey key)
    {
        var bank = AdapterFile.Read(key.Folder, model);
        try
        {
            if (AdapterKey.Read(key.Folder) != key)
            {
                throw new RevisionChangedException(key.Folder);
            }

            if (bank.FindNonFinite() is { } layer)
            {
                throw new ModelFileException(
                    key.Folder,
                    layer,
                    "holds NaN or infinity; expected finite numbers. Look for a training that diverged."
                );
            }
        }
        catch
        {
            bank.Dispose();
            throw;
        }

        bank = bank.MoveTo(device);
        bank.Identity = key;
        return bank;
    }

    /// <summary>Gives adapters back.</summary>
    public void Release(IReadOnlyList<ResidentAdapter> adapters)
    {
        lock (_gate)
        {
            foreach (var adapter in adapters)
            {
                if (--adapter.Users > 0 || !adapter.IsResident)
                {
                    continue;
                }

                _idle.AddLast(adapter);
                _idleBytes += adapter.Bytes;
                if (_isDisposed || _newest.GetValueOrDefault(adapter.Key.Folder) != adapter)
                {
                    Evict(adapter);
                }
            }

            ServeWaiting();
        }
    }

    void ServeWaiting()
    {
        while (_waiting.First?.Value is { } next && TryReserve(next.Facts) is { } reserved)
        {
            _waiting.RemoveFirst();
            next.Reserved.SetResult(reserved);
        }
    }

    void Evict(ResidentAdapter adapter)
    {
        _idle.Remove(adapter);
        _idleBytes -= adapter.Bytes;
        Forget(adapter);
        Totals = Totals with { Evicted = Totals.Evicted + 1 };
        adapter.Bank.Result.Dispose();
    }

    void Forget(ResidentAdapter adapter)
    {
        adapter.IsResident = false;
        _resident.Remove(adapter.Key);
        Bytes -= adapter.Bytes;
        if (_newest.GetValueOrDefault(adapter.Key.Folder) == adapter)
        {
            _newest.Remove(adapter.Key.Folder);
        }
    }

    /// <summary>Nobody may hold an adapter any more; one that is being read leaves when it is.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            _isDisposed = true;
            _idle.ToList().ForEach(Evict);
        }
    }

    /// <summary>A request for adapters that waits for room.</summary>
    sealed class Reservation(List<AdapterFacts> facts)
    {
        public List<AdapterFacts> Facts => facts;

        public TaskCompletionSource<IReadOnlyList<ResidentAdapter>> Reserved { get; } =
            new(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    /// <summary>The files of an adapter were replaced while they were read.</summary>
    sealed class RevisionChangedException(string folder)
        : IOException($"The adapter in {folder} is written again and again; expected it to stay for a moment.");
}

/// <summary>What is known of an adapter without reading it.</summary>
readonly record struct AdapterFacts(AdapterKey Key, long Bytes)
{
    public static AdapterFacts Read(string folder)
    {
        var key = AdapterKey.Read(folder);
        return new(key, AdapterFile.CountBytes(folder));
    }
}

/// <summary>An adapter in memory, or on its way there.</summary>
sealed class ResidentAdapter(AdapterKey key, long bytes)
{
    public AdapterKey Key => key;

    /// <summary>Memory of its factors.</summary>
    public long Bytes => bytes;

    /// <summary>Leases that hold it, and its read while that lasts.</summary>
    public int Users { get; set; }

    /// <summary>Whether it counts: not once it was given up, or could not be read.</summary>
    public bool IsResident { get; set; } = true;

    /// <summary>Its factors, once they are read.</summary>
    public Task<AdapterBank> Bank { get; set; } = null!;
}

/// <summary>Adapters that stay in memory until this is disposed of.</summary>
sealed class AdapterLease(AdapterResidency residency, IReadOnlyList<ResidentAdapter> adapters) : IDisposable
{
    bool _isReturned;

    /// <summary>Bank of one: the task's adapter; null for none.</summary>
    public AdapterBank? Task { get; set; }

    /// <summary>Bank of one: the user's adapter; null for none.</summary>
    public AdapterBank? User { get; set; }

    /// <summary>Names the content of the adapters; null where there is none.</summary>
    public string? Revision { get; set; }

    public void Dispose()
    {
        if (!_isReturned)
        {
            _isReturned = true;
            residency.Release(adapters);
        }
    }
}
