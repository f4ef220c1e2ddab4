using System.Text;
using System.Text.Json;
using CoPe.Chat;
using CoPe.Fuzz.Mutations;

namespace CoPe.Fuzz.Readers;

/// <summary>Chat templates, parsed and rendered.</summary>
static class TemplateReaders
{
    static readonly ChatMessage[][] Conversations =
    [
        [new("user", "Hi \U0001F600")],
        [
            new("system", " Be brief. "),
            new("user", "a\nb"),
            new("assistant", "<think>\nno</think>yes"),
            new("user", ""),
        ],
        [],
    ];

    static readonly ChatTemplateContext Context = new()
    {
        SpecialTokens = new Dictionary<string, string> { ["bos_token"] = "<s>", ["eos_token"] = "</s>" },
        Variables = new Dictionary<string, object> { ["enable_thinking"] = false, ["n"] = 3 },
    };

    public static IEnumerable<FuzzedReader> All =>
        [
            new()
            {
                Name = "template",
                Format = InputFormat.Template,
                Covers = ["ChatTemplate.Parse"],
                Seeds = _ => ReadTemplates(),
                Open = _ => Render,
                Share = 64,
            },
        ];

    static void Render(byte[] input)
    {
        var template = ChatTemplate.Parse(Encoding.UTF8.GetString(input));
        var refusals = 0;
        foreach (var conversation in Conversations)
        {
            try
            {
                template.Render(conversation, addGenerationPrompt: true, Context);
            }
            catch (ChatTemplateException) when (refusals++ < Conversations.Length - 1)
            {
                // A template may refuse one conversation and word another.
            }
        }
    }

    /// <summary>The templates that are compared with Jinja2, and two as models have them.</summary>
    static IEnumerable<byte[]> ReadTemplates()
    {
        using var stream = typeof(TemplateReaders).Assembly.GetManifestResourceStream("seeds/templates.json")!;
        using var table = JsonDocument.Parse(stream);
        var cases = table.RootElement.GetProperty("cases").EnumerateArray();
        return
        [
            .. cases
                .Where(entry => entry.TryGetProperty("rendered", out _))
                .Select(entry => Bytes.Of(entry.GetProperty("template").GetString()!)),
            Bytes.Of(
                """
                {%- if messages[0]['role'] == 'system' -%}{%- set system = messages[0]['content']|trim -%}
                {%- set messages = messages[1:] -%}{%- else -%}{%- set system = '' -%}{%- endif -%}
                {{- bos_token -}}{%- for message in messages -%}
                {%- if (message['role'] == 'user') != (loop.index0 % 2 == 0) -%}
                {{- raise_exception('Conversation roles must alternate') -}}{%- endif -%}
                {{- '[' ~ message.role|upper ~ ']' + message['content'].strip() + (eos_token if loop.last else '') -}}
                {%- endfor -%}{%- if add_generation_prompt -%}{{- '[ASSISTANT]' -}}{%- endif -%}
                """
            ),
            Bytes.Of(
                """
                {%- set ns = namespace(last=messages|length - 1, found=false) -%}
                {%- for message in messages[::-1] -%}{%- set index = (messages|length - 1) - loop.index0 -%}
                {%- if not ns.found and message.role == "user" -%}{%- set ns.found = true -%}
                {%- set ns.last = index -%}{%- endif -%}{%- endfor -%}
                {%- macro turn(role, text='') -%}<|im_start|>{{ role }}{{ '\n' ~ text }}<|im_end|>{%- endmacro -%}
                {%- for message in messages -%}
                {%- if '</think>' in message.content -%}{{ message.content.split('</think>')[-1].lstrip('\n') }}
                {%- elif message.content is string -%}{{ turn(message.role, text=message.content) }}{%- endif -%}
                {%- endfor -%}
                {%- if tools -%}{{ tools | tojson(indent=2) }}{%- endif -%}
                """
            ),
        ];
    }
}
