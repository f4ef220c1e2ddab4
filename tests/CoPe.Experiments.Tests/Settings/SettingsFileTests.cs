using CoPe.Experiments.Runs.Pretraining;
using CoPe.Experiments.Runs.Recipes;
using CoPe.Experiments.Settings;
using CoPe.Training;

namespace CoPe.Experiments.Tests.Settings;

public class SettingsFileTests
{
    static Recipe Parse(string text, params string[] overrides) =>
        SettingsFile.Parse<Recipe>(text, "r.yaml", overrides);

    static string Error(string text, params string[] overrides) =>
        Assert.Throws<SettingsException>(() => Parse(text, overrides)).Message;

    [Fact]
    public void An_empty_file_is_the_papers_numbers()
    {
        var recipe = Parse("");

        Assert.Equal(
            (16, 16.0, 3, 8, 1e-4),
            (
                recipe.Tam.Lora.Rank,
                recipe.Tam.Lora.Alpha,
                recipe.Tam.Training.Epochs,
                recipe.Tam.Training.BatchSize,
                recipe.Tam.Training.LearningRate
            )
        );
        Assert.Equal(["q_proj", "k_proj", "v_proj", "o_proj"], recipe.Tam.Lora.TargetModules);
        Assert.Equal(
            (8, 8.0, 2, 4, 1e-4),
            (
                recipe.Sft.Lora.Rank,
                recipe.Sft.Lora.Alpha,
                recipe.Sft.Training.Epochs,
                recipe.Sft.Training.BatchSize,
                recipe.Sft.Training.LearningRate
            )
        );
        Assert.Equal(["q_proj", "v_proj"], recipe.Sft.Lora.TargetModules);
        Assert.Equal(
            (0.01, 5e-6, 1, 8),
            (
                recipe.Dpo.Preference.Beta,
                recipe.Dpo.Training.LearningRate,
                recipe.Dpo.Training.Epochs,
                recipe.Dpo.Training.BatchSize
            )
        );
        Assert.Equal(
            (3, 1.0, 0.95),
            (recipe.Negatives.Candidates, recipe.Negatives.Temperature, recipe.Negatives.TopP)
        );
        Assert.Equal(
            (0.1, 0.1, 50, 0.95),
            (
                recipe.Decode.Decoding.Contrast,
                recipe.Decode.Decoding.Plausibility,
                recipe.Decode.Decoding.TopK,
                recipe.Decode.Decoding.TopP
            )
        );
        Assert.Equal(["base", "tam", "sft", "sft+cd", "dpo", "cope"], recipe.Predict);
    }

    [Fact]
    public void A_section_keeps_the_defaults_of_the_keys_it_does_not_name()
    {
        var recipe = Parse("tam:\n  lora: { alpha: 32 }\n  epochs: 1\n");

        Assert.Equal(
            (16, 32.0, 1, 8),
            (recipe.Tam.Lora.Rank, recipe.Tam.Lora.Alpha, recipe.Tam.Training.Epochs, recipe.Tam.Training.BatchSize)
        );
        Assert.Equal(4, recipe.Tam.Lora.TargetModules.Count);
    }

    [Fact]
    public void Overrides_are_typed_and_the_last_one_wins()
    {
        var recipe = Parse(
            "dpo: { beta: 0.2 }",
            "dpo.beta=0.05",
            "dpo.beta=0.07",
            "decode.do_sample=true",
            "users=3",
            "predict=base,cope",
            "dpo.loss=hinge",
            "model_dtype=fp32",
            "decode_dtype=int8",
            "data=../shared/data"
        );

        Assert.Equal(
            (0.07, true, 3, DpoLossKind.Hinge, WeightDtype.Fp32, "../shared/data"),
            (
                recipe.Dpo.Preference.Beta,
                recipe.Decode.Decoding.DoSample,
                recipe.Users,
                recipe.Dpo.Preference.Loss,
                recipe.ModelDtype,
                recipe.Data
            )
        );
        Assert.Equal(WeightDtype.Int8, recipe.DecodeDtype);
        Assert.Contains("decode_dtype: int8", recipe.ToYaml(), StringComparison.Ordinal);
        Assert.Equal(["base", "cope"], recipe.Predict);
    }

    [Theory]
    [InlineData("- ")]
    [InlineData("[")]
    [InlineData("{a: ")]
    public void Nesting_is_refused_without_a_crash(string repeated)
    {
        var message = Error(string.Concat(Enumerable.Repeat(repeated, 60_000)));
        Assert.Contains("nested more than 32 deep", message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_message_is_one_line_without_what_a_terminal_would_obey()
    {
        var message = Error("seed: \"\\e[2J many\\nlines " + new string('x', 5000) + "\"\n");
        Assert.DoesNotContain(message, char.IsControl);
        Assert.InRange(message.Length, 100, MessageText.MaxLength);
        Assert.Contains("\\u001B[2J many lines", message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("dpo: { beta: 0.1 }\nevaluate: { likelihood: True }", true)]
    [InlineData("evaluate: { likelihood: FALSE }", false)]
    public void Truth_is_spelled_as_in_YAML_1_2(string text, bool expected) =>
        Assert.Equal(expected, Parse(text).Evaluate.Likelihood);

    [Theory]
    [InlineData("users: null")]
    [InlineData("users:")]
    [InlineData("sft: { users_at_once: auto }")]
    public void Null_auto_and_nothing_leave_a_choice_open(string text) =>
        Assert.Equal((null, null), (Parse(text).Users, Parse(text).Sft.UsersAtOnce));

    [Theory]
    [InlineData(
        "dpo:\n  beta: 0.1\n  betta: 0.2\n",
        "r.yaml line 3: unknown key 'dpo.betta'; did you mean 'dpo.beta'?"
    )]
    [InlineData("learning-rate: 1\n", "r.yaml line 1: unknown key 'learning-rate'; did you mean 'tam.learning_rate'?")]
    [InlineData("seed: 1\ncontrast: 0.3\n", "r.yaml line 2: unknown key 'contrast'; did you mean 'decode.contrast'?")]
    [InlineData("dpo: 3\n", "r.yaml line 1: 'dpo' is a section of keys (")]
    [InlineData("seed: many\n", "r.yaml line 1: 'seed' takes a whole number, found 'many'")]
    [InlineData("dpo: { beta: -1 }\n", "r.yaml line 1: 'dpo.beta' is -1; it must be greater than 0")]
    [InlineData("sft: { learning_rate: 3 }\n", "'sft.learning_rate' is 3; it must be greater than 0 and at most 1")]
    [InlineData("tam: { weight_decay: 2 }\n", "'tam.weight_decay' is 2; it must be at least 0 and at most 1")]
    [InlineData(
        "sft: { lora: { rank: 70000 } }\n",
        "'sft.lora.rank' is 70000; it must be at least 1 and at most 65536"
    )]
    [InlineData("decode: { top_p: 2 }\n", "'decode.top_p' is 2; it must be greater than 0 and at most 1")]
    [InlineData("dpo: { loss: sigmoidal }\n", "'dpo.loss' takes one of sigmoid, ipo, hinge, found 'sigmoidal'")]
    [InlineData("seed: [1, 2]\n", "'seed' takes one value, found a list")]
    [InlineData("seed: 1\nseed: 2\n", "r.yaml line 2")]
    [InlineData("dpo: { beta: 0.1\n", "not valid YAML")]
    [InlineData("- a\n- b\n", "r.yaml line 1: expected 'key: value' lines, found a list")]
    [InlineData("seed: 99999999999999999999\n", "'seed' takes a whole number")]
    [InlineData("dpo: { beta: .nan }\n", "'dpo.beta' takes a number, found '.nan'")]
    [InlineData("seed: 1\n---\nseed: 2\n", "r.yaml line 2: a second document begins here")]
    [InlineData("a: 1\nb:\n  c: 1\nd:\n  - 1\n\t- 2\n", "r.yaml line 6, column 1: not valid YAML")]
    [InlineData("seed: !!binary \"\u001b[2J\"\n", "r.yaml line 1")]
    [InlineData("? [", "r.yaml line 1, column 3: a list, a section or an alias")]
    [InlineData("a: *x", "r.yaml line 1")]
    [InlineData("%YAML 9.9\n---\na: 1", "r.yaml line 1")]
    public void What_is_wrong_in_a_file_is_named_with_its_line(string text, string message) =>
        Assert.Contains(message, Error(text), StringComparison.Ordinal);

    [Theory]
    [InlineData("dpo.betta=1", "--set dpo.betta=1: unknown key 'dpo.betta'; did you mean 'dpo.beta'?")]
    [InlineData("dpo.beta", "--set dpo.beta: expected key=value")]
    [InlineData("dpo.beta=x", "--set dpo.beta=x: 'dpo.beta' takes a number, found 'x'")]
    [InlineData("dpo.beta.x=1", "--set dpo.beta.x=1: 'dpo.beta' takes one value, found a section")]
    [InlineData("seed=", "--set seed=: 'seed' takes a whole number")]
    public void What_is_wrong_in_an_override_is_named_with_it(string pair, string message) =>
        Assert.StartsWith(message, Error("", pair), StringComparison.Ordinal);

    [Fact]
    public void The_nearest_key_is_one_of_the_file_that_is_read() =>
        Assert.Contains(
            "unknown key 'learning_rate'; did you mean 'training.learning_rate'?",
            Assert
                .Throws<SettingsException>(() => SettingsFile.Parse<PretrainRecipe>("learning_rate: 1", "p.yaml", []))
                .Message,
            StringComparison.Ordinal
        );

    [Theory]
    [InlineData("decode.dtype=int8")]
    [InlineData("model_dtype=q4")]
    public void Rounded_weights_are_refused_on_a_gpu(string setting) =>
        Assert.Contains(
            "int8 and q4 weights are for the processor alone",
            Assert
                .Throws<SettingsException>(() => Parse("task: scholarly_title", "device=cuda", setting).Validate())
                .Message,
            StringComparison.Ordinal
        );

    [Fact]
    public void A_recipe_written_and_read_is_the_same()
    {
        var recipe = Parse(
            "",
            "task=scholarly_title",
            "users=7",
            "prompts=my prompts/à: b",
            "dpo.rpo_alpha=0.5",
            "tam.lora.target_modules=[q_proj]",
            "tam.lora.modules_to_save=[lm_head, embed_tokens]",
            "sft.lora.modules_to_save=null",
            "dpo.learning_rate=1e-7"
        );

        var again = Parse(recipe.ToYaml());

        Assert.Equal(recipe.Values(), again.Values());
        Assert.Equal("my prompts/à: b", again.Prompts);
        Assert.Equal(["lm_head", "embed_tokens"], again.Tam.Lora.ModulesToSave);
        Assert.Null(again.Sft.Lora.ModulesToSave);
    }

    [Fact]
    public void Values_of_a_section_are_its_leaves_without_those_that_change_speed_only()
    {
        var values = Parse("").Values("seed", "sft");

        Assert.Equal("42", values["seed"]);
        Assert.Equal("0.0001", values["sft.learning_rate"]);
        Assert.Equal("[q_proj, v_proj]", values["sft.lora.target_modules"]);
        Assert.DoesNotContain("sft.users_at_once", values.Keys);
        Assert.DoesNotContain("dpo.beta", values.Keys);
        Assert.Throws<ArgumentException>(() => Parse("").Values("dpo.betta"));
    }

    [Theory]
    [InlineData("decode.temperature", "0.3")]
    [InlineData("decode.top_p", "0.5")]
    [InlineData("decode.repetition_penalty", "0.9")]
    [InlineData("negatives.temperature", "0.01")]
    public void Fractions_within_whole_bounds_are_in_range(string key, string value) =>
        Assert.Equal(value, Parse("", $"{key}={value}").Values(key)[key]);

    [Fact]
    public void Decimal_points_do_not_depend_on_the_language_of_the_machine()
    {
        var before = Thread.CurrentThread.CurrentCulture;
        try
        {
            Thread.CurrentThread.CurrentCulture = new("de-DE");
            Assert.Equal("0.05", Parse("dpo: { beta: 0.05 }").Values("dpo.beta")["dpo.beta"]);
            Assert.Contains(
                "must be greater than 0 and at most 1",
                Error("decode: { top_p: 2.5 }"),
                StringComparison.Ordinal
            );
        }
        finally
        {
            Thread.CurrentThread.CurrentCulture = before;
        }
    }
}
