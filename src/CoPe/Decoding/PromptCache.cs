using CoPe.Modeling;

namespace CoPe.Decoding;

/// <summary>
/// Keys and values of prompts and their answers, kept from call to call: a request whose prompt begins as an earlier
/// one did, or as that one and its answer, computes only what follows their longest common beginning. Token ids and the
/// adapters that act on them decide what is common, so nothing needs to be told when a conversation changes. What was
/// used longest ago is given up first. Engines over one model may share it, on several threads; it owns its tensors.
/// </summary>
/// <example>
/// <code>
/// using var cache = new PromptCache();
/// var engine = new DecodingEngine(model, task, users, stopIds, new EngineOptions { PromptCache = cache });
/// </code>
/// </example>
public sealed class PromptCache : IDisposable
{
    readonly Lock _gate = new();
    readonly List<KeptPrompt> _prompts = []; // the last used last

    /// <summary>An empty cache.</summary>
    /// <param name="maxBytes">
    /// Most memory of keys and values, on the model's device: per token 12 KB at 0.5B, 131 KB for Mistral-7B. A prompt
    /// that is larger by itself is not kept.
    /// </param>
    /// <exception cref="ArgumentOutOfRangeException">There is less than one byte.</exception>
    public PromptCache(long maxBytes = 1L << 30)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(maxBytes, 1);
        MaxBytes = maxBytes;
    }

    /// <summary>Most memory of keys and values, in bytes.</summary>
    public long MaxBytes { get; }

    /// <summary>Memory of the keys and values kept, in bytes.</summary>
    public long Bytes
    {
        get
        {
            lock (_gate)
            {
                return _prompts.Sum(prompt => prompt.Bytes);
            }
        }
    }

    /// <summary>What is kept of a model, held until it is given back: the last used first.</summary>
    internal RentedPrompts Rent(CausalLm model)
    {
        lock (_gate)
        {
            var prompts = _prompts.Where(prompt => prompt.Model == model).Reverse().ToList();
            prompts.ForEach(prompt => prompt.Hold());
            return new RentedPrompts(this, prompts);
        }
    }

    /// <summary>Says that a prompt was used.</summary>
    internal void Touch(KeptPrompt prompt)
    {
        lock (_gate)
        {
            if (_prompts.Remove(prompt))
            {
                _prompts.Add(prompt);
            }
        }
    }

    internal void GiveBack(IReadOnlyList<KeptPrompt> prompts)
    {
        lock (_gate)
        {
            foreach (var prompt in prompts)
            {
                prompt.Release();
            }
        }
    }

    /// <summary>
    /// Keeps a copy of the columns computed of a row, in place of those that it begins with; nothing where one that is
    /// kept begins with them.
    /// </summary>
    /// <param name="model">The model that computed them.</param>
    /// <param name="row">The tokens and the adapters that acted on them.</param>
    /// <param name="cache">Where the columns are.</param>
    /// <param name="cacheRow">The row of it.</param>
    internal void Keep(CausalLm model, PromptRow row, KvCache cache, int cacheRow)
    {
        var bytes = row.Columns * cache.BytesPerPosition;
        if (row.Columns == 0 || bytes > MaxBytes || IsKept(model, row))
        {
            return;
        }

        // Room is made before the copy takes it.
        lock (_gate)
        {
            _prompts.FindAll(prompt => prompt.Model == model && row.BeginsWith(prompt.Row)).ForEach(Remove);
            MakeRoom(bytes);
        }

        // A caller's list may change.
        row = row with
        {
            Prompt = [.. row.Prompt],
        };
        var kept = new KeptPrompt(model, row, cache.CopyOut(cacheRow, row.Columns), bytes);
        lock (_gate)
        {
            MakeRoom(bytes);
            _prompts.Add(kept);
        }
    }

    bool IsKept(CausalLm model, PromptRow row)
    {
        lock (_gate)
        {
            var longer = _prompts.Find(prompt => prompt.Model == model && prompt.Row.BeginsWith(row));
            if (longer is null)
            {
                return false;
            }

            _prompts.Remove(longer);
            _prompts.Add(longer);
            return true;
        }
    }

    void MakeRoom(long bytes)
    {
        while (_prompts.Count > 0 && _prompts.Sum(prompt => prompt.Bytes) + bytes > MaxBytes)
        {
            Remove(_prompts[0]);
        }
    }

    void Remove(KeptPrompt prompt)
    {
        _prompts.Remove(prompt);
        prompt.Release();
    }

    /// <summary>Gives up all that is kept.</summary>
    public void Clear()
    {
        lock (_gate)
        {
            _prompts.ToList().ForEach(Remove);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => Clear();
}

/// <summary>
/// The columns of a prompt, or of a prompt and its answer. Disposed of when the cache and all who rent it have let go
/// of it; holding and releasing are under the cache's lock.
/// </summary>
/// <param name="model">The model that computed them.</param>
/// <param name="row">The tokens, of which the last is not computed, and the adapters that acted on them.</param>
/// <param name="columns">Their keys and values.</param>
/// <param name="bytes">Memory of these.</param>
sealed class KeptPrompt(CausalLm model, PromptRow row, KvColumns columns, long bytes)
{
    int _holders = 1;

    public CausalLm Model => model;

    public PromptRow Row => row;

    public KvColumns Columns => columns;

    public long Bytes => bytes;

    public void Hold() => _holders++;

    public void Release()
    {
        if (--_holders == 0)
        {
            columns.Dispose();
        }
    }
}

/// <summary>Prompts that stay as long as they are rented.</summary>
sealed class RentedPrompts(PromptCache cache, IReadOnlyList<KeptPrompt> prompts) : IDisposable
{
    /// <summary>Tokens and adapters of each.</summary>
    public IReadOnlyList<PromptRow> Rows { get; } = [.. prompts.Select(prompt => prompt.Row)];

    /// <summary>Keys and values of a prompt; the cache's.</summary>
    public KvColumns this[int prompt] => prompts[prompt].Columns;

    /// <summary>Copies the first <paramref name="length"/> columns of a prompt into a row.</summary>
    public void CopyTo(KvCache target, int row, int prompt, int length)
    {
        target.CopyIn(prompts[prompt].Columns, row, length);
        cache.Touch(prompts[prompt]);
    }

    public void Dispose() => cache.GiveBack(prompts);
}
