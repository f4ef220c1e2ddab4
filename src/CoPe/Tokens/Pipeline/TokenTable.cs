namespace CoPe.Tokens.Pipeline;

/// <summary>Tokens by id and ids by token, added tokens over those of the model.</summary>
internal sealed class TokenTable
{
    readonly string?[] _tokens;
    readonly HashSet<int> _special;
    readonly Dictionary<string, int> _added;
    readonly IReadOnlyDictionary<string, int> _ids;

    public TokenTable(IReadOnlyDictionary<string, int> ids, IReadOnlyList<AddedToken> added)
    {
        _ids = ids;
        _tokens = new string?[ids.Values.Concat(added.Select(token => token.Id)).DefaultIfEmpty(-1).Max() + 1];
        foreach (var (token, id) in ids) _tokens[id] = token;
        foreach (var token in added) _tokens[token.Id] = token.Content;
        _added = added.GroupBy(token => token.Content).ToDictionary(group => group.Key, group => group.Last().Id, StringComparer.Ordinal);
        _special = [.. added.Where(token => token.Special).Select(token => token.Id)];
    }

    public int Count => _tokens.Length;

    public int? IdOf(string token) => _added.TryGetValue(token, out var id) || _ids.TryGetValue(token, out id) ? id : null;

    public string? TokenOf(int id) => (uint)id < (uint)_tokens.Length ? _tokens[id] : null;

    public bool IsSpecial(int id) => _special.Contains(id);
}
