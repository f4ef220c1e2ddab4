using System.Text.Json;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace CoPe.Experiments.Settings;

/// <summary>
/// Settings records as YAML files: keys are property names in snake case, sections are nested records, a missing key
/// keeps its default, an unknown one is an error.
/// </summary>
public static class SettingsFile
{
    /// <summary>
    /// Reads settings of any kind; <paramref name="overrides"/> are <c>dotted.key=value</c> and win over the file, the
    /// last one over the others.
    /// </summary>
    /// <exception cref="SettingsException">The file or an override is wrong; the message says where.</exception>
    public static T Read<T>(string path, IReadOnlyList<string> overrides)
        where T : class, new()
    {
        ArgumentNullException.ThrowIfNull(overrides);
        if (!File.Exists(path))
        {
            throw new SettingsException(
                $"recipe {path} does not exist: name a file, or a shipped recipe as listed by 'cope recipes ls'"
            );
        }

        return Parse<T>(YamlText.ReadFile(path), path, overrides);
    }

    /// <summary>Reads settings from a text; <paramref name="name"/> stands for the file in messages.</summary>
    /// <exception cref="SettingsException">The text or an override is wrong; the message says where.</exception>
    public static T Parse<T>(string text, string name, IReadOnlyList<string> overrides)
        where T : class, new()
    {
        ArgumentNullException.ThrowIfNull(overrides);
        object settings = new T();
        if (ParseMapping(text, name) is { } root)
        {
            settings = new SettingsBinder(settings, node => $"{name} line {node.Start.Line}").Bind(root);
        }

        return Override((T)settings, overrides);
    }

    /// <summary>Settings with the values of <c>dotted.key=value</c>, the last one over the others.</summary>
    /// <exception cref="SettingsException">An override is wrong; the message says where.</exception>
    internal static T Override<T>(T settings, IReadOnlyList<string> overrides)
        where T : class => (T)overrides.Aggregate((object)settings, ApplyOverride);

    /// <summary>The keys that a file sets, each as <c>dotted.key=value</c>, to be put over other settings.</summary>
    /// <exception cref="SettingsException">The file is wrong; the message says where.</exception>
    internal static IReadOnlyList<string> ReadOverrides<T>(string path)
        where T : class, new()
    {
        _ = Read<T>(path, []); // Errors name a line of the file here, and no longer where the keys are put over others.
        return [.. ListOverrides(ParseMapping(YamlText.ReadFile(path), path) ?? [], "")];
    }

    static IEnumerable<string> ListOverrides(YamlMappingNode mapping, string prefix) =>
        mapping.Children.SelectMany(child =>
            (prefix + ((YamlScalarNode)child.Key).Value, child.Value) switch
            {
                (var key, YamlMappingNode inner) => ListOverrides(inner, key + "."),
                (var key, YamlSequenceNode list) => [$"{key}=[{string.Join(", ", list.Children.Select(Quote))}]"],
                var (key, value) => [$"{key}={((YamlScalarNode)value).Value}"],
            }
        );

    static string Quote(YamlNode text) => JsonSerializer.Serialize(((YamlScalarNode)text).Value);

    /// <summary>Settings with another text at a key, whatever the text.</summary>
    internal static T Replace<T>(T settings, string key, string text)
        where T : class
    {
        var value = new YamlScalarNode(text) { Style = ScalarStyle.DoubleQuoted };
        return (T)new SettingsBinder(settings, _ => key).Bind(Nest(key, value));
    }

    /// <summary>Settings as a file, every default written out.</summary>
    public static string ToYaml(object settings) => SettingsWriter.ToYaml(settings);

    /// <summary>
    /// Leaf keys and values of the sections and keys named, all of them when none is; without those that change speed
    /// and memory only.
    /// </summary>
    public static IReadOnlyDictionary<string, string> Values(object settings, IReadOnlyList<string> keys)
    {
        var leaves = FindLeaves(settings, keys).Where(leaf => !leaf.IsSpeedOnly);
        return new SortedDictionary<string, string>(
            leaves.ToDictionary(leaf => leaf.Key, leaf => leaf.Value),
            StringComparer.Ordinal
        );
    }

    /// <summary>The leaves of the sections and keys named, all of them when none is.</summary>
    /// <exception cref="ArgumentException">There is no such key or section.</exception>
    internal static IReadOnlyList<SettingValue> FindLeaves(object settings, IReadOnlyList<string> keys)
    {
        ArgumentNullException.ThrowIfNull(keys);
        var all = SettingsWriter.EnumerateLeaves(settings, "").ToList();
        if (keys.FirstOrDefault(key => !all.Any(leaf => Covers(key, leaf.Key))) is { } unknown)
        {
            throw new ArgumentException($"no key or section '{unknown}' in {settings.GetType().Name}", nameof(keys));
        }

        return keys.Count == 0 ? all : all.FindAll(leaf => keys.Any(key => Covers(key, leaf.Key)));
    }

    static bool Covers(string key, string leaf) => leaf == key || leaf.StartsWith(key + ".", StringComparison.Ordinal);

    static object ApplyOverride(object settings, string pair)
    {
        var equals = pair.IndexOf('=', StringComparison.Ordinal);
        if (equals <= 0)
        {
            throw new SettingsException($"--set {pair}: expected key=value, for example dpo.beta=0.05");
        }

        var where = $"--set {pair}";
        var text = pair[(equals + 1)..].Trim();
        var node =
            text.StartsWith('[') || text.StartsWith('{') ? YamlText.Parse(text, where)! : new YamlScalarNode(text);
        return new SettingsBinder(settings, _ => where).Bind(Nest(pair[..equals].Trim(), node));
    }

    /// <summary>A value within the sections of a dotted key.</summary>
    static YamlMappingNode Nest(string key, YamlNode value) =>
        (YamlMappingNode)
            key.Split('.')
                .Reverse()
                .Aggregate(value, (inner, part) => new YamlMappingNode(new YamlScalarNode(part), inner));

    static YamlMappingNode? ParseMapping(string text, string name) =>
        YamlText.Parse(text, name) switch
        {
            null => null,
            YamlMappingNode mapping => mapping,
            YamlScalarNode { Value: null or "" } => null,
            var other => throw new SettingsException(
                $"{name} line {other.Start.Line}: expected 'key: value' lines, found {SettingsBinder.Describe(other)}"
            ),
        };
}

/// <summary>
/// A recipe that cannot be used: the message names the file and line or the override, the key, what was found and what
/// was expected.
/// </summary>
public sealed class SettingsException : Exception
{
    /// <summary>With its message.</summary>
    public SettingsException(string message)
        : base(MessageText.ToOneLine(message)) { }

    /// <summary>With its message and cause.</summary>
    public SettingsException(string message, Exception inner)
        : base(MessageText.ToOneLine(message), inner) { }

    /// <summary>Without particulars.</summary>
    public SettingsException() { }
}
