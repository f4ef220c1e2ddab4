using System.Text.RegularExpressions;

namespace CoPe;

/// <summary>
/// Regular expressions that stand in files from elsewhere, such as tokenizer.json. Matching has a time limit; compiling
/// has none in .NET and takes a minute for 100,000 nested brackets, so that length and nesting are limited.
/// </summary>
static class ForeignRegex
{
    /// <summary>Tokenizers have patterns of up to about a thousand characters.</summary>
    const int MaxLength = 16_384;

    const int MaxDepth = 100;

    /// <summary>Compiles a pattern.</summary>
    /// <exception cref="ArgumentException">It is no regular expression, or too large to be compiled.</exception>
    public static Regex Create(string pattern, RegexOptions options, TimeSpan timeLimit)
    {
        ArgumentNullException.ThrowIfNull(pattern);
        if (pattern.Length > MaxLength)
        {
            throw new ArgumentException($"it has {pattern.Length} characters, expected at most {MaxLength}");
        }

        if (CountDepth(pattern) is > MaxDepth and var depth)
        {
            throw new ArgumentException($"its brackets are nested {depth} deep, expected at most {MaxDepth}");
        }

        return new Regex(pattern, options, timeLimit);
    }

    /// <summary>How deep brackets are nested at most, whether each is closed or not.</summary>
    static int CountDepth(string pattern)
    {
        var (depth, deepest) = (0, 0);
        for (var i = 0; i < pattern.Length; i++)
        {
            switch (pattern[i])
            {
                case '\\':
                    i++;
                    break;
                case '(' or '[':
                    deepest = Math.Max(deepest, ++depth);
                    break;
                case ')' or ']':
                    depth = Math.Max(0, depth - 1);
                    break;
            }
        }

        return deepest;
    }
}
