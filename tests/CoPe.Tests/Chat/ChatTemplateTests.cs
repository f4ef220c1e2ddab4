using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using CoPe.Chat;
using CoPe.Testing;
using CoPe.Tests.Tokens;
using CoPe.Tokens;

namespace CoPe.Tests.Chat;

/// <summary>
/// The Jinja that chat templates use, by hand: each expected text follows from Jinja's documentation with trim_blocks
/// and lstrip_blocks.
/// </summary>
public class ChatTemplateTests
{
    static readonly ChatMessage[] Messages =
    [
        new("system", " Be brief. "),
        new("user", "Hi 😀"),
        new("assistant", "Hello"),
    ];

    static readonly ChatTemplateContext Context = new()
    {
        SpecialTokens = new Dictionary<string, string> { ["bos_token"] = "<s>", ["eos_token"] = "</s>" },
    };

    static string Render(string template) =>
        ChatTemplate.Parse(template).Render(Messages, addGenerationPrompt: true, Context);

    [Theory]
    // Tags alone on their lines leave nothing, the last line end is dropped.
    [InlineData("a\n{% if true %}\nb\n{% endif %}\nc\n", "a\nb\nc")]
    // Indentation goes before a block tag, not before a value.
    [InlineData("  {% if true %}x{% endif %}\n  {{ 1 }}\n", "x  1")]
    [InlineData("a  {%- if true -%}  b  {%- endif -%}  c", "abc")]
    [InlineData("a {{- ' b ' -}} c", "a b c")]
    [InlineData("a {# words #} b{#- words -#} c", "a  bc")]
    [InlineData("  {%+ if true %}x{% endif %}", "  x")]
    [InlineData("{% raw %}{{ no }}{% endraw %}", "{{ no }}")]
    [InlineData("a\r\nb\rc", "a\nb\nc")]
    public void White_space_around_tags_is_cut_as_transformers_cuts_it(string template, string expected) =>
        Assert.Equal(expected, Render(template));

    [Theory]
    [InlineData("{{ 1 + 2 * 3 }} {{ 7 // 2 }} {{ -7 % 3 }} {{ 7 / 2 }} {{ 2 ** 3 }}", "7 3 2 3.5 8")]
    [InlineData("{{ 'a' ~ 1 ~ none }} {{ 'ab' * 2 }} {{ [1] + [2] }}", "a1None abab [1, 2]")]
    [InlineData("{{ 1 < 2 < 3 }} {{ 'b' in 'abc' }} {{ 4 not in [1] }} {{ not 1 == 2 }}", "True True True True")]
    [InlineData("{{ 'x' if 1 > 2 else 'y' }}|{{ 'x' if false }}|{{ 0 or 'z' }}|{{ '' and 1 }}", "y||z|")]
    [InlineData("{{ 'abc'[1:] }}{{ 'abc'[-1] }}{{ [1, 2, 3][::-1] }}{{ 'a😀b'[1] }}", "bcc[3, 2, 1]😀")]
    [InlineData("{{ 'a' + ' b ' | trim + 'c' }}", "abc")] // a filter binds tighter than +
    [InlineData("{{ not nothing is defined }}", "True")] // and so does a test
    [InlineData("{{ {'a': [1, 'x', none]} }} {{ (1,) }} {{ 1.0 }} {{ true }}", "{'a': [1, 'x', None]} (1,) 1.0 True")]
    public void Expressions_have_Python_s_values(string template, string expected) =>
        Assert.Equal(expected, Render(template));

    [Theory]
    [InlineData(
        "{% for m in messages %}{{ loop.index }}{{ m.role }}{% if not loop.last %},{% endif %}{% endfor %}",
        "1system,2user,3assistant"
    )]
    [InlineData(
        "{% for m in messages[1:] if m['role'] == 'user' %}{{ m['content'] }}{% else %}none{% endfor %}",
        "Hi 😀"
    )]
    [InlineData("{% for k, v in {'a': 1, 'b': 2}.items() %}{{ k }}{{ v }}{% endfor %}", "a1b2")]
    // What a loop sets ends with it.
    [InlineData("{% set x = 1 %}{% for i in [2] %}{% set x = i %}{% endfor %}{{ x }}", "1")]
    [InlineData("{% set ns = namespace(x=1) %}{% for i in [2] %}{% set ns.x = i %}{% endfor %}{{ ns.x }}", "2")]
    [InlineData(
        "{% for i in range(9) %}{% if i == 1 %}{% continue %}{% elif i == 3 %}{% break %}{% endif %}"
            + "{{ i }}{% endfor %}",
        "02"
    )]
    [InlineData("{% set a, b = 1, 2 %}{{ a }}{{ b }}{% set c %}<{{ a }}>{% endset %}{{ c }}", "12<1>")]
    [InlineData(
        "{% macro turn(role, text='?') %}[{{ role }}:{{ text }}]{% endmacro %}{{ turn('u', 'x') }}{{ turn(role='a') }}",
        "[u:x][a:?]"
    )]
    [InlineData("{% generation %}kept{% endgeneration %}", "kept")]
    public void Statements_run_as_in_Jinja(string template, string expected) =>
        Assert.Equal(expected, Render(template));

    [Theory]
    [InlineData(
        "{{ messages[0].content | trim }}|{{ messages | length }}|{{ 'ab' | list | join('-') }}",
        "Be brief.|3|a-b"
    )]
    [InlineData(
        "{{ messages | selectattr('role', 'equalto', 'user') | map(attribute='content') | list }}",
        "['Hi 😀']"
    )]
    [InlineData(
        "{{ messages | rejectattr('role', 'eq', 'user') | list | length }}{{ [1, 2, 3] | reject('odd') | list }}",
        "2[2]"
    )]
    [InlineData("{{ {'a': 'é\"', 'b': [true, none]} | tojson }}", "{\"a\": \"é\\\"\", \"b\": [true, null]}")]
    [InlineData("{{ [1] | tojson(indent=2) }}", "[\n  1\n]")]
    [InlineData(
        "{{ 'a-b'.split('-')[-1] }}{{ ' x\n'.strip() }}{{ 'xax'.lstrip('x') }}{{ 'abc'.startswith('a') }}",
        "bxaxTrue"
    )]
    [InlineData(
        "{{ 'a,b,c'.rsplit(',', 2147483647) }}{{ 'a,b,c'.split(',', 2147483647) }}",
        "['a', 'b', 'c']['a', 'b', 'c']"
    )]
    [InlineData(
        "{{ 'a' is string }}{{ none is none }}{{ 3 is divisibleby 3 }}{{ {} is mapping }}"
            + "{{ bos_token is defined }}{{ pad_token is defined }}",
        "TrueTrueTrueTrueTrueFalse"
    )]
    [InlineData("{{ missing }}{{ missing | default('d') }}{{ messages[9] }}", "d")]
    [InlineData("{{ strftime_now('%d %b %Y') }}", "26 Jul 2024")]
    [InlineData(
        "{{ tools is defined }}{{ tools is none }}{{ documents is none }}{% if tools %}x{% endif %}",
        "TrueTrueTrue"
    )] // as transformers hands them over
    [InlineData("{{ bos_token }}{% if add_generation_prompt %}go{% endif %}{{ eos_token }}", "<s>go</s>")]
    public void Filters_methods_tests_and_names_are_those_of_transformers(string template, string expected) =>
        Assert.Equal(expected, Render(template));

    [Theory]
    [InlineData("\u001C\u00A0 x \u2003\u0085", "x")] // Python's white space, wider than C's
    [InlineData("\u200Bx", "\u200Bx")]
    public void Trim_cuts_what_Python_s_strip_cuts(string text, string expected) =>
        Assert.Equal(
            expected,
            ChatTemplate.Parse("{{ messages[0].content | trim }}").Render([new("user", text)], false, Context)
        );

    [Theory]
    [InlineData("{{ raise_exception('Roles must alternate') }}", "Roles must alternate")]
    [InlineData("{{ missing.name }}", "'missing' is undefined")]
    [InlineData("{{ messages[0].name.first }}", "'dict object' has no attribute 'name'")]
    [InlineData("{{ 'a' + 1 }}", "can only concatenate str (not \"int\") to str")]
    [InlineData("{% for x in 5 %}{% endfor %}", "'int' object is not iterable")]
    [InlineData("{{ 1 // 0 }}", "division by zero")]
    public void A_failing_template_says_what_Jinja_would_say(string template, string reason)
    {
        var error = Assert.Throws<ChatTemplateException>(() => Render("\n" + template));
        Assert.Equal(reason, error.Reason);
        Assert.Equal(2, error.Line);
    }

    [Theory]
    [InlineData("{{ 1")]
    [InlineData("{{ 'x }}")]
    [InlineData("{% if true %}")]
    [InlineData("{% endif %}")]
    [InlineData("{% include 'x' %}")]
    [InlineData("{{ 1 | sparkle }}")]
    [InlineData("{{ 1 is sparkling }}")]
    [InlineData("{{ (1 }}")]
    [InlineData("{# x")]
    [InlineData("{{ dict(a=1, a=2) }}")]
    [InlineData("{{ 99999999999999999999 }}")]
    public void What_cannot_be_read_is_refused_when_parsed(string template) =>
        Assert.Throws<ChatTemplateException>(() => ChatTemplate.Parse(template));

    [Theory]
    [InlineData("{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}")]
    [InlineData(
        "{% set ns = namespace(s='aaaaaaaa') %}{% for i in range(60) %}{% set ns.s = ns.s + ns.s %}{% endfor %}"
    )]
    [InlineData("{% set ns = namespace(l=[1, 2]) %}{% for i in range(60) %}{% set ns.l = ns.l + ns.l %}{% endfor %}")]
    [InlineData("{% for a in range(99999) %}{% for b in range(99999) if false %}{% endfor %}{% endfor %}")]
    [InlineData("{{ 'x' * 999999999999 }}")]
    [InlineData("{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}")]
    [InlineData("{{ 2 ** 99 }}")]
    [InlineData(Nested + "{{ ns.l }}")]
    [InlineData(Nested + "{{ ns.l == ns.l[0] }}")]
    [InlineData(Nested + "{{ ns.l | tojson }}")]
    [InlineData(Nested + "{{ ns.l in [ns.l] }}")]
    [InlineData(Nested + "{{ '%s' % (ns.l,) }}")]
    [InlineData(Doubled + "{{ ns.l }}")]
    [InlineData(Doubled + "{{ ns.l == ns.m }}")]
    [InlineData(Doubled + "{{ ns.l | tojson }}")]
    [InlineData(Loop + "{{ range(100000) | sum }}{% endfor %}")]
    [InlineData(Loop + "{{ range(100000) | sort }}{% endfor %}")]
    [InlineData(Loop + "{{ range(100000) | unique | list | length }}{% endfor %}")]
    [InlineData(Loop + "{{ range(100000) | map('string') | list | length }}{% endfor %}")]
    [InlineData(Loop + "{{ ('x' * 4000000) == ('x' * 3999999 ~ 'y') }}{% endfor %}")]
    [InlineData(Loop + "{{ 'x' in ('y' * 4000000) }}{% endfor %}")]
    [InlineData(Loop + "{{ ('x' * 4000000).split('x') | length }}{% endfor %}")]
    [InlineData("{{ ['x' * 4000000] * 1000 | join }}{{ (['x' * 4000000] * 1000) | join }}")]
    [InlineData("{{ ('\n' * 4000000) | indent(1000, blank=true) }}")]
    [InlineData("{{ (['x' * 4000000] * 1000) | string }}")]
    [InlineData("{{ 'x' | center(99999999999) }}")]
    [InlineData("{{ '%999999999d' % 1 }}")]
    [InlineData("{{ '{:999999999}'.format(1) }}")]
    [InlineData("{{ 'ab'.replace('', 'x' * 4000000) }}")]
    [InlineData("{{ [1] | batch(999999999, 0) | list }}")]
    [InlineData("{{ [1] | slice(999999999) | list }}")]
    [InlineData("{{ [1] * 999999999999 }}")]
    public void A_hostile_template_ends_with_an_error(string template) =>
        Assert.Throws<ChatTemplateException>(() => Render(template));

    /// <summary>A list in a list, 100,000 times.</summary>
    const string Nested = "{% set ns = namespace(l=[]) %}" + Loop + "{% set ns.l = [ns.l] %}{% endfor %}";

    /// <summary>Two lists that print their items two to the power of 40 times.</summary>
    const string Doubled =
        "{% set ns = namespace(l=[1], m=[1]) %}{% for i in range(40) %}"
        + "{% set ns.l = [ns.l, ns.l] %}{% set ns.m = [ns.m, ns.m] %}{% endfor %}";

    const string Loop = "{% for i in range(100000) %}";

    [Theory]
    [InlineData("{{ ", "(")]
    [InlineData("{% set ", "(")]
    [InlineData("{% for ", "(")]
    [InlineData("{{ ", "[")]
    [InlineData("{{ ", "not ")]
    [InlineData("{{ ", "-")]
    [InlineData("", "{% if true %}")]
    [InlineData("", "{% filter upper %}")]
    [InlineData("{{ x", " if x else x")]
    public void Deep_nesting_is_refused_without_a_crash(string start, string repeated) =>
        Assert.Throws<ChatTemplateException>(() =>
            ChatTemplate.Parse(start + string.Concat(Enumerable.Repeat(repeated, 200_000)))
        );

    [Fact]
    public void A_value_of_nested_brackets_is_refused_without_a_crash() =>
        Assert.Throws<ChatTemplateException>(() =>
            Render("{{ " + new string('(', 200_000) + "1" + new string(')', 200_000) + " }}")
        );

    [Fact]
    public void Variables_reach_the_template_and_only_those_of_known_types()
    {
        var template = ChatTemplate.Parse("{{ enable_thinking }}{{ depth + 1 }}");
        Assert.Equal(
            "False4",
            template.Render(
                Messages,
                false,
                Context with
                {
                    Variables = new Dictionary<string, object> { ["enable_thinking"] = false, ["depth"] = 3 },
                }
            )
        );
        Assert.Throws<ArgumentException>(() =>
            template.Render(
                Messages,
                false,
                Context with
                {
                    Variables = new Dictionary<string, object> { ["depth"] = new object() },
                }
            )
        );
    }
}

/// <summary>
/// Equality with Jinja in transformers' settings, on the templates of the folder named by COPE_TOKENIZERS.
/// </summary>
public partial class ChatTemplateGoldenTests(ITestOutputHelper output)
{
    static readonly JsonSerializerOptions Naming = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };

    sealed record Template(string Text, Dictionary<string, string> SpecialTokens);

    [Fact]
    public void Renderings_and_refusals_equal_those_of_transformers()
    {
        foreach (var file in Files())
        {
            using var document = JsonDocument.Parse(File.ReadAllText(file));
            var templates = Templates(document);
            var sets = document
                .RootElement.GetProperty("message_sets")
                .Deserialize<Dictionary<string, ChatMessage[]>>(Naming)!;
            var cases = document.RootElement.GetProperty("cases").EnumerateArray().ToArray();
            output.WriteLine($"{file}: {cases.Length} cases of {string.Join(", ", templates.Keys)}");
            Assert.All(
                cases,
                one =>
                    Check(
                        one,
                        templates[$"{Text(one, "family")}/{Text(one, "source")}"],
                        sets[Text(one, "messages")!],
                        file
                    )
            );
        }
    }

    [Fact]
    public void The_reference_s_templates_give_what_the_reference_rendered()
    {
        var templates = Files().Select(file => Templates(JsonDocument.Parse(File.ReadAllText(file)))).FirstOrDefault();
        if (templates is null)
        {
            output.WriteLine("COPE_TOKENIZERS is not set: the reference's templates are not here");
            return;
        }
        foreach (var file in GoldenFolders.Entries("metrics", "chat_templates.json"))
        {
            using var document = JsonDocument.Parse(File.ReadAllText(file));
            var cases = document.RootElement.GetProperty("rendered").EnumerateArray().ToArray();
            output.WriteLine($"{file}: {cases.Length} cases");
            Assert.All(
                cases,
                one =>
                {
                    if (
                        !templates.TryGetValue(
                            Text(one, "template")!.Replace("qwen2.5", "qwen", StringComparison.Ordinal) + "/cope",
                            out var template
                        )
                    )
                    {
                        return;
                    }

                    var context = new ChatTemplateContext
                    {
                        SpecialTokens = one.GetProperty("special_tokens").Deserialize<Dictionary<string, string>>()!,
                    };
                    var messages = one.GetProperty("messages").Deserialize<ChatMessage[]>(Naming)!;
                    Assert.Equal(
                        Text(one, "rendered"),
                        ChatTemplate
                            .Parse(template.Text)
                            .Render(messages, one.GetProperty("add_generation_prompt").GetBoolean(), context)
                    );
                }
            );
        }
    }

    static void Check(JsonElement one, Template template, ChatMessage[] messages, string file)
    {
        var expected = Text(one, "rendered");
        var context = new ChatTemplateContext { SpecialTokens = template.SpecialTokens };
        // The day on which it was rendered.
        if (expected is not null && Date().Match(expected) is { Success: true } date)
        {
            context = context with
            {
                Now = DateTimeOffset.ParseExact(
                    date.Groups[1].Value,
                    "dd MMM yyyy",
                    CultureInfo.InvariantCulture,
                    DateTimeStyles.AssumeUniversal
                ),
            };
        }

        var parsed = ChatTemplate.Parse(template.Text);
        var prompt = one.GetProperty("add_generation_prompt").GetBoolean();
        if (expected is null)
        {
            var refusal = Assert.Throws<ChatTemplateException>(() => parsed.Render(messages, prompt, context));
            Assert.EndsWith(refusal.Reason, Text(one, "error"), StringComparison.Ordinal);
            return;
        }
        Assert.Equal(expected, parsed.Render(messages, prompt, context));
        var folder = Path.Combine(Path.GetDirectoryName(file)!, Text(one, "family")!);
        if (!one.TryGetProperty("ids", out var ids) || !Directory.Exists(folder))
        {
            return;
        }

        var tokenizer = Loaded.GetOrAdd(folder, Tokenizer.Load);
        Assert.Equal(ids.Deserialize<int[]>()!, tokenizer.Encode(expected));
        Assert.Equal(
            one.GetProperty("ids_without_special").Deserialize<int[]>()!,
            tokenizer.Encode(expected, addSpecialTokens: false)
        );
    }

    static readonly System.Collections.Concurrent.ConcurrentDictionary<string, Tokenizer> Loaded = new();

    static IEnumerable<string> Files() =>
        TokenizerFolders.Roots().Select(root => Path.Combine(root, "chat_templates.json")).Where(File.Exists);

    static Dictionary<string, Template> Templates(JsonDocument document) =>
        document
            .RootElement.GetProperty("templates")
            .EnumerateObject()
            .ToDictionary(
                one => one.Name,
                one => new Template(
                    Text(one.Value, "template")!,
                    one.Value.GetProperty("special_tokens").Deserialize<Dictionary<string, string>>()!
                )
            );

    static string? Text(JsonElement element, string name) => element.GetProperty(name).GetString();

    [GeneratedRegex(@"Today Date: (\d\d \w{3} \d{4})")]
    private static partial Regex Date();
}
