using CoPe.Experiments.Data;

namespace CoPe.Experiments.Runs.Blocks;

/// <summary>
/// The users of a run in blocks of <c>block_users</c>, in the order of the data. Users of two blocks never share a
/// pass: what is made of a block is the same to the bit wherever, and beside whatever else, it is made.
/// </summary>
/// <param name="users">The users.</param>
/// <param name="size">Most users of a block.</param>
sealed class UserBlocks(IReadOnlyList<LampUser> users, int size)
{
    readonly Dictionary<string, int> _places = users.Index().ToDictionary(pair => pair.Item.Id, pair => pair.Index);

    /// <summary>How many there are.</summary>
    public int Count => CountFor(users.Count, size);

    /// <summary>How many there are of so many users.</summary>
    public static int CountFor(int users, int size) => (users + size - 1) / size;

    /// <summary>The users of a block.</summary>
    /// <param name="block">Its number, from 0.</param>
    public IReadOnlyList<LampUser> GetUsers(int block) => [.. users.Skip(block * size).Take(size)];

    /// <summary>Divides items, which are in the order of their users, at the borders of the blocks.</summary>
    public IEnumerable<IReadOnlyList<TItem>> Split<TItem>(IEnumerable<TItem> items, Func<TItem, string> getUser) =>
        items
            .GroupBy(item => _places[getUser(item)] / size)
            .OrderBy(block => block.Key)
            .Select(block => block.ToList());
}
