using CoPe.Chat;

namespace CoPe.Tests.Chat;

/// <summary>Equality of a template's texts and numbers with Python 3.11's.</summary>
public class PythonTextTests
{
    static string Render(string expression) =>
        ChatTemplate.Parse($"{{{{ {expression} }}}}").Render([], addGenerationPrompt: false, new ChatTemplateContext());

    [Theory]
    [InlineData("'{:05}'.format(-42)", "-0042")]
    [InlineData("'{:05}'.format(True)", "00001")]
    [InlineData("'{:>5}'.format(True)", "    1")]
    [InlineData("'{}{}'.format(True, None)", "TrueNone")]
    [InlineData("'{:05}'.format('ab')", "ab000")]
    [InlineData("'{:^05}'.format(65)", "06500")]
    [InlineData("'{:<05}'.format(1.5)", "1.500")]
    [InlineData("'{:010,}'.format(-42)", "-0,000,042")]
    [InlineData("'{:_x}'.format(1234567)", "12_d687")]
    [InlineData("'{:_b}'.format(-42)", "-10_1010")]
    [InlineData("'{:c}'.format(65)", "A")]
    [InlineData("'{:#.0f}'.format(3)", "3.")]
    [InlineData("'{:,}'.format(1e20)", "1e+20")]
    [InlineData("'{:a<05}'.format(3)", "3aaaa")]
    [InlineData("'%05d' % -42", "-0042")]
    [InlineData("'%-05d|' % 42", "42   |")]
    [InlineData("'%.3d' % -3", "-003")]
    [InlineData("'%5.3d' % 3", "  003")]
    [InlineData("'%+s' % 'a'", "a")]
    [InlineData("'%#x' % 255", "0xff")]
    [InlineData("'Straße ﬁx ẞ ı Σ'.casefold()", "strasse fix ss ı σ")]
    [InlineData("'İstanbul ẞa ıx'.title()", "İstanbul ẞa Ix")]
    [InlineData("'ıI'.upper()", "II")]
    [InlineData("'ǅabc ΣΑΣ Ⅷ'.swapcase()", "ǅABC σας ⅷ")]
    [InlineData("'Ⅷ'.isupper()", "True")]
    [InlineData("'ª'.islower()", "True")]
    [InlineData("'ǅabc'.islower()", "False")]
    [InlineData("'𝐀𝐁'.isupper()", "True")]
    [InlineData("'İx Ab'.istitle()", "True")]
    [InlineData("'AB'.istitle()", "False")]
    [InlineData("'一二'.isnumeric()", "True")]
    [InlineData("'Ꭰꭰ'.casefold()", "ᎠᎠ")]
    [InlineData("'İ'.casefold() == 'i\u0307'", "True")]
    [InlineData("'{:.3} {:.3} {:.3} {:.1}'.format(123.0, 12.0, 100.0, 0.0)", "1.23e+02 12.0 1e+02 0e+00")]
    public void An_expression_gives_what_Python_gives(string expression, string expected) =>
        Assert.Equal(expected, Render(expression));

    [Theory]
    [InlineData("'{:>5}'.format(none)")]
    [InlineData("'{:5}'.format([1])")]
    [InlineData("'{:+}'.format('a')")]
    [InlineData("'{:=5}'.format('a')")]
    [InlineData("'{:,}'.format('a')")]
    [InlineData("'{:.3}'.format(10)")]
    [InlineData("'{:,x}'.format(1)")]
    [InlineData("'{:c}'.format(-1)")]
    [InlineData("'{:c}'.format(1.5)")]
    [InlineData("'%x' % 1.5")]
    [InlineData("'%c' % 'ab'")]
    public void What_Python_refuses_is_refused(string expression) =>
        Assert.Throws<ChatTemplateException>(() => Render(expression));

    [Fact]
    public void The_filter_attr_takes_no_entry_of_a_dictionary_for_an_attribute() =>
        Assert.Equal("|True", Render("{'a': 1}|attr('a') ~ '|' ~ ({'a': 1}|attr('keys') is callable)"));
}
