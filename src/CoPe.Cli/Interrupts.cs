namespace CoPe.Cli;

/// <summary>Who gets Ctrl-C: by default the command as a whole, which then ends; a verb may take it for a while.</summary>
sealed class Interrupts
{
    Func<bool>? taken;

    /// <summary>Hands Ctrl-C to <paramref name="handler"/> until the result is disposed; where it returns false, the process ends.</summary>
    public IDisposable Take(Func<bool> handler)
    {
        taken = handler;
        return new Release(this);
    }

    /// <summary>Whether somebody has taken it, and what he makes of this one; null where nobody has.</summary>
    public bool? Handle() => taken?.Invoke();

    sealed class Release(Interrupts owner) : IDisposable
    {
        public void Dispose() => owner.taken = null;
    }
}
