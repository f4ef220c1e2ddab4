using System.Text.Json.Nodes;
using CoPe.Chat;

namespace CoPe.Cli.Tests.Endpoint;

[Collection("torch")]
public sealed class EndpointVerbTests(TinyRunFixture world) : IClassFixture<TinyRunFixture>
{
    [Fact]
    public void Candidates_come_from_an_endpoint_and_an_endpoint_that_fails_in_between_loses_nothing()
    {
        using var endpoint = new LocalEndpoint(failing: request => request == 2);
        Assert.Equal(0, world.RunCommand(default, "train", "tam", "recipe.yaml", "--run", "remote"));
        string[] sample =
        [
            "negatives",
            "sample",
            "--run",
            "remote",
            "--endpoint",
            endpoint.Url,
            "--endpoint-model",
            "tam",
            "--endpoint-parallel",
            "1",
        ];

        Assert.Equal(1, world.RunCommand(default, sample));
        Assert.Contains("refuses the request for model 'tam' with status 404", world.Error, StringComparison.Ordinal);
        Assert.Equal(0, world.RunCommand(default, sample));

        var lines = File.ReadAllLines(world.RunAt("remote").Candidates);
        Assert.Equal(6, lines.Length); // 2 users, 3 items each
        Assert.All(lines, line => Assert.Contains("sampled there", line, StringComparison.Ordinal));
        Assert.Equal(7, endpoint.Requests); // the failed one was sent again, no other
    }

    [Fact]
    public void Answers_of_an_endpoint_are_neither_lost_nor_mixed_with_others_unless_that_is_said()
    {
        using var endpoint = new LocalEndpoint(failing: request => request == 2);
        Assert.Equal(0, world.RunCommand(default, "train", "tam", "recipe.yaml", "--run", "paid"));
        string[] alone = ["negatives", "sample", "--run", "paid"];
        string[] there = [.. alone, "--endpoint", endpoint.Url, "--endpoint-parallel", "1", "--endpoint-model"];
        Assert.Equal(1, world.RunCommand(default, [.. there, "tam"]));

        foreach (var others in (string[][])[alone, [.. there, "other"], ["run", "--run", "paid"]])
        {
            Assert.Equal(1, world.RunCommand(default, others));
            Assert.Contains(
                $"candidates of 2 history items from --endpoint {endpoint.Url} --endpoint-model tam",
                world.Error,
                StringComparison.Ordinal
            );
        }

        Assert.True(world.RunCommand(default, [.. there, "tam"]) == 0, world.Error);
        Assert.Equal(1, world.RunCommand(default, [.. there, "other"]));
        Assert.Contains("is complete in paid with candidates from --endpoint", world.Error, StringComparison.Ordinal);
        Assert.Equal(1, world.RunCommand(default, "run", "--run", "paid", "--set", "negatives.temperature=0.5"));
        Assert.Contains("has the candidates of 6 history items from --endpoint", world.Error, StringComparison.Ordinal);
        Assert.Equal(0, world.RunCommand(default, [.. there, "tam"]));

        Assert.All(
            File.ReadAllLines(world.RunAt("paid").Candidates),
            line => Assert.Contains("sampled there", line, StringComparison.Ordinal)
        );
        Assert.Equal(7, endpoint.Requests);
    }

    [Fact]
    public void What_an_endpoint_answered_gives_way_to_candidates_from_here_on_request()
    {
        using var endpoint = new LocalEndpoint(failing: request => request == 2);
        Assert.Equal(0, world.RunCommand(default, "train", "tam", "recipe.yaml", "--run", "thrown"));
        Assert.Equal(
            1,
            world.RunCommand(
                default,
                "negatives",
                "sample",
                "--run",
                "thrown",
                "--endpoint",
                endpoint.Url,
                "--endpoint-model",
                "tam",
                "--endpoint-parallel",
                "1"
            )
        );

        Assert.True(world.RunCommand(default, "negatives", "sample", "--run", "thrown", "--again") == 0, world.Error);

        Assert.Contains("from another source is thrown away", world.Error, StringComparison.Ordinal);
        Assert.DoesNotContain(
            "sampled there",
            File.ReadAllText(world.RunAt("thrown").Candidates),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void An_endpoint_is_told_what_ends_an_answer_where_the_chat_template_alone_knows_it()
    {
        foreach (var file in Directory.GetFiles(world.PathOf("model")))
        {
            var target = Path.Combine(
                Directory.CreateDirectory(world.PathOf("unended")).FullName,
                Path.GetFileName(file)
            );
            File.Copy(file, target);
            if (Path.GetFileName(file) is "config.json" or "generation_config.json")
            {
                var json = JsonNode.Parse(File.ReadAllText(file))!.AsObject();
                Assert.True(json.Remove("eos_token_id"));
                File.WriteAllText(target, json.ToJsonString());
            }
        }

        using var endpoint = new LocalEndpoint(failing: _ => false);
        string[] run = ["--run", "unended-run"];
        Assert.Equal(0, world.RunCommand(default, ["train", "tam", "recipe.yaml", .. run, "--model", "unended"]));
        string[] there = ["--endpoint", endpoint.Url, "--endpoint-model", "tam"];
        Assert.Equal(0, world.RunCommand(default, ["negatives", "sample", .. run, .. there]));

        var expected = ConversationEncoder.Load(world.PathOf("unended")).StopTokenIds.Order();
        var sent = JsonNode.Parse(endpoint.LastBody!)!["stop_token_ids"]!.AsArray();
        Assert.Equal(expected, sent.Select(id => (int)id!));
        Assert.NotEmpty(sent);
    }

    [Fact]
    public void A_parameter_of_the_address_goes_to_the_endpoint_and_nowhere_else()
    {
        using var endpoint = new LocalEndpoint(failing: request => request == 2);
        Assert.Equal(0, world.RunCommand(default, "train", "tam", "recipe.yaml", "--run", "secret"));
        string[] alone = ["negatives", "sample", "--run", "secret", "--endpoint-parallel", "1"];
        string[] sample =
        [
            .. alone,
            "--endpoint-model",
            "tam",
            "--endpoint",
            $"{endpoint.Url}?api-version=1&key=s3cret",
        ];

        Assert.Equal(1, world.RunCommand(default, sample));
        Assert.DoesNotContain("s3cret", world.Error, StringComparison.Ordinal);
        Assert.Equal(0, world.RunCommand(default, sample));
        Assert.Equal(0, world.RunCommand(default, [.. sample, "--again"]));

        Assert.Equal("/v1/completions?api-version=1&key=s3cret", endpoint.LastPath);
        var files = Directory.GetFiles(world.RunAt("secret").Root, "*", SearchOption.AllDirectories);
        Assert.DoesNotContain(files, file => File.ReadAllBytes(file).AsSpan().IndexOf("s3cret"u8) >= 0);
        Assert.Contains(
            $"""--endpoint \"{endpoint.Url}?api-version=1&key=...\" --endpoint-model tam""",
            File.ReadAllText(world.RunAt("secret").Candidates),
            StringComparison.Ordinal
        );
    }

    [Theory]
    [InlineData("--endpoint-model is given without --endpoint", "--endpoint-model", "tam")]
    [InlineData("expected an address", "--endpoint", "localhost", "--endpoint-model", "tam")]
    [InlineData("--endpoint needs --endpoint-model", "--endpoint", "http://localhost:1/v1")]
    [InlineData(
        "negatives.kind is Random",
        "--endpoint",
        "http://localhost:1/v1",
        "--endpoint-model",
        "tam",
        "--set",
        "negatives.kind=random"
    )]
    public void Options_that_do_not_fit_together_say_so(string message, params string[] options)
    {
        Assert.Equal(
            2,
            world.RunCommand(default, ["negatives", "sample", "recipe.yaml", "--run", "refused", .. options])
        );
        Assert.Contains(message, world.Error, StringComparison.Ordinal);
    }
}
