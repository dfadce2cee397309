using Systolic.Units;

namespace Systolic.Validation;

/// <summary>Knows a file format of reference figures and how to predict them.</summary>
internal interface IValidationSuite
{
    /// <summary>The word that names it on the command line.</summary>
    string Name { get; }

    /// <summary>Predicts every row of a file.</summary>
    /// <param name="csv">The whole text.</param>
    /// <param name="file">Its name, for messages.</param>
    /// <param name="tally">Takes comparisons, and rows that cannot be modelled.</param>
    /// <param name="cancellation">Stops between rows.</param>
    /// <exception cref="InvalidDocumentException">The text is not such a file.</exception>
    void Score(string csv, string file, ValidationTally tally, CancellationToken cancellation);
}
