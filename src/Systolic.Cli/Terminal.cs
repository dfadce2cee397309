using Spectre.Console;

namespace Systolic.Cli;

/// <summary>The two streams that a command writes to, and what they can show.</summary>
/// <param name="Out">Results.</param>
/// <param name="Error">Messages and progress.</param>
/// <param name="OutIsTerminal">Results go to a terminal, so colours may be used.</param>
/// <param name="ErrorIsTerminal">Messages go to a terminal, so progress may be redrawn.</param>
/// <param name="Width">Columns of text.</param>
internal sealed record Terminal(TextWriter Out, TextWriter Error, bool OutIsTerminal, bool ErrorIsTerminal, int Width)
{
    private const int RedirectedWidth = 80;
    private const int NarrowestWidth = 40;

    /// <summary>The streams of this process.</summary>
    public static Terminal OfProcess() => new(
        Console.Out, Console.Error, !Console.IsOutputRedirected, !Console.IsErrorRedirected, Console.IsOutputRedirected ? RedirectedWidth : WindowWidth());

    /// <summary>Draws results; plain text unless a terminal shows them.</summary>
    public IAnsiConsole Results => Draw(Out, OutIsTerminal);

    /// <summary>Draws messages and progress.</summary>
    public IAnsiConsole Messages => Draw(Error, ErrorIsTerminal);

    private IAnsiConsole Draw(TextWriter writer, bool terminal)
    {
        bool colours = terminal && string.IsNullOrEmpty(Environment.GetEnvironmentVariable("NO_COLOR"));
        IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Out = new AnsiConsoleOutput(writer),
            Ansi = terminal ? AnsiSupport.Detect : AnsiSupport.No,
            ColorSystem = colours ? ColorSystemSupport.Detect : ColorSystemSupport.NoColors,
            Interactive = terminal ? InteractionSupport.Detect : InteractionSupport.No,
        });
        console.Profile.Width = Math.Max(Width, NarrowestWidth);
        return console;
    }

    private static int WindowWidth()
    {
        try
        {
            return Console.WindowWidth > 0 ? Console.WindowWidth : RedirectedWidth;
        }
        catch (IOException)
        {
            return RedirectedWidth;
        }
    }
}
