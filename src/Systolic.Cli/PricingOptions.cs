using System.CommandLine;
using System.Globalization;
using Systolic.Accounting;
using Systolic.Reporting;

namespace Systolic.Cli;

/// <summary>The options that price a run: energy per activity, chip hours, kilowatt hours.</summary>
internal sealed class PricingOptions
{
    private readonly Option<string?> _table = TableOption();
    private readonly Option<double?> _chipHour = Price("--price-per-chip-hour", "Price of a chip hour of the machine.");
    private readonly Option<double?> _baselineHour = Price("--baseline-price", "Price of a chip hour of the baseline.");
    private readonly Option<double?> _kilowattHour = Price("--price-per-kwh", "Price of a kilowatt hour, for both.");

    /// <summary>Adds the options to a command.</summary>
    public void AddTo(Command command, bool baseline)
    {
        foreach (Option option in (Option[])[_table, _chipHour, .. baseline ? (Option[])[_baselineHour] : [], _kilowattHour])
        {
            command.Add(option);
        }
    }

    /// <summary>The energy table that was asked for; null for the shipped one.</summary>
    /// <exception cref="Units.InvalidDocumentException">The file is no such table.</exception>
    public EnergyReferenceTable? Table(ParseResult parsed) => Read(parsed.GetValue(_table));

    /// <summary>The option that names an energy table.</summary>
    public static Option<string?> TableOption() =>
        new("--energy-table") { Description = "Energy per activity as CSV: its rows replace and extend those shipped.", HelpName = "FILE" };

    /// <summary>The shipped table with the rows of a file; null without a file.</summary>
    /// <exception cref="Units.InvalidDocumentException">The file is no such table.</exception>
    public static EnergyReferenceTable? Read(string? file) => file is null ? null : EnergyReferenceTable.Default.Extend(EnergyReferenceTable.Load(file));

    /// <summary>The prices of the machine; null when none is given.</summary>
    public RunningCost? Cost(ParseResult parsed) => Cost(parsed, _chipHour);

    /// <summary>The prices of the baseline; null when none is given.</summary>
    public RunningCost? BaselineCost(ParseResult parsed) => Cost(parsed, _baselineHour);

    private RunningCost? Cost(ParseResult parsed, Option<double?> chipHour) =>
        parsed.GetValue(chipHour) is null && parsed.GetValue(_kilowattHour) is null ? null : new(parsed.GetValue(chipHour) ?? 0, parsed.GetValue(_kilowattHour) ?? 0);

    /// <summary>A number that is not negative.</summary>
    public static Option<double?> Price(string name, string description) => new(name)
    {
        Description = description,
        HelpName = "NUMBER",
        CustomParser = result =>
        {
            string found = result.Tokens[0].Value;
            if (double.TryParse(found, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double price) && price <= 1e9)
            {
                return price;
            }

            result.AddError($"{name}: found \"{found}\", expected a number such as 2.5.");
            return null;
        },
    };
}
