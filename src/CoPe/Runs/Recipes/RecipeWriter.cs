using System.Text;

namespace CoPe.Runs.Recipes;

/// <summary>Settings records as YAML text and as flat keys.</summary>
static class RecipeWriter
{
    /// <summary>Leaf keys and their values as text, in the order of declaration.</summary>
    public static IEnumerable<RecipeLeaf> Leaves(object settings, string prefix)
    {
        foreach (var (key, property) in RecipeShape.Properties(settings.GetType()))
            if (!RecipeShape.IsSection(property.PropertyType)) yield return new(prefix + key, RecipeShape.Format(property.GetValue(settings)), property.IsDefined(typeof(SpeedOnlyAttribute), inherit: true));
            else
                foreach (var leaf in Leaves(property.GetValue(settings)!, prefix + key + ".")) yield return leaf;
    }

    /// <summary>The record as YAML.</summary>
    public static string Yaml(object settings)
    {
        var text = new StringBuilder();
        Append(text, settings, "");
        return text.ToString();
    }

    static void Append(StringBuilder text, object settings, string indent)
    {
        foreach (var (key, property) in RecipeShape.Properties(settings.GetType()))
        {
            text.Append(indent).Append(key).Append(':');
            var value = property.GetValue(settings);
            if (RecipeShape.IsSection(property.PropertyType))
            {
                text.Append('\n');
                Append(text, value!, indent + "  ");
            }
            else
            {
                text.Append(' ').Append(RecipeShape.Format(value)).Append('\n');
            }
        }
    }
}
