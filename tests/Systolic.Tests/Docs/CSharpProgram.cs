using System.Collections.Immutable;
using System.Globalization;
using System.Reflection;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;

namespace Systolic.Tests.Docs;

/// <summary>C# text with top-level statements, compiled and run in this process as a user would run it as a file of its own.</summary>
internal static class CSharpProgram
{
    // What every project and every file-based program of the SDK imports.
    private const string ImplicitUsings = """
        global using System;
        global using System.Collections.Generic;
        global using System.IO;
        global using System.Linq;
        global using System.Threading;
        global using System.Threading.Tasks;
        """;

    private static readonly CSharpParseOptions Options = new CSharpParseOptions(LanguageVersion.Latest).WithFeatures([new("FileBasedProgram", "")]);

    private static readonly ImmutableArray<PortableExecutableReference> References =
    [
        .. ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator)
            .Where(path => Path.GetFileName(path) is var file && (file.StartsWith("Syst", StringComparison.Ordinal) || file.StartsWith("BenchmarkDotNet", StringComparison.Ordinal) || file == "netstandard.dll"))
            .Select(path => MetadataReference.CreateFromFile(path)),
    ];

    /// <summary>What the program prints; fails with the compiler's messages when it does not compile.</summary>
    /// <param name="name">For messages.</param>
    /// <param name="source">The program.</param>
    /// <param name="usings">Global usings beside those of the SDK.</param>
    public static string Run(string name, string source, string usings = "")
    {
        using var image = new MemoryStream();
        CSharpCompilation
            .Create("program", [Parse(ImplicitUsings), Parse(usings), Parse(source)], References, new CSharpCompilationOptions(OutputKind.ConsoleApplication, nullableContextOptions: NullableContextOptions.Enable))
            .Emit(image).Diagnostics.Where(diagnostic => diagnostic.Severity > DiagnosticSeverity.Info).Should().BeEmpty(name);
        MethodInfo main = Assembly.Load(image.ToArray()).EntryPoint!;
        TextWriter console = Console.Out;
        CultureInfo culture = CultureInfo.CurrentCulture;
        using var output = new StringWriter { NewLine = "\n" };
        Console.SetOut(output);
        CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
        try
        {
            main.Invoke(null, [Array.Empty<string>()]);
        }
        finally
        {
            Console.SetOut(console);
            CultureInfo.CurrentCulture = culture;
        }

        return output.ToString();
    }

    private static SyntaxTree Parse(string text) => CSharpSyntaxTree.ParseText(text, Options);
}
