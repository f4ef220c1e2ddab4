using System.Net;
using CoPe.Serving;

namespace CoPe.Server.Tests;

[Collection("torch")]
public sealed class ModelQueryTests
{
    static readonly string[] Names = ["base", "run:tam", "Ada", "adam", "bob", "canada"];

    [Theory]
    [InlineData("", "base run:tam Ada adam bob canada")]
    [InlineData("ADA", "Ada adam canada")]
    [InlineData("adam", "adam")]
    [InlineData("nobody", "")]
    public void Names_that_begin_with_what_is_searched_come_first(string search, string expected) =>
        Assert.Equal(expected, NamesOf(new ModelQuery { Search = search }));

    [Theory]
    [InlineData("base", "base")]
    [InlineData("task", "run:tam")]
    [InlineData("user", "Ada adam bob canada")]
    public void Models_of_one_kind_are_listed(string kind, string expected) =>
        Assert.Equal(expected, NamesOf(new ModelQuery { Kind = kind }));

    static string NamesOf(ModelQuery query) => string.Join(' ', query.Select(Names, Find).Select(model => model.Name));

    static PersonalModel Find(string name) =>
        new()
        {
            Name = name,
            TaskAdapter = name == "base" ? null : "task",
            UserAdapter = name is "base" or "run:tam" ? null : "user",
        };

    [Fact]
    public async Task A_list_says_whether_there_are_more_models_than_were_asked_for()
    {
        await using var port = await ServedPort.StartAsync();
        var one = await ServedPort.ReadAsync(await port.GetAsync("/v1/models?kind=user&limit=1"));
        Assert.Equal("ada", one.GetProperty("data")[0].GetProperty("id").GetString());
        Assert.Equal("user", one.GetProperty("data")[0].GetProperty("kind").GetString());
        Assert.True(one.GetProperty("has_more").GetBoolean());
        var both = await ServedPort.ReadAsync(await port.GetAsync("/v1/models?kind=user&limit=2"));
        Assert.Equal(2, both.GetProperty("data").GetArrayLength());
        Assert.False(both.GetProperty("has_more").GetBoolean());
    }

    [Theory]
    [InlineData("kind=pet")]
    [InlineData("limit=0")]
    [InlineData("limit=many")]
    public async Task A_wrong_question_is_refused(string query)
    {
        await using var port = await ServedPort.StartAsync();
        using var response = await port.GetAsync($"/v1/models?{query}");
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        var error = (await ServedPort.ReadAsync(response)).GetProperty("error");
        Assert.Equal(query.Split('=')[0], error.GetProperty("param").GetString());
    }
}
