using System.Text;

namespace CoPe.Fuzz.Mutations;

/// <summary>Changes of a chat template by its tokens, and expressions made up from Jinja's grammar.</summary>
static class TemplateMutations
{
    static readonly string[] Atoms =
    [
        "messages",
        "messages[0]",
        "messages[-1].content",
        "message",
        "message['role']",
        "loop",
        "loop.index0",
        "ns",
        "bos_token",
        "tools",
        "undefined_name",
        "none",
        "true",
        "false",
        "0",
        "1",
        "-1",
        "3.5",
        "1e308",
        "1e400",
        "9223372036854775807",
        "9223372036854775808",
        "99999999999999999999999999",
        "''",
        "'abc'",
        "'\\ud800'",
        "'Stra\u00DFe \U0001F44D'",
        "'%s %d %5.2f %c'",
        "'{} {0} {a:>10} {:,}'",
        "'a,b,,c'",
        "'\\n\\r\\t\\0\\x1b'",
        "[]",
        "[1, 2, 3]",
        "[1, 'a', none]",
        "[[1], [1]]",
        "{}",
        "{'a': 1}",
        "{'b': {'c': [1]}, 'a': none}",
        "(1, 2)",
        "range(3)",
        "range(100000)",
        "namespace(a=1)",
        "dict(a=1)",
        "raise_exception('no')",
        "strftime_now('%Y-%j')",
        "cycler('a', 'b')",
        "joiner(',')",
        "self",
    ];

    static readonly string[] Filters =
    [
        .. (
            "abs attr('a') batch(2) capitalize center(40) count default('x') d(1,true) dictsort first "
            + "float format(1,'a') indent(2) int items join join(',') last length list lower map('upper') "
            + "map(attribute='role') max min pprint random reject('none') rejectattr('a') replace('a','bb') reverse "
            + "round round(2) round(400,'floor') safe select selectattr('role','equalto','user') slice(2) sort "
            + "sort(attribute='a') string striptags sum title tojson tojson(indent=2) trim truncate(3) unique upper "
            + "urlencode wordcount wordwrap(3) xmlattr zzz groupby('role') int(0,16) int(-1) batch(0) slice(0) "
            + "indent(100000) center(9223372036854775807) round(-400) truncate(-1) sum(attribute='a') string(1)"
        ).Split(' '),
    ];

    static readonly string[] Members =
    [
        .. (
            ".upper() .strip() .strip('a') .split() .split('') .split(',',1) .rsplit(None,1) .splitlines(true) "
            + ".replace('','x') .find('a') .rfind('a',-1) .index('zz') .count('') .startswith(('a','b')) .endswith('') "
            + ".join([1,'a']) .partition(',') .format(1,a=2) .title() .zfill(100) .ljust(5,'ab') .center(-1) .items() "
            + ".keys() .values() .get('a') .get('zz',1) .append(1) .update({}) .role .content .a .b.c [0] [-1] [1:] "
            + "[::-1] [::0] ['a'] [9223372036854775808] [none:2] .pop() .encode() .isdigit() .__class__ .first"
        ).Split(' '),
    ];

    static readonly string[] Operators =
    [
        " + ",
        " - ",
        " * ",
        " / ",
        " // ",
        " % ",
        " ** ",
        " ~ ",
        " == ",
        " != ",
        " < ",
        " >= ",
        " and ",
        " or ",
        " in ",
        " not in ",
        " is defined and ",
        ", ",
        " if ",
    ];

    static readonly string[] Tests =
    [
        " is defined",
        " is not none",
        " is string",
        " is mapping",
        " is iterable",
        " is divisibleby(0)",
        " is divisibleby 2",
        " is sameas(none)",
        " is in([1])",
        " is eq 1",
        " is odd",
        " is lower",
        " is zzz",
        " is number",
    ];

    static readonly string[] Statements =
    [
        "{% for x in ",
        "{% for k, v in ",
        "{% for message in messages recursive %}{{ loop(messages) }}{% endfor %}",
        "{% if ",
        "{% elif true %}",
        "{% else %}",
        "{% endif %}",
        "{% endfor %}",
        "{% set x = ",
        "{% set ns.a = 1 %}",
        "{% set ns = namespace(a=[]) %}",
        "{% set x %}",
        "{% endset %}",
        "{% macro m(a, b=1, *c, **d) %}{{ a }}{{ varargs }}{{ m(a) }}{% endmacro %}",
        "{{ m(1, b=2) }}",
        "{% call m(1) %}x{% endcall %}",
        "{% filter upper %}x{% endfilter %}",
        "{% with a=1 %}{{ a }}{% endwith %}",
        "{% break %}",
        "{% continue %}",
        "{% generation %}",
        "{% endgeneration %}",
        "{% raw %}{{ x }}{% endraw %}",
        "{% include 'a' %}",
        "{% block a %}{% endblock %}",
        "{# comment #}",
        "{#",
        "{%- ",
        " -%}",
        "{{ ",
        " }}",
        "%}",
        "\n",
    ];

    /// <summary>The template with one change; null where it is no text.</summary>
    public static byte[]? Apply(byte[] input, byte[] other, Choices choices)
    {
        var tokens = Split(Encoding.UTF8.GetString(input));
        if (tokens.Count == 0)
        {
            return null;
        }

        var at = choices.Below(tokens.Count);
        switch (choices.Below(9))
        {
            case 0:
                tokens.Insert(at, $"{{{{ {CreateExpression(choices, 3)} }}}}");
                break;
            case 1:
                tokens[at] = CreateExpression(choices, 2);
                break;
            case 2:
                tokens.Insert(at, choices.Pick(Statements));
                break;
            case 3:
                tokens.Insert(at, $"|{choices.Pick(Filters)}");
                break;
            case 4:
                tokens.Insert(at, choices.Pick(Members));
                break;
            case 5:
                tokens[at] = choices.Pick(tokens);
                break;
            case 6:
                tokens.RemoveAt(at);
                break;
            case 7:
                var from = Split(Encoding.UTF8.GetString(other));
                tokens.InsertRange(at, from.Skip(choices.Below(from.Count)).Take(1 + choices.Below(12)));
                break;
            default:
                tokens.Insert(at, Nest(choices));
                break;
        }

        return Bytes.Of(string.Concat(tokens));
    }

    static string CreateExpression(Choices choices, int depth)
    {
        if (depth == 0)
        {
            return choices.Pick(Atoms);
        }

        var inner = CreateExpression(choices, depth - 1);
        return choices.Below(9) switch
        {
            0 or 1 => $"{inner}|{choices.Pick(Filters)}",
            2 or 3 => inner + choices.Pick(Members),
            4 => inner + choices.Pick(Operators) + CreateExpression(choices, depth - 1),
            5 => inner + choices.Pick(Tests),
            6 => $"({inner})",
            7 => $"[{inner}, {CreateExpression(choices, depth - 1)}]",
            _ => $"-{inner} if {CreateExpression(choices, depth - 1)} else {choices.Pick(Atoms)}",
        };
    }

    static string Nest(Choices choices)
    {
        var depth = choices.OneIn(32) ? 20_000 : 1 + choices.Below(60);
        return choices.Below(5) switch
        {
            0 => $"{{% set x = {new string('(', depth)}",
            1 => $"{{{{ {new string('[', depth)}{new string(']', depth)} }}}}",
            2 => $"{{{{ {string.Concat(Enumerable.Repeat("not ", depth))}1 }}}}",
            3 => string.Concat(Enumerable.Repeat("{% if true %}", depth)),
            _ => $"{{{{ 'a'{string.Concat(Enumerable.Repeat("|upper", depth))} }}}}",
        };
    }

    /// <summary>Words, numbers, marks and runs of anything else.</summary>
    static List<string> Split(string template)
    {
        var tokens = new List<string>();
        var start = 0;
        for (var index = 1; index <= template.Length; index++)
        {
            if (index == template.Length || Kind(template[index]) != Kind(template[start]))
            {
                tokens.Add(template[start..index]);
                start = index;
            }
        }

        return tokens;
    }

    static int Kind(char letter) =>
        letter switch
        {
            _ when char.IsLetterOrDigit(letter) || letter == '_' => 0,
            ' ' or '\n' => 1,
            '{' or '%' or '}' or '#' => 2,
            _ => 3 + (letter % 16),
        };
}
