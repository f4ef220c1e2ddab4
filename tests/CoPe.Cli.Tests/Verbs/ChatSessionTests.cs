using CoPe.Cli.Hosting;
using CoPe.Cli.Sessions;
using CoPe.Experiments.Runs.Chat;
using CoPe.Experiments.Tasks;

namespace CoPe.Cli.Tests.Verbs;

[Collection("torch")]
public sealed class ChatSessionTests(TinyRunFixture world) : IClassFixture<TinyRunFixture>
{
    const string Line = "The council opened a new bridge over the river on Tuesday.";

    static readonly ChatSessionOptions Options = new() { MaxNewTokens = 24 };

    [Fact]
    public void The_streamed_pieces_of_each_model_make_up_its_final_answer() =>
        WithSession(session =>
        {
            var pieces = new Dictionary<ChatModelKind, string>();

            var answers = session.Answer(
                Line,
                Options,
                (model, text) => pieces[model] = pieces.GetValueOrDefault(model, "") + text
            );

            Assert.Equal([ChatModelKind.Base, ChatModelKind.Personalized], answers.Keys.Order());
            foreach (var (model, answer) in answers)
            {
                var streamed = AnswerExtractor.Extract(pieces[model], LampTasks.NewsHeadline);
                Assert.Equal(WithoutPartialCharacter(answer), WithoutPartialCharacter(streamed));
            }
        });

    [Fact]
    public void An_answer_can_be_stopped_and_the_next_line_is_answered_as_ever()
    {
        var expected = WithSession(session => session.Answer(Line, Options));

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

            Assert.Equal(expected, session.Answer(Line, Options));
        });
    }

    [Fact]
    public void Without_the_base_model_the_personalized_answer_is_the_same()
    {
        var both = WithSession(session => session.Answer(Line, Options));

        var alone = WithSession(session => session.Answer(Line, Options with { IncludesBase = false }));

        Assert.Equal(both[ChatModelKind.Personalized], Assert.Single(alone).Value);
    }

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

    T WithSession<T>(Func<ChatSession, T> use)
    {
        var host = new CommandHost
        {
            Out = TextWriter.Null,
            Error = TextWriter.Null,
            SearchFolders = [world.PathOf(""), AppContext.BaseDirectory],
        };
        return new RunSession(host, new() { Run = "undisturbed", IsQuiet = true }).Inspect(context =>
        {
            using var session = new ChatSession(context, "1");
            return use(session);
        });
    }
}
