namespace CoPe.Chat.Jinja;

/// <summary>
/// Reads the arguments of a call, a filter or a test: by place, by name, <c>*items</c>, <c>**entries</c>.
/// </summary>
/// <param name="tokens">Where it reads.</param>
/// <param name="parseValue">Reads the value of an argument.</param>
sealed class ArgumentParser(TokenStream tokens, Func<Expression> parseValue)
{
    /// <summary>Arguments up to the closing bracket; the opening one is taken already.</summary>
    public ArgumentList Parse()
    {
        var positional = new List<Expression>();
        var named = new List<(string Name, Expression)>();
        Expression? items = null;
        Expression? entries = null;
        _ = tokens.TakeList(")", ParseArgument);
        return new(positional, named) { Items = items, Entries = entries };

        bool ParseArgument()
        {
            var line = tokens.Current.Line;
            if (tokens.TakeOperator("**"))
            {
                entries = entries is null ? parseValue() : throw Repeated("'**'", line);
            }
            else if (tokens.TakeOperator("*"))
            {
                items = items is null ? parseValue() : throw Repeated("'*'", line);
            }
            else if (tokens.Current.Kind == TokenKind.Name && tokens.Next.IsOperator("="))
            {
                var name = tokens.ExpectName();
                tokens.ExpectOperator("=");
                named.Add(
                    named.All(one => one.Name != name) ? (name, parseValue()) : throw Repeated($"'{name}'", line)
                );
            }
            else
            {
                positional.Add(
                    named.Count == 0
                        ? parseValue()
                        : throw new JinjaSyntaxException("positional argument follows keyword argument", line)
                );
            }

            return true;
        }

        static JinjaSyntaxException Repeated(string what, int line) => new($"the argument {what} is repeated", line);
    }
}
