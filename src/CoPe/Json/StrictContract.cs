using System.Collections;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;

namespace CoPe.Json;

/// <summary>
/// What a type demands of JSON, taken at its word: members that are never null are there and not null, in lists too,
/// and numbers are finite.
/// </summary>
static class StrictContract
{
    static readonly ConditionalWeakTable<JsonSerializerOptions, JsonSerializerOptions> Known = [];

    /// <summary>The same options for reading what anybody may have written.</summary>
    public static JsonSerializerOptions Apply(JsonSerializerOptions options) => Known.GetValue(options, Create);

    /// <summary>Whether a list or dictionary holds null, at any depth of lists.</summary>
    public static bool HoldsNull(object? value) =>
        value switch
        {
            null => true,
            string => false,
            IDictionary dictionary => dictionary.Values.Cast<object?>().Any(HoldsNull),
            IEnumerable list => list.Cast<object?>().Any(HoldsNull),
            _ => false,
        };

    static JsonSerializerOptions Create(JsonSerializerOptions options)
    {
        var strict = new JsonSerializerOptions(options)
        {
            AllowDuplicateProperties = false,
            RespectNullableAnnotations = true,
            TypeInfoResolver = new DefaultJsonTypeInfoResolver
            {
                Modifiers = { RequireMembers, RefuseNullElements, CompareKeysOrdinally },
            },
        };
        if (!options.NumberHandling.HasFlag(JsonNumberHandling.AllowNamedFloatingPointLiterals))
        {
            strict.Converters.Add(new FiniteNumberConverter());
        }

        return strict;
    }

    /// <summary>
    /// A parameter of a record that is never null must be given. A number that is left out stays zero: files of former
    /// versions lack some.
    /// </summary>
    static void RequireMembers(JsonTypeInfo type)
    {
        if (type.Kind != JsonTypeInfoKind.Object)
        {
            return;
        }

        foreach (var property in type.Properties)
        {
            property.IsRequired |=
                property.AssociatedParameter is { HasDefaultValue: false, IsNullable: false }
                && !property.PropertyType.IsValueType;
        }
    }

    static void RefuseNullElements(JsonTypeInfo type)
    {
        if (type.Kind != JsonTypeInfoKind.Object)
        {
            return;
        }

        var lists = type
            .Properties.Where(property =>
                property.Get is not null
                && property.PropertyType != typeof(string)
                && property.PropertyType.IsAssignableTo(typeof(IEnumerable))
            )
            .ToList();
        if (lists.Count == 0)
        {
            return;
        }

        type.OnDeserialized = value =>
        {
            var broken = lists.Find(property => property.Get!(value) is { } list && HoldsNull(list));
            if (broken is not null)
            {
                throw new JsonException($"\"{broken.Name}\" holds null");
            }
        };
    }

    /// <summary>
    /// Two keys are the same where their letters are: .NET's own order takes an accent and its letter apart for the
    /// same as both in one, and goes by the culture.
    /// </summary>
    static void CompareKeysOrdinally(JsonTypeInfo type)
    {
        var isSorted = type.Type.IsGenericType && type.Type.GetGenericTypeDefinition() == typeof(SortedDictionary<,>);
        if (isSorted && type.Type.GenericTypeArguments[0] == typeof(string))
        {
            type.CreateObject = () => Activator.CreateInstance(type.Type, StringComparer.Ordinal)!;
        }
    }

    sealed class FiniteNumberConverter : JsonConverter<double>
    {
        public override double Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
        {
            if (reader.TokenType != JsonTokenType.Number)
            {
                throw new JsonException("a number was expected");
            }

            var number = reader.GetDouble();
            return double.IsFinite(number) ? number : throw new JsonException("the number is out of range");
        }

        public override void Write(Utf8JsonWriter writer, double value, JsonSerializerOptions options) =>
            writer.WriteNumberValue(value);
    }
}
