namespace CoPe.Cli.Terminal;

/// <summary>The keys of a terminal, one by one.</summary>
interface IKeyReader
{
    /// <summary>Waits for a key, which the terminal does not show.</summary>
    ConsoleKeyInfo ReadKey();
}

/// <summary>The keys of the process's own terminal.</summary>
sealed class ConsoleKeyReader : IKeyReader
{
    public ConsoleKeyInfo ReadKey() => Console.ReadKey(intercept: true);
}
