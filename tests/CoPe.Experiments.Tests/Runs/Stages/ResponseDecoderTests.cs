using CoPe.Chat;
using CoPe.Experiments.Runs.Stages;
using CoPe.Testing;
using Microsoft.Extensions.Logging;

namespace CoPe.Experiments.Tests.Runs.Stages;

public sealed class ResponseDecoderTests : IDisposable
{
    readonly TemporaryFolder _model = new();

    public ResponseDecoderTests()
    {
        var shipped = Path.Combine(AppContext.BaseDirectory, "models", "cope-tiny");
        foreach (var name in (string[])["tokenizer.json", "tokenizer_config.json"])
        {
            File.Copy(Path.Combine(shipped, name), _model.At(name));
        }
    }

    public void Dispose() => _model.Dispose();

    [Fact]
    public void Answers_come_without_reasoning_and_those_that_end_within_it_are_empty_counted_and_warned_about()
    {
        var encoder = ConversationEncoder.Load(_model.Path);
        var responses = new ResponseDecoder(encoder);
        var log = new RecordingLogger();

        Assert.Equal("Rain", Decode("<think>It rains.</think>\nRain"));
        Assert.Equal("", Decode("<think>It rains, and"));
        Assert.Equal("Sun", Decode("Sun"));
        responses.WarnIfUnfinished(log, "predict cope", "decode.max_new_tokens");

        var (level, line) = Assert.Single(log.Messages);
        Assert.Equal(LogLevel.Warning, level);
        Assert.StartsWith("predict cope: 1 of 3 answers", line, StringComparison.Ordinal);
        Assert.Contains("decode.max_new_tokens", line, StringComparison.Ordinal);

        string Decode(string text) => responses.Decode(encoder.Tokenizer.Encode(text));
    }

    [Fact]
    public void Where_every_answer_is_complete_nothing_is_said()
    {
        var encoder = ConversationEncoder.Load(_model.Path);
        var responses = new ResponseDecoder(encoder);
        var log = new RecordingLogger();

        responses.Decode(encoder.Tokenizer.Encode("Rain"));
        responses.WarnIfUnfinished(log, "predict cope", "decode.max_new_tokens");

        Assert.Empty(log.Messages);
    }
}
