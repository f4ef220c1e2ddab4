using Spectre.Console.Rendering;

namespace CoPe.Cli.Terminal;

/// <summary>
/// Removes control characters from the text of everything that a console draws, and leaves the console's own escape
/// sequences alone. Attached first it is applied last, so that nothing comes past it.
/// </summary>
sealed class TerminalRenderHook : IRenderHook
{
    public IEnumerable<IRenderable> Process(RenderOptions options, IEnumerable<IRenderable> renderables) =>
        renderables.Select(renderable => new HarmlessRenderable(renderable));

    sealed class HarmlessRenderable(IRenderable inner) : IRenderable
    {
        public Measurement Measure(RenderOptions options, int maxWidth) => inner.Measure(options, maxWidth);

        public IEnumerable<Segment> Render(RenderOptions options, int maxWidth) =>
            inner.Render(options, maxWidth).Select(RemoveControls);

        static Segment RemoveControls(Segment segment)
        {
            if (segment.IsControlCode)
            {
                return segment;
            }

            var text = TerminalText.RemoveControls(segment.Text);
            return ReferenceEquals(text, segment.Text) ? segment : new Segment(text, segment.Style);
        }
    }
}
