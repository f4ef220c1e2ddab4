using System.Text;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace CoPe.Experiments.Runs.Recipes;

/// <summary>
/// Settings records as YAML files: keys are property names in snake case, sections are nested records, a missing key
/// keeps its default, an unknown one is an error.
/// </summary>
public static class RecipeFile
{
    /// <summary>
    /// Reads settings of any kind; <paramref name="overrides"/> are <c>dotted.key=value</c> and win over the file, the
    /// last one over the others.
    /// </summary>
    /// <exception cref="RecipeException">The file or an override is wrong; the message says where.</exception>
    public static T Read<T>(string path, IReadOnlyList<string> overrides)
        where T : class, new()
    {
        ArgumentNullException.ThrowIfNull(overrides);
        if (!File.Exists(path))
        {
            throw new RecipeException(
                $"recipe {path} does not exist: name a file, or a shipped recipe as listed by 'cope recipes ls'"
            );
        }

        return Parse<T>(File.ReadAllText(path), path, overrides);
    }

    /// <summary>Reads settings from a text; <paramref name="name"/> stands for the file in messages.</summary>
    /// <exception cref="RecipeException">The text or an override is wrong; the message says where.</exception>
    public static T Parse<T>(string text, string name, IReadOnlyList<string> overrides)
        where T : class, new()
    {
        ArgumentNullException.ThrowIfNull(overrides);
        object settings = new T();
        if (ParseMapping(text, name) is { } root)
        {
            settings = new RecipeBinder(settings, node => $"{name} line {node.Start.Line}").Bind(root);
        }

        foreach (var pair in overrides)
        {
            settings = ApplyOverride(settings, pair);
        }

        return (T)settings;
    }

    /// <summary>Settings as a file, every default written out.</summary>
    public static string ToYaml(object settings) => RecipeWriter.ToYaml(settings);

    /// <summary>
    /// Leaf keys and values of the sections and keys named, all of them when none is; without those that change speed
    /// and memory only.
    /// </summary>
    public static IReadOnlyDictionary<string, string> Values(object settings, IReadOnlyList<string> keys)
    {
        ArgumentNullException.ThrowIfNull(keys);
        var all = RecipeWriter.EnumerateLeaves(settings, "").ToList();
        foreach (var key in keys)
        {
            if (!all.Any(leaf => Covers(key, leaf.Key)))
            {
                throw new ArgumentException($"no key or section '{key}' in {settings.GetType().Name}", nameof(keys));
            }
        }

        var chosen = all.Where(leaf =>
            !leaf.IsSpeedOnly && (keys.Count == 0 || keys.Any(key => Covers(key, leaf.Key)))
        );
        return new SortedDictionary<string, string>(
            chosen.ToDictionary(leaf => leaf.Key, leaf => leaf.Value),
            StringComparer.Ordinal
        );
    }

    static bool Covers(string key, string leaf) => leaf == key || leaf.StartsWith(key + ".", StringComparison.Ordinal);

    static object ApplyOverride(object settings, string pair)
    {
        var equals = pair.IndexOf('=', StringComparison.Ordinal);
        if (equals <= 0)
        {
            throw new RecipeException($"--set {pair}: expected key=value, for example dpo.beta=0.05");
        }

        var where = $"--set {pair}";
        var text = pair[(equals + 1)..].Trim();
        var node =
            text.StartsWith('[') || text.StartsWith('{') ? ParseDocument(text, where)! : new YamlScalarNode(text);
        foreach (var part in pair[..equals].Trim().Split('.').Reverse())
        {
            node = new YamlMappingNode(new YamlScalarNode(part), node);
        }

        return new RecipeBinder(settings, _ => where).Bind((YamlMappingNode)node);
    }

    static YamlMappingNode? ParseMapping(string text, string name) =>
        ParseDocument(text, name) switch
        {
            null => null,
            YamlMappingNode mapping => mapping,
            YamlScalarNode { Value: null or "" } => null,
            var other => throw new RecipeException(
                $"{name} line {other.Start.Line}: expected 'key: value' lines, found {RecipeBinder.Describe(other)}"
            ),
        };

    static YamlNode? ParseDocument(string text, string name)
    {
        try
        {
            var stream = new YamlStream();
            stream.Load(new StringReader(text));
            return stream.Documents.Count == 0 ? null : stream.Documents[0].RootNode;
        }
        catch (YamlException error)
        {
            throw new RecipeException(
                $"{name} line {error.Start.Line}, column {error.Start.Column}: not valid YAML: {(error.InnerException ?? error).Message}",
                error
            );
        }
    }
}

/// <summary>Settings records as YAML text and as flat keys.</summary>
static class RecipeWriter
{
    /// <summary>Leaf keys and their values as text, in the order of declaration.</summary>
    public static IEnumerable<RecipeLeaf> EnumerateLeaves(object settings, string prefix)
    {
        foreach (var (key, property) in RecipeSchema.GetProperties(settings.GetType()))
        {
            if (!RecipeSchema.IsSection(property.PropertyType))
            {
                yield return new(
                    prefix + key,
                    RecipeSchema.Format(property.GetValue(settings)),
                    property.IsDefined(typeof(SpeedOnlyAttribute), inherit: true)
                );
            }
            else
            {
                foreach (var leaf in EnumerateLeaves(property.GetValue(settings)!, prefix + key + "."))
                {
                    yield return leaf;
                }
            }
        }
    }

    /// <summary>The record as YAML.</summary>
    public static string ToYaml(object settings)
    {
        var text = new StringBuilder();
        Append(text, settings, "");
        return text.ToString();
    }

    static void Append(StringBuilder text, object settings, string indent)
    {
        foreach (var (key, property) in RecipeSchema.GetProperties(settings.GetType()))
        {
            text.Append(indent).Append(key).Append(':');
            var value = property.GetValue(settings);
            if (RecipeSchema.IsSection(property.PropertyType))
            {
                text.Append('\n');
                Append(text, value!, indent + "  ");
            }
            else
            {
                text.Append(' ').Append(RecipeSchema.Format(value)).Append('\n');
            }
        }
    }
}

/// <summary>One value of a settings record.</summary>
/// <param name="Key">Dotted key.</param>
/// <param name="Value">Value as text.</param>
/// <param name="IsSpeedOnly">It changes speed and memory, and no result.</param>
readonly record struct RecipeLeaf(string Key, string Value, bool IsSpeedOnly);

/// <summary>
/// A recipe that cannot be used: the message names the file and line or the override, the key, what was found and what
/// was expected.
/// </summary>
public sealed class RecipeException : Exception
{
    /// <summary>With its message.</summary>
    public RecipeException(string message)
        : base(message) { }

    /// <summary>With its message and cause.</summary>
    public RecipeException(string message, Exception inner)
        : base(message, inner) { }

    /// <summary>Without particulars.</summary>
    public RecipeException() { }
}
