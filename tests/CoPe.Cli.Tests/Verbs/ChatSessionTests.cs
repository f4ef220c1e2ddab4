using CoPe.Chat;
using CoPe.Cli.Hosting;
using CoPe.Cli.Sessions;
using CoPe.Decoding;
using CoPe.Experiments.Runs.Chat;
using CoPe.Experiments.Tasks;

namespace CoPe.Cli.Tests.Verbs;

[Collection("torch")]
public sealed class ChatSessionTests(TinyRunFixture world) : IClassFixture<TinyRunFixture>
{
    const string Line = "The council opened a new bridge over the river on Tuesday.";

    static readonly ChatSessionOptions Options = new() { MaxNewTokens = 24 };

    [Fact]
    public void The_last_response_that_is_streamed_of_each_model_is_its_final_answer() =>
        WithSession(session =>
        {
            var responses = new Dictionary<ChatModelKind, ParsedResponse>();

            var turn = session.Answer(Line, Options, (model, response) => responses[model] = response);

            Assert.Equal([ChatModelKind.Base, ChatModelKind.Personalized], turn.Answers.Keys.Order());
            foreach (var (model, answer) in turn.Answers)
            {
                var streamed = AnswerExtractor.Extract(responses[model].Answer, LampTasks.NewsHeadline);
                Assert.Equal(WithoutPartialCharacter(answer.Text), WithoutPartialCharacter(streamed));
            }
        });

    [Fact]
    public void An_answer_can_be_stopped_and_the_next_line_is_answered_as_ever()
    {
        var expected = WithSession(session => Texts(session.Answer(Line, Options)));

        WithSession(session =>
        {
            using var stop = new CancellationTokenSource();
            var count = 0;
            Assert.ThrowsAny<OperationCanceledException>(() =>
                session.Answer(
                    Line,
                    Options,
                    (_, _) =>
                    {
                        count++;
                        stop.Cancel();
                    },
                    stop.Token
                )
            );
            Assert.InRange(count, 1, 2 * Options.MaxNewTokens!.Value - 1);
            Assert.Empty(session.Turns);

            Assert.Equal(expected, Texts(session.Answer(Line, Options)));
        });
    }

    [Fact]
    public void What_is_kept_between_lines_changes_no_answer()
    {
        using var nothing = new PromptCache(1);
        using var everything = new PromptCache();
        string[] lines = [Line, "Now shorter", "And for children"];
        List<string> Answer(PromptCache? cache) =>
            WithSession(
                session => lines.SelectMany(line => Texts(session.Answer(line, Options)).Values).ToList(),
                cache
            );
        var expected = Answer(nothing);

        Assert.Equal(expected, Answer(everything));
        Assert.Equal(expected, Answer(null));
        Assert.Equal((0, true), (nothing.Bytes, everything.Bytes > 0));
    }

    [Fact]
    public void Without_the_base_model_the_personalized_answer_is_the_same() =>
        WithSession(session =>
        {
            var both = session.Answer(Line, Options);
            session.StartConversation();
            var alone = session.Answer(Line, Options with { IncludesBase = false });

            Assert.Equal(both.Personalized.Text, Assert.Single(alone.Answers).Value.Text);
        });

    [Fact]
    public void A_later_line_follows_the_turns_before_it_and_each_model_sees_its_own_answers() =>
        WithSession(session =>
        {
            var first = session.Answer(Line, Options);
            var second = session.Answer("Now shorter", Options);

            foreach (var (model, answer) in second.Answers)
            {
                var encoder = session.Encoder;
                var expected = encoder.EncodePrompt([
                    new("user", "Generate a headline for the following article: " + Line),
                    new("assistant", first.Answers[model].Text),
                    new("user", "Now shorter"),
                ]);
                Assert.Equal(expected, answer.Prompt);
            }
        });

    [Fact]
    public void A_new_conversation_and_one_without_earlier_turns_answer_as_the_first_line_was() =>
        WithSession(session =>
        {
            var first = Texts(session.Answer(Line, Options));

            Assert.Equal(first, Texts(session.Answer(Line, Options with { IncludesEarlierTurns = false })));
            session.StartConversation();
            Assert.Equal(first, Texts(session.Answer(Line, Options)));
        });

    [Fact]
    public void Trying_again_takes_the_place_of_the_last_answer_and_draws_with_another_seed() =>
        WithSession(session =>
        {
            var drawn = Options with { Temperature = 5, Contrast = 0 };
            var first = session.Answer(Line, drawn).Personalized;

            var second = session.Retry(drawn).Personalized;
            var third = session.Retry(drawn).Personalized;

            Assert.Equal(first.Prompt, third.Prompt);
            Assert.NotEqual(first.Ids, second.Ids);
            Assert.NotEqual(second.Ids, third.Ids);
            Assert.Equal(third.Ids, Assert.Single(session.Turns).Personalized.Ids);
        });

    [Fact]
    public void A_seed_repeats_a_conversation() =>
        WithSession(session =>
        {
            List<string> Draw(long seed)
            {
                session.StartConversation();
                var drawn = Options with { Temperature = 5, Seed = seed };
                return [.. ((string[])["one", "two"]).Select(line => session.Answer(line, drawn).Personalized.Text)];
            }

            var first = Draw(1);

            Assert.NotEqual(first, Draw(2));
            Assert.Equal(first, Draw(1));
        });

    [Fact]
    public void Without_contrast_the_user_s_model_answers_alone_so_that_plausibility_changes_nothing() =>
        WithSession(session =>
        {
            var drawn = Options with { Temperature = 5, Contrast = 0, IncludesEarlierTurns = false };

            var strict = session.Answer(Line, drawn with { Plausibility = 1 });
            session.StartConversation();
            var lax = session.Answer(Line, drawn with { Plausibility = 0 });

            Assert.Equal(strict.Personalized.Ids, lax.Personalized.Ids);
        });

    [Fact]
    public void A_line_that_is_cut_says_how_much_of_it_was_kept() =>
        WithSession(session =>
        {
            // sft.max_words is 12.
            var cut = session.Answer(string.Join(' ', Enumerable.Repeat("rain", 40)), Options).Cut;
            var whole = session.Answer("rain again", Options).Cut;

            Assert.Equal(new ChatPromptCut(12, 40, false, 0), cut);
            Assert.True(cut.IsLineCut);
            Assert.Equal(new ChatPromptCut(2, 2, false, 0), whole);
            Assert.False(whole.IsLineCut);
        });

    [Fact]
    public void A_text_without_spaces_is_cut_to_as_much_as_the_context_holds() =>
        WithSession(session =>
        {
            var turn = session.Answer(new string('z', 9000), Options);

            Assert.Equal(new ChatPromptCut(1, 1, true, 0), turn.Cut);
            var room = session.MaxNewTokensLimit + 1 - Options.MaxNewTokens!.Value;
            Assert.InRange(turn.Personalized.Prompt.Count, room - 8, room);
        });

    [Fact]
    public void Where_the_context_is_full_the_earliest_turns_are_left_out() =>
        WithSession(session =>
        {
            var roomy = Options with { MaxNewTokens = session.MaxNewTokensLimit - 100 };
            session.Answer("one", Options);
            session.Answer("two", Options);
            session.Answer("three", Options);

            var turn = session.Answer("four", roomy with { Temperature = 0 });

            Assert.InRange(turn.Cut.LeftOutTurns, 1, 3);
            Assert.False(turn.Cut.IsLineCut);
            Assert.InRange(turn.Personalized.Prompt.Count, 1, 101);
        });

    [Fact]
    public void An_answer_is_explained_token_by_token() =>
        WithSession(session =>
        {
            var answer = session.Answer(Line, Options with { Contrast = 0, Temperature = 0 }).Personalized;

            var tokens = session.Explain(alternatives: 3);

            Assert.Equal(answer.Ids.Count, tokens.Count);
            var text = string.Concat(tokens.Where(token => !token.EndsAnswer).Select(token => token.Text));
            Assert.Equal(
                WithoutPartialCharacter(answer.Text),
                WithoutPartialCharacter(AnswerExtractor.Extract(text, LampTasks.NewsHeadline))
            );
            Assert.All(
                tokens,
                token =>
                {
                    Assert.Equal(3, token.Alternatives.Count);
                    // Without drawing and contrast the user's model takes its likeliest token.
                    Assert.All(token.Alternatives, other => Assert.True(other.LogProb <= token.Expert + 0.02));
                }
            );
            Assert.Contains(tokens, token => token.Reward != 0);
        });

    [Fact]
    public void An_explanation_marks_the_tokens_where_the_amateur_was_certain() =>
        WithSession(session =>
        {
            // A contrast so small that the answer is the same wherever it is left out.
            var options = Options with
            {
                Temperature = 0,
                Contrast = 1e-9,
            };
            int CountMarked(double? limit)
            {
                session.StartConversation();
                session.Answer(Line, options with { ContrastUnlessCertain = limit });
                return session.Explain(alternatives: 1).Count(token => token.WithoutContrast);
            }

            var answer = session.Answer(Line, options).Personalized;
            double[] limits = [0, .. Enumerable.Range(10, 11).Select(step => step / 2000.0), 1];
            int[] marked = [.. limits.Select(limit => CountMarked(limit))];

            Assert.Equal(answer.Ids.Count, marked[0]);
            Assert.Equal(0, marked[^1]);
            Assert.Equal(marked.OrderDescending(), marked);
            Assert.Contains(marked, count => count > 0 && count < answer.Ids.Count);
            Assert.Equal(0, CountMarked(null));
        });

    [Fact]
    public void The_adapter_in_use_is_the_preference_trained_one() =>
        WithSession(session =>
        {
            Assert.Equal("dpo", session.Adapter.Stage);
            Assert.Equal(world.RunAt("undisturbed").DpoAdapter("1"), session.Adapter.Folder);
        });

    static Dictionary<ChatModelKind, string> Texts(ChatTurn turn) =>
        turn.Answers.ToDictionary(pair => pair.Key, pair => pair.Value.Text);

    /// <summary>
    /// A text that ends within a character keeps what stands for its bytes until they are known to be broken.
    /// </summary>
    static string WithoutPartialCharacter(string text) => text.TrimEnd('\uFFFD').TrimEnd();

    void WithSession(Action<ChatSession> use) =>
        WithSession(session =>
        {
            use(session);
            return true;
        });

    T WithSession<T>(Func<ChatSession, T> use, PromptCache? cache = null)
    {
        var host = new CommandHost
        {
            Out = TextWriter.Null,
            Error = TextWriter.Null,
            SearchFolders = [world.PathOf(""), AppContext.BaseDirectory],
        };
        return new RunSession(host, new() { Run = "undisturbed", IsQuiet = true }).Inspect(context =>
        {
            using var session = new ChatSession(context, "1", cache);
            return use(session);
        });
    }
}
