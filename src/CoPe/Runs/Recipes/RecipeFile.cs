using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace CoPe.Runs.Recipes;

/// <summary>Settings records as YAML files: keys are property names in snake case, sections are nested records, a missing key keeps its default, an unknown one is an error.</summary>
public static class RecipeFile
{
    /// <summary>Reads settings of any kind; <paramref name="overrides"/> are <c>dotted.key=value</c> and win over the file, the last one over the others.</summary>
    /// <exception cref="RecipeException">The file or an override is wrong; the message says where.</exception>
    public static T Read<T>(string path, IReadOnlyList<string> overrides)
        where T : class, new()
    {
        ArgumentNullException.ThrowIfNull(overrides);
        if (!File.Exists(path)) throw new RecipeException($"recipe {path} does not exist: name a file, or a shipped recipe as listed by 'cope recipes ls'");
        return Parse<T>(File.ReadAllText(path), path, overrides);
    }

    /// <summary>Reads settings from a text; <paramref name="name"/> stands for the file in messages.</summary>
    /// <exception cref="RecipeException">The text or an override is wrong; the message says where.</exception>
    public static T Parse<T>(string text, string name, IReadOnlyList<string> overrides)
        where T : class, new()
    {
        ArgumentNullException.ThrowIfNull(overrides);
        object settings = new T();
        if (Mapping(text, name) is { } root) settings = new RecipeBinder(settings, node => $"{name} line {node.Start.Line}").Bind(root);
        foreach (var pair in overrides) settings = Override(settings, pair);
        return (T)settings;
    }

    /// <summary>Settings as a file, every default written out.</summary>
    public static string ToYaml(object settings) => RecipeWriter.Yaml(settings);

    /// <summary>Leaf keys and values of the sections and keys named, all of them when none is; without those that change speed and memory only.</summary>
    public static IReadOnlyDictionary<string, string> Values(object settings, IReadOnlyList<string> keys)
    {
        ArgumentNullException.ThrowIfNull(keys);
        var all = RecipeWriter.Leaves(settings, "").ToList();
        foreach (var key in keys)
            if (!all.Any(leaf => Covers(key, leaf.Key))) throw new ArgumentException($"no key or section '{key}' in {settings.GetType().Name}", nameof(keys));
        var chosen = all.Where(leaf => !leaf.IsSpeedOnly && (keys.Count == 0 || keys.Any(key => Covers(key, leaf.Key))));
        return new SortedDictionary<string, string>(chosen.ToDictionary(leaf => leaf.Key, leaf => leaf.Value), StringComparer.Ordinal);
    }

    static bool Covers(string key, string leaf) => leaf == key || leaf.StartsWith(key + ".", StringComparison.Ordinal);

    static object Override(object settings, string pair)
    {
        var equals = pair.IndexOf('=', StringComparison.Ordinal);
        if (equals <= 0) throw new RecipeException($"--set {pair}: expected key=value, for example dpo.beta=0.05");
        var where = $"--set {pair}";
        var text = pair[(equals + 1)..].Trim();
        var node = text.StartsWith('[') || text.StartsWith('{') ? Document(text, where)! : new YamlScalarNode(text);
        foreach (var part in pair[..equals].Trim().Split('.').Reverse()) node = new YamlMappingNode(new YamlScalarNode(part), node);
        return new RecipeBinder(settings, _ => where).Bind((YamlMappingNode)node);
    }

    static YamlMappingNode? Mapping(string text, string name) => Document(text, name) switch
    {
        null => null,
        YamlMappingNode mapping => mapping,
        YamlScalarNode { Value: null or "" } => null,
        var other => throw new RecipeException($"{name} line {other.Start.Line}: expected 'key: value' lines, found {RecipeBinder.Describe(other)}"),
    };

    static YamlNode? Document(string text, string name)
    {
        try
        {
            var stream = new YamlStream();
            stream.Load(new StringReader(text));
            return stream.Documents.Count == 0 ? null : stream.Documents[0].RootNode;
        }
        catch (YamlException error)
        {
            throw new RecipeException($"{name} line {error.Start.Line}, column {error.Start.Column}: not valid YAML: {(error.InnerException ?? error).Message}", error);
        }
    }
}
