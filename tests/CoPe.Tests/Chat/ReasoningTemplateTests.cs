using System.Text.Json.Nodes;
using CoPe.Chat;
using CoPe.Tests.Tokens;

namespace CoPe.Tests.Chat;

/// <summary>Templates as models that reason have them, each with the parts that deal with reasoning.</summary>
public class ReasoningTemplateTests
{
    static readonly ChatMessage[] Hello = [new("user", "Hello")];

    /// <summary>The prompt opens the reasoning, which every answer lacks, as in R1's distilled models.</summary>
    const string OpensAndDrops =
        "{% for m in messages %}{% if m.role == 'user' %}{{ '<|User|>' + m.content }}{% else %}"
        + "{% set content = m.content %}{% if '</think>' in content %}"
        + "{% set content = content.split('</think>')[-1] %}{% endif %}"
        + "{{ '<|Assistant|>' + content + '<|im_end|>' }}{% endif %}{% endfor %}"
        + "{% if add_generation_prompt %}{{ '<|Assistant|><think>\\n' }}{% endif %}";

    /// <summary>As Qwen's models that only reason: the last answer has its reasoning, earlier ones do not.</summary>
    const string OpensAndWords =
        "{% for m in messages %}{% if m.role == 'user' %}{{ '<|im_start|>user\\n' + m.content + '<|im_end|>\\n' }}"
        + "{% else %}{% set content = m.content %}{% set reasoning = '' %}"
        + "{% if m.reasoning_content is string %}{% set reasoning = m.reasoning_content %}"
        + "{% elif '</think>' in content %}"
        + "{% set reasoning = content.split('</think>')[0].split('<think>')[-1].strip('\\n') %}"
        + "{% set content = content.split('</think>')[-1].lstrip('\\n') %}{% endif %}"
        + "{% if loop.last %}{{ '<|im_start|>assistant\\n<think>\\n' + reasoning + '\\n</think>\\n\\n' + content }}"
        + "{% else %}{{ '<|im_start|>assistant\\n' + content }}{% endif %}{{ '<|im_end|>\\n' }}{% endif %}{% endfor %}"
        + "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n<think>\\n' }}{% endif %}";

    /// <summary>Words reasoning only where it is given, with spacing of its own.</summary>
    const string OpensAndWordsWhereGiven =
        "{% for m in messages %}{% if m.role == 'user' %}{{ '<|im_start|>user\\n' + m.content + '<|im_end|>\\n' }}"
        + "{% else %}{{ '<|im_start|>assistant\\n' }}{% if m.reasoning_content %}"
        + "{{ '[THINK]\\n' + m.reasoning_content + '[/THINK]\\n' }}{% endif %}{{ m.content + '<|im_end|>\\n' }}"
        + "{% endif %}{% endfor %}"
        + "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n[THINK]' }}{% endif %}";

    /// <summary>No mark opens the reasoning: a sentence does, and an end is marked.</summary>
    const string OpensByASentence =
        "{% for m in messages %}{% if m.role == 'user' %}{{ '<|im_start|>user\\n' + m.content + '<|im_end|>\\n' }}"
        + "{% else %}{{ '<|im_start|>assistant\\n' + m.content.split('[BEGIN FINAL RESPONSE]')[-1] + '<|im_end|>\\n' }}"
        + "{% endif %}{% endfor %}"
        + "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\nHere are my reasoning steps:\\n' }}{% endif %}";

    /// <summary>Only the prompt says that there are marks, of a name that says nothing.</summary>
    const string OpensByAnUnknownName =
        "{% for m in messages %}{% if m.role == 'user' %}{{ '<|im_start|>user\\n' + m.content + '<|im_end|>\\n' }}"
        + "{% else %}{{ '<|im_start|>assistant\\n' }}"
        + "{% if m.notes %}{{ '<|notes_start|>' + m.notes + '<|notes_end|>' }}"
        + "{% endif %}{{ m.content + '<|im_end|>\\n' }}{% endif %}{% endfor %}"
        + "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n<|notes_start|>' }}{% endif %}";

    /// <summary>The answered turn has an empty thought and the prompt has none, without a switch.</summary>
    const string WordsAnEmptyThought =
        "{% for m in messages %}{% if m.role == 'user' %}{{ '<|im_start|>user\\n' + m.content + '<|im_end|>\\n' }}"
        + "{% else %}{{ '<|im_start|>assistant\\n<think>\\n\\n</think>\\n\\n' + m.content + '<|im_end|>\\n' }}"
        + "{% endif %}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}";

    /// <summary>The prompt opens the answer itself, which the turn closes: no reasoning.</summary>
    const string OpensTheAnswer =
        "{% for m in messages %}{% if m.role == 'user' %}{{ '<|im_start|>user\\n' + m.content + '<|im_end|>\\n' }}"
        + "{% else %}{{ '<|im_start|>assistant\\n<answer>' + m.content + '</answer><|im_end|>\\n' }}{% endif %}"
        + "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n<answer>' }}{% endif %}";

    public static TheoryData<string, string> Closed =>
        new()
        {
            { OpensAndDrops, "<|User|>Hello<|Assistant|><think>\n\n</think>\n\n" },
            { OpensAndWords, "<|im_start|>assistant\n<think>\n\n</think>\n\n" },
            { OpensAndWordsWhereGiven, "<|im_start|>assistant\n[THINK]\n[/THINK]\n" },
            { OpensByASentence, "<|im_start|>assistant\nHere are my reasoning steps:\n\n[BEGIN FINAL RESPONSE]\n\n" },
            { OpensByAnUnknownName, "<|im_start|>assistant\n<|notes_start|><|notes_end|>" },
            { WordsAnEmptyThought, "<|im_start|>assistant\n<think>\n\n</think>\n\n" },
            { OpensTheAnswer, "<|im_start|>assistant\n<answer>" },
        };

    [Theory]
    [MemberData(nameof(Closed))]
    public void A_prompt_closes_the_reasoning_that_its_template_opens_and_the_answer_follows(
        string template,
        string expected
    )
    {
        using var folder = CreateModel(template);
        var encoder = ConversationEncoder.Load(folder.Folder);

        Assert.EndsWith(expected, DecodeAll(encoder, encoder.EncodePrompt(Hello)), StringComparison.Ordinal);
        Assert.StartsWith("Good day", DecodeAll(encoder, encoder.EncodeResponse("Good day")), StringComparison.Ordinal);
        Assert.EndsWith("<|im_end|>", DecodeAll(encoder, encoder.EncodeResponse("Good day")), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(OpensAndDrops, true)]
    [InlineData(OpensAndWords, true)]
    [InlineData(OpensAndWordsWhereGiven, true)]
    [InlineData(OpensByASentence, true)]
    [InlineData(OpensByAnUnknownName, true)]
    [InlineData(WordsAnEmptyThought, false)]
    [InlineData(OpensTheAnswer, false)]
    public void A_template_s_own_prompt_is_known_to_open_the_reasoning(string template, bool opens)
    {
        using var folder = CreateModel(template);

        Assert.Equal(opens, ConversationEncoder.Load(folder.Folder).Reasoning.OpensReasoning);
    }

    [Fact]
    public void A_model_that_may_reason_is_prompted_by_its_template_alone_and_trained_on_an_answer_behind_the_end()
    {
        using var folder = CreateModel(OpensAndDrops);
        var encoder = ConversationEncoder.Load(folder.Folder, new() { AllowsReasoning = true });

        Assert.EndsWith("<think>\n", DecodeAll(encoder, encoder.EncodePrompt(Hello)), StringComparison.Ordinal);
        Assert.Equal("\n</think>\n\nGood day<|im_end|>", DecodeAll(encoder, encoder.EncodeResponse("Good day")));

        var generated = encoder.Tokenizer.Encode("They greet me.\n</think>\n\nGood day<|im_end|>");
        Assert.Equal(new("Good day", "They greet me.", false), encoder.ParseResponse(generated));
        Assert.Equal("Good day", encoder.DecodeResponse(generated));
        Assert.True(encoder.ParseResponse(encoder.Tokenizer.Encode("They greet")).IsUnfinished);
    }

    [Fact]
    public void What_was_trained_is_what_is_decoded_from()
    {
        using var folder = CreateModel(OpensAndDrops);
        var encoder = ConversationEncoder.Load(folder.Folder);

        Assert.Equal(
            "<|User|>Hello<|Assistant|><think>\n\n</think>\n\nGood day<|im_end|>",
            DecodeAll(encoder, [.. encoder.EncodePrompt(Hello), .. encoder.EncodeResponse("Good day")])
        );
        Assert.Equal("Good day", encoder.DecodeResponse(encoder.EncodeResponse("Good day")));
    }

    [Fact]
    public void Earlier_answers_stand_in_the_prompt_without_their_reasoning()
    {
        using var folder = CreateModel(OpensAndWords);
        var encoder = ConversationEncoder.Load(folder.Folder);
        ChatMessage[] plain = [.. Hello, new("assistant", "Good day"), new("user", "Again")];
        ChatMessage[] reasoned =
        [
            .. Hello,
            new("assistant", "<think>\nThey greet me.\n</think>\n\nGood day"),
            new("user", "Again"),
        ];

        Assert.Equal(encoder.EncodePrompt(plain), encoder.EncodePrompt(reasoned));
        Assert.DoesNotContain("greet me", DecodeAll(encoder, encoder.EncodePrompt(reasoned)), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(OpensAndDrops)]
    [InlineData(OpensAndWords)]
    public void A_user_s_own_text_that_holds_a_mark_is_trained_on_as_a_whole(string template)
    {
        const string Text = "I wrote </think> by hand";
        using var folder = CreateModel(template);
        var encoder = ConversationEncoder.Load(folder.Folder);

        Assert.Equal(Text + "<|im_end|>", DecodeAll(encoder, encoder.EncodeResponse(Text)));
        Assert.Contains(Text, DecodeAll(encoder, encoder.EncodePrompt([new("user", Text)])), StringComparison.Ordinal);
    }

    [Fact]
    public void Marks_that_are_special_tokens_are_seen_before_special_tokens_are_dropped()
    {
        using var folder = CreateModel(OpensAndWordsWhereGiven);
        AddSpecialTokens(folder, "[THINK]", "[/THINK]");
        var encoder = ConversationEncoder.Load(folder.Folder, new() { AllowsReasoning = true });
        var generated = encoder.Tokenizer.Encode("They greet me.[/THINK]\nGood day<|im_end|>");

        Assert.Equal("They greet me.\nGood day", encoder.Tokenizer.Decode(generated));
        Assert.Equal(new("Good day", "They greet me.", false), encoder.ParseResponse(generated));
    }

    [Fact]
    public void Without_a_template_the_tokenizer_s_own_marks_count()
    {
        using var folder = CreateModel(null);
        AddSpecialTokens(folder, "<|thinking|>", "<|/thinking|>");
        var encoder = ConversationEncoder.Load(folder.Folder);
        var generated = encoder.Tokenizer.Encode("<|thinking|>They greet me.<|/thinking|>Good day<|im_end|>");

        Assert.Equal(new("Good day", "They greet me.", false), encoder.ParseResponse(generated));
    }

    static TokenizerTestFolder CreateModel(string? template) =>
        new("qwen", new { eos_token = "<|im_end|>", chat_template = template });

    static void AddSpecialTokens(TokenizerTestFolder folder, params string[] tokens)
    {
        var file = Path.Combine(folder.Folder, "tokenizer.json");
        var json = JsonNode.Parse(File.ReadAllText(file))!.AsObject();
        var added = json["added_tokens"]!.AsArray();
        var next = added.Max(token => (int)token!["id"]!) + 1;
        foreach (var token in tokens)
        {
            added.Add(
                new JsonObject
                {
                    ["id"] = next++,
                    ["content"] = token,
                    ["special"] = true,
                    ["single_word"] = false,
                    ["lstrip"] = false,
                    ["rstrip"] = false,
                    ["normalized"] = false,
                }
            );
        }

        File.WriteAllText(file, json.ToJsonString());
    }

    static string DecodeAll(ConversationEncoder encoder, int[] ids) =>
        encoder.Tokenizer.Decode(ids, skipSpecialTokens: false);
}
