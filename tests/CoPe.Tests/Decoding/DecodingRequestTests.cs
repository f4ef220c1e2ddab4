using CoPe.Adapters;
using CoPe.Decoding;
using CoPe.Testing;

namespace CoPe.Tests.Decoding;

[Collection("torch")]
public class DecodingRequestTests
{
    static readonly DecodingRequest Request = new() { Id = "u7/q3", Prompt = [5, 6, 7] };

    static string Refusal(DecodingRequest request)
    {
        using var golden = GoldenModel.Llama();
        return Assert.Throws<ArgumentException>(() => golden.Engine().InOrder([request])).Message;
    }

    [Fact]
    public void A_prompt_longer_than_the_context_is_an_error_with_id_and_lengths()
    {
        using var golden = GoldenModel.Llama();
        var context = golden.Model.Config.MaxPositions;
        var message = Refusal(Request with { Prompt = new int[context] });
        Assert.Contains("'u7/q3'", message, StringComparison.Ordinal);
        Assert.Contains($"{context}", message, StringComparison.Ordinal);
    }

    [Fact]
    public void Requests_that_cannot_be_served_say_why()
    {
        Assert.Contains("empty prompt", Refusal(Request with { Prompt = [] }), StringComparison.Ordinal);
        Assert.Contains("the id 512 ", Refusal(Request with { Prompt = [4, 512] }), StringComparison.Ordinal);
        Assert.Contains(
            "user adapter 2, but the user bank holds 2",
            Refusal(Request with { Expert = AdapterSelection.TaskAndUser(2) }),
            StringComparison.Ordinal
        );
        Assert.Contains(
            "amateur",
            Refusal(Request with { Amateur = AdapterSelection.TaskAndUser(5) }),
            StringComparison.Ordinal
        );
        Assert.Contains("0 samples", Refusal(Request with { Samples = 0 }), StringComparison.Ordinal);
        Assert.Contains(
            "Detokenize",
            Refusal(Request with { Options = new DecodingOptions { StopStrings = ["."] } }),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void Two_requests_of_one_id_are_an_error()
    {
        using var golden = GoldenModel.Llama();
        Assert.Contains(
            "'u7/q3'",
            Assert.Throws<ArgumentException>(() => golden.Engine().InOrder([Request, Request])).Message,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void An_answer_without_a_limit_continues_to_its_stop_token()
    {
        using var golden = GoldenModel.Llama();
        var whole = golden.Engine([]).InOrder([Request])[0].Ids;
        var endless = Request with { Id = "b", Options = Request.Options with { MaxNewTokens = int.MaxValue } };
        var results = golden.Engine([whole[1]]).InOrder([Request, endless]);
        Assert.Equal(StopReason.StopToken, results[1].StopReason);
        Assert.Equal(results[0].Ids, results[1].Ids);
    }

    [Fact]
    public void Stop_ids_and_stop_strings_end_only_the_answers_that_have_them()
    {
        using var golden = GoldenModel.Llama();
        var options = new EngineOptions { Detokenize = ids => string.Join(' ', ids) };
        var drawn = new DecodingOptions
        {
            MaxNewTokens = 12,
            DoSample = true,
            Temperature = 3,
        };
        var free = Request with { Options = drawn };
        var whole = golden.Engine([], options).InOrder([free])[0].Ids;
        var stopping = free with { Id = "b", Options = drawn with { StopStrings = [$"{whole[2]} {whole[3]}"] } };
        var byString = golden.Engine([], options).InOrder([free, stopping]);
        Assert.Equal(whole, byString[0].Ids);
        Assert.Equal(whole.Take(4), byString[1].Ids);
        Assert.Equal(StopReason.StopString, byString[1].StopReason);
        var last = whole.Distinct().Last();
        var byId = golden.Engine([511, last], options).InOrder([free])[0];
        Assert.Equal(whole.TakeWhile(id => id != last).Append(last), byId.Ids);
        Assert.Equal(StopReason.StopToken, byId.StopReason);
    }
}
